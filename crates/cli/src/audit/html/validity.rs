//! What lets people ask, and whether it still held where the evidence ends.

use convenant_audit::AskerReport;
use convenant_model::{Date, ProjectId};

use super::{Page, activity::day};
use crate::lang::Lang;

impl Page<'_> {
    /// The mandate with which somebody asked: for what, since when, until when.
    pub(super) fn mandate(&self, asker: &AskerReport) -> String {
        let none = self.of("geen mandaat in het register", "no mandate in the register");
        let function = asker.function.as_deref().unwrap_or(none);
        let leader = if asker.leader { self.of(" (leider)", " (leader)") } else { "" };
        let mut told = format!("{function}{leader}; {} {}", self.of("sleutel", "key"), asker.key);
        if let Some(from) = asker.revoked {
            told.push_str(&format!(", {} {from}", self.of("ingetrokken per", "revoked as of")));
        }
        for one in &asker.mandates {
            told.push_str(&format!("; {}", self.days(one.valid_from, one.valid_until)));
            if let Some(document) = one.document {
                told.push_str(&format!(" (register: {document})"));
            }
        }
        told
    }

    /// From when until when a project may ask, and where it is in its life.
    pub(super) fn running(&self, project: &ProjectId) -> String {
        let projects = &self.report.answers.projects;
        let known = projects.iter().find(|one| one.project == *project);
        let Some((terms, known)) = known.and_then(|one| Some((one.terms?, one))) else {
            return self
                .of("geen goedkeuring in het register", "no approval in the register")
                .to_owned();
        };
        let days = self.days(terms.first, terms.last);
        known.state.map_or_else(|| days.clone(), |state| format!("{days}; {}", self.state(state)))
    }

    /// A first and a last day, and whether they are over where the evidence ends.
    fn days(&self, first: Date, last: Date) -> String {
        let days = match self.lang {
            Lang::Nl => format!("van {first} tot en met {last}"),
            Lang::En => format!("from {first} up to and including {last}"),
        };
        let Some(end) = self.report.answers.until.map(|until| until.date()) else { return days };
        if last < end {
            format!("{days}, {} {last}", self.of("verlopen op", "expired on"))
        } else if end < first {
            format!("{days}, {}", self.of("nog niet ingegaan", "not begun yet"))
        } else {
            format!("{days}, {}", self.of("geldig", "valid"))
        }
    }

    /// Against which day validity is told, and what counts as asked while something did not hold.
    pub(super) fn how_valid(&mut self) {
        let end = day(self.report.answers.until, self.of("onbekend", "unknown"));
        let text = match self.lang {
            Lang::Nl => format!(
                "Geldig, verlopen of nog niet ingegaan is gerekend op de dag waarop de logboeken eindigen: {end}. \
                 Gevraagd zonder dat mandaat, project of sleutel gold zijn vragen op een dag zonder mandaat voor die sleutel, na de \
                 laatste dag van het project, of nadat de sleutel was ingetrokken. Wat daarvan toch is \
                 toegestaan en toen niet mocht, staat bij vraag 2 of 6 als bevinding."
            ),
            Lang::En => format!(
                "Valid, expired or not begun yet is as of the day on which the ledgers end: {end}. Asked while \
                 mandate, project or key did not hold are questions of a day without a mandate for that key, after the last day of \
                 the project, or after the key was revoked. What was permitted of these all the same, \
                 and was not lawful then, questions 2 and 6 tell of as a finding."
            ),
        };
        self.html.element("p", text);
    }
}
