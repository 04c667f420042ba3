//! Who asked what, what was refused, and what was unusual.

use std::collections::BTreeMap;

use convenant_audit::Thresholds;
use convenant_model::{Date, Timestamp};

use super::{
    Page,
    chart::{Bar, Chart},
    markup::Cell,
};

/// How many codes the chart of refusals shows.
const CODES: usize = 15;

impl Page<'_> {
    pub(super) fn who_asked(&mut self) {
        let answers = &self.report.answers;
        let heads = [
            self.of("Project", "Project"),
            self.of("Doel", "Purpose"),
            self.of("Vrager", "Requester"),
            self.of("Mandaat", "Mandate"),
            self.of("Looptijd van het project", "Days of the project"),
            self.of("Vragen", "Questions"),
            self.of("Met toestemming", "With a permit"),
            self.of(
                "Gevraagd zonder dat mandaat, project of sleutel gold",
                "Asked while mandate, project or key did not hold",
            ),
            self.of("Eerste en laatste", "First and last"),
            self.of("Regels", "Entries"),
        ];
        let rows = answers.askers.iter().map(|one| {
            vec![
                Cell::text(&one.project),
                Cell::text(&one.goal),
                Cell::text(self.party(&one.partner)),
                Cell::text(self.mandate(one)),
                Cell::text(self.running(&one.project)),
                Cell::Number(one.entries.number),
                Cell::Number(one.permitted),
                self.numbered(&one.outside),
                Cell::text(format_args!("{} – {}", day(one.first, "?"), day(one.last, "?"))),
                self.entries(&one.entries).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Wie vroeg wat", "Who asked what"), &heads, rows);
        self.how_valid();
        self.asked_of_whom();
        self.by_week();
    }

    fn asked_of_whom(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Aan", "Of"),
            self.of("Dataset", "Dataset"),
            self.of("Soort", "Kind"),
            self.of("Gevraagd", "Asked"),
            self.of("Toegestaan", "Permitted"),
            self.of("Beantwoord", "Answered"),
            self.of("Regels", "Entries"),
        ];
        let rows = self.report.answers.sources.iter().map(|one| {
            vec![
                Cell::text(&one.project),
                Cell::text(self.party(&one.provider)),
                Cell::code(&one.dataset),
                Cell::text(self.kind(one.kind)),
                Cell::Number(one.entries.number),
                Cell::Number(one.permitted.number),
                Cell::Number(one.answered.number),
                self.entries(&one.entries).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(
            self.lang.of("Aan wie is wat gevraagd", "What was asked of whom"),
            &heads,
            rows,
        );
        self.permitted_by();
    }

    fn by_week(&mut self) {
        let answers = &self.report.answers;
        let mut weeks: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
        for (day, number) in &answers.days {
            let (asked, refused) = weeks.entry(day.monday()).or_default();
            *asked = asked.saturating_add(*number);
            let of_day = answers.refused_days.get(day).copied().unwrap_or(0);
            *refused = refused.saturating_add(of_day);
        }
        let bar = |(week, (value, marked)): (&Date, &(u64, u64))| Bar {
            label: week.to_string(),
            value: *value,
            marked: *marked,
        };
        let title = self.of(
            "Vragen per week, vanaf maandag; bruin is geheel geweigerd; weken zonder vragen ontbreken",
            "Questions by week, from Monday on; brown was refused as a whole; weeks without questions are \
             left out",
        );
        let heads = [self.of("Week van", "Week of"), self.of("Vragen", "Questions")];
        let marked = Some(self.of("Geheel geweigerd", "Refused as a whole"));
        let bars: Vec<_> = weeks.iter().map(bar).collect();
        self.upright(&Chart { title, heads, marked, part: None }, &bars);
    }

    pub(super) fn why_refused(&mut self) {
        if self.report.answers.refusals.is_empty() {
            self.say("Er is niets geweigerd.", "Nothing was refused.");
        } else {
            self.refused();
        }
        self.not_taken();
    }

    fn refused(&mut self) {
        let refusals = &self.report.answers.refusals;
        let bars = refusals.iter().map(|one| Bar {
            label: one.code.clone(),
            value: one.entries.number,
            marked: 0,
        });
        let title = self.of("Weigeringen per clausule", "Refusals by clause");
        let part = self.part(CODES, (CODES, refusals.len()), self.of("codes", "codes"));
        let heads = [self.of("Clausule en code", "Clause and code"), self.of("Aantal", "Count")];
        self.lying(&Chart { title, heads, marked: None, part }, &bars.collect::<Vec<_>>());
        let clause = self.of("Clausule", "Clause (its title in the covenant, which is Dutch)");
        let heads = [heads[0], clause, heads[1], self.of("Regels", "Entries")];
        let rows = refusals.iter().map(|one| {
            vec![
                Cell::code(&one.code),
                Cell::text(self.reason(one)),
                Cell::Number(one.entries.number),
                self.entries(&one.entries).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(title, &heads, rows);
        self.say(
            "Een weigering noemt elke clausule die weigert; de volledige uitleg staat in de genoemde regel.",
            "A refusal names every clause that refuses; the full explanation stands in the entry named.",
        );
    }

    /// Messages that nobody decided on, by reason and sender.
    fn not_taken(&mut self) {
        let rejected = &self.report.answers.rejected;
        if rejected.is_empty() {
            return;
        }
        let heads = [
            self.of("Reden", "Reason"),
            self.of("Wat dat is", "What that is"),
            self.of("Afzender", "Sender"),
            self.of("Aantal", "Count"),
            self.of("Regels", "Entries"),
        ];
        let rows = rejected.iter().map(|one| {
            vec![
                Cell::code(one.problem.code()),
                Cell::text(self.not_taken_because(one.problem)),
                Cell::text(self.party(&one.peer)),
                Cell::Number(one.entries.number),
                self.entries(&one.entries).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.of("Niet aangenomen berichten", "Messages not taken"), &heads, rows);
        self.say(
            "Op deze berichten is geen besluit vastgelegd: zij tellen bij geen andere vraag van dit verslag mee. Van \
             het bericht staat alleen de hash in het logboek.",
            "No decision is on record on these messages: they count under no other question of this report. Of the \
             message the ledger holds the hash alone.",
        );
    }

    pub(super) fn was_unusual(&mut self) {
        let answers = &self.report.answers;
        let bars = (0..).zip(answers.hours).map(|(hour, value): (usize, u64)| Bar {
            label: format!("{hour:02}:00"),
            value,
            marked: if answers.is_odd_hour(hour) { value } else { 0 },
        });
        let title = self.of(
            "Vragen per uur van de dag in Nederland; bruin is buiten werktijd",
            "Questions by hour of the day in the Netherlands; brown is outside working hours",
        );
        let heads = [self.of("Uur", "Hour"), self.of("Vragen", "Questions")];
        let chart = Chart { title, heads, marked: None, part: None };
        self.upright(&chart, &bars.collect::<Vec<_>>());
        let Thresholds { from_hour, until_hour, alike, alike_minutes, refused_in_a_row } =
            answers.thresholds;
        let rules = match self.lang {
            crate::lang::Lang::Nl => format!(
                "De regels: werktijd is {from_hour}:00–{until_hour}:00, maandag tot en met vrijdag; herhaald \
                 is {alike} vrijwel gelijke vragen van één persoon binnen {alike_minutes} minuten; \
                 {refused_in_a_row} geheel geweigerde vragen achter elkaar; en treffers buiten het bereik \
                 van het goedgekeurde voorstel. Ze zeggen dat iemand moet kijken, niet dat het fout is."
            ),
            crate::lang::Lang::En => format!(
                "The rules: working hours are {from_hour}:00–{until_hour}:00, Monday to Friday; repeated is \
                 {alike} nearly equal questions of one person within {alike_minutes} minutes; \
                 {refused_in_a_row} questions in a row refused as a whole; and hits outside the range of \
                 the approved proposal. They say that somebody should look, not that it is wrong."
            ),
        };
        self.html.element("p", rules);
    }
}

/// A day, or what there is instead of it.
pub(super) fn day(at: Option<Timestamp>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), |at| at.date().to_string())
}
