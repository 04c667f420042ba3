//! Where a project stands: what was decided on it, what stopped it, when and why.

use convenant_model::{Oin, Timestamp};

use super::{Summary, flat};
use crate::lang::Lang;

impl Summary<'_> {
    /// In the order in which it comes in a project's life.
    pub(super) fn standing(&self) -> Vec<String> {
        let mut lines = self.decision();
        let found = self.found;
        lines.extend(found.suspensions_at(self.at).map(|one| {
            let what = match &one.partner {
                None => self.lang.of("opgeschort door de LSI", "suspended by the LSI").to_owned(),
                Some(oin) => {
                    let (name, what) = (self.name(oin), self.lang.of("schort op", "suspends"));
                    format!(
                        "{name} {what} {}",
                        self.lang.of("wat het verstrekt", "what it provides")
                    )
                }
            };
            self.from(&what, one.from, one.reason.as_str())
        }));
        lines.extend(self.proposal.participant.iter().filter_map(|one| self.left(&one.partner)));
        if let Some(one) = found.withdrawal() {
            lines.push(self.from(
                self.lang.of("ingetrokken", "withdrawn"),
                one.from,
                one.reason.as_str(),
            ));
        }
        if let Some(one) = found.closure() {
            lines.push(self.from(
                self.lang.of("afgesloten", "closed"),
                one.from,
                one.reason.as_str(),
            ));
        }
        lines.extend(self.ran_out());
        lines.extend(self.concluded());
        lines
    }

    fn decision(&self) -> Vec<String> {
        let Some(decided) = self.decided else {
            let undecided = "de LSI heeft nog niet over dit project besloten";
            return vec![
                self.lang.of(undecided, "the LSI has not decided on this project yet").to_owned(),
            ];
        };
        let (decision, lang) = (&decided.decision, self.lang);
        let what = if decided.approves() {
            lang.of("goedgekeurd door de LSI", "approved by the LSI")
        } else {
            lang.of("afgewezen door de LSI", "rejected by the LSI")
        };
        let on = lang.of("op", "on");
        let line = |what: &str, day, why: &str| format!("{what} {on} {day}: {}", flat(why));
        let mut lines = vec![line(what, decision.decided_on, decision.reason.as_str())];
        if let Some(one) = &decided.extension {
            let what = lang.of("verlengd", "extended");
            lines.push(line(what, one.decided_on, one.reason.as_str()));
        }
        lines
    }

    fn left(&self, partner: &Oin) -> Option<String> {
        let from = self.found.left_from(partner)?.date();
        let name = self.name(partner);
        Some(match self.lang {
            Lang::Nl => format!("{name} doet niet meer mee vanaf {from}"),
            Lang::En => format!("{name} takes no part from {from} on"),
        })
    }

    /// That its last day has passed, where nothing else ended it.
    fn ran_out(&self) -> Option<String> {
        let decided = self.decided.filter(|decided| decided.approves())?;
        let stopped = self.found.closed(self.at) || self.found.withdrawn(self.at);
        let (last, ended) = (decided.last_day(), self.found.ended_at(self.at) && !stopped);
        ended.then(|| format!("{} {last}", self.lang.of("de laatste dag was", "its last day was")))
    }

    fn concluded(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.found.report().is_some() {
            lines.push(
                self.lang.of("het eindrapport is er", "the final report is there").to_owned(),
            );
        }
        if let Some(one) = self.found.securing() {
            let (day, owner, why) =
                (one.date, flat(one.owner.as_str()), flat(one.measures.as_str()));
            lines.push(match self.lang {
                Lang::Nl => format!("geborgd vanaf {day} door {owner}: {why}"),
                Lang::En => format!("secured from {day} on by {owner}: {why}"),
            });
        }
        lines
    }

    fn from(&self, what: &str, from: Timestamp, why: &str) -> String {
        format!("{what} {} {}: {}", self.lang.of("vanaf", "as from"), from.date(), flat(why))
    }
}
