//! What came before each project, and what became of what it received.

use convenant_audit::{Entries, KeptReport, Paper, ProjectReport};
use convenant_model::Date;

use super::{
    Page,
    activity::day,
    chart::{Bar, Chart},
    markup::Cell,
};

/// How many projects a chart shows.
const PROJECTS: usize = 5;

impl Page<'_> {
    pub(super) fn was_prepared(&mut self) {
        if self.report.answers.projects.is_empty() {
            return self.say("Over geen project is besloten.", "No project was decided on.");
        }
        let heads = [
            self.of("Project", "Project"),
            self.of("Besluit van de LSI", "Decision of the LSI"),
            self.of("Looptijd", "Days on which it may ask"),
            self.of("Eerste vraag", "First question"),
            self.of("Eerdere maatregelen (S8)", "Earlier measures (S8)"),
            self.of("DPIA's (S14)", "DPIAs (S14)"),
            self.of("Communicatieplannen (S16)", "Communication plans (S16)"),
            self.of("Deelnemers", "Participants"),
        ];
        let rows = self.report.answers.projects.iter().map(|one| {
            vec![
                Cell::text(format_args!("{}: {}", one.project, one.title)),
                self.documents(&one.decisions).within(format_args!("{} (", one.decided_on), ")"),
                Cell::text(self.running(&one.project)),
                Cell::text(day(one.first_question, self.no_question(one))),
                self.paper(&one.measures),
                self.paper(&one.dpia),
                self.paper(&one.communication),
                Cell::Number(one.participants),
            ]
        });
        let rows = rows.collect();
        let caption = self
            .of("Wat er was voordat het project begon", "What was there before the project began");
        self.html.table(caption, &heads, rows);
        self.days_before();
        self.cannot(
            "Of mensen over wie gevraagd is daarover zijn ingelicht, staat niet in het bewijs; wel of de \
             deelnemers vóór het besluit een communicatieplan hadden. Van elk stuk kent het register \
             datum en hash, niet de inhoud.",
            "Whether people who were asked about were told so is not in the evidence; whether the \
             participants had a communication plan before the decision is. Of each paper the register \
             knows date and hash, not what it says.",
        );
    }

    /// Why a project has no first question.
    fn no_question(&self, project: &ProjectReport) -> &'static str {
        if self.report.answers.askers.iter().any(|one| one.project == project.project) {
            self.of("alleen geweigerde vragen", "only refused questions")
        } else {
            self.of("nog geen vraag", "no question yet")
        }
    }

    /// How long before the decision the last paper of each kind was there.
    fn days_before(&mut self) {
        let bars = |one: &ProjectReport| -> Vec<Bar> {
            let papers = [
                (self.of("maatregelen", "measures"), &one.measures),
                (self.of("DPIA's", "DPIAs"), &one.dpia),
                (self.of("communicatie", "communication"), &one.communication),
            ];
            let bars = papers.into_iter().filter_map(|(what, paper)| {
                let before = one.decided_on.days_since_epoch() - paper.last?.days_since_epoch();
                let value = u64::from(before.unsigned_abs());
                let marked = if before < 0 { value } else { 0 };
                Some(Bar { label: format!("{}: {what}", one.project), value, marked })
            });
            bars.collect()
        };
        let projects = &self.report.answers.projects;
        let drawn = projects.iter().take(PROJECTS).flat_map(bars).count();
        let bars: Vec<_> = projects.iter().flat_map(bars).collect();
        let title = self.of(
            "Dagen van het laatste stuk van elke soort tot het besluit; bruin zijn dagen te laat",
            "Days from the last paper of each kind to the decision; brown are days too late",
        );
        let part = self.part(drawn, (PROJECTS, projects.len()), self.of("projecten", "projects"));
        let heads = [self.of("Project en stukken", "Project and papers"), self.of("Dagen", "Days")];
        let marked = Some(self.of("Dagen te laat", "Days too late"));
        self.lying(&Chart { title, heads, marked, part }, &bars);
    }

    fn paper(&self, paper: &Paper) -> Cell {
        let in_time = if paper.in_time {
            self.of("op tijd", "in time")
        } else {
            self.of("NIET op tijd", "NOT in time")
        };
        let (last, none) = (self.of("laatste", "last"), self.of("geen", "none"));
        let text = format!("{}, {last} {}: {in_time} (", paper.number, date(paper.last, none));
        self.documents(&paper.documents).within(text, ")")
    }

    pub(super) fn was_destroyed(&mut self) {
        let answers = &self.report.answers;
        if answers.kept.is_empty() {
            self.say(
                "Er is niets gegeven dat vernietigd moet worden.",
                "Nothing was given that must be destroyed.",
            );
        } else {
            let heads = [
                self.of("Project", "Project"),
                self.of("Op tijd vernietigd", "Destroyed in time"),
                self.of("Te laat vernietigd", "Destroyed late"),
                self.of("Te laat en nog niet vernietigd", "Late and not destroyed yet"),
                self.of("Termijn loopt nog", "Not due yet"),
                self.of("Een getal (count), zonder termijn", "A number (count), without a term"),
                self.of("Antwoorden in totaal", "Answers in total"),
            ];
            let rows = answers.kept.iter().map(|one| {
                let answers = [&one.in_time, &one.late, &one.overdue, &one.waiting, &one.numbers];
                let all = answers.iter().fold(0, |all: u64, one| all.saturating_add(one.number));
                let project = std::iter::once(Cell::text(&one.project));
                project
                    .chain(answers.map(|entries| self.numbered(entries)))
                    .chain([Cell::Number(all)])
                    .collect()
            });
            let rows = rows.collect();
            let caption =
                self.of("Antwoorden en hun bewaartermijn", "Answers and how long they may be kept");
            self.html.table(caption, &heads, rows);
            self.say(
                "Wat te laat is, of nog een termijn heeft, staat op volgorde van de laatste dag waarop het bewaard \
                 mocht worden, de vroegste eerst; daarom kan een logboek er meer dan eens genoemd zijn. De rest \
                 staat op volgorde van logboek en regel.",
                "What is late, or not due yet, stands in the order of the last day on which it could be kept, the \
                 earliest first; so a ledger may be named there more than once. The rest stands in the order of \
                 ledger and entry.",
            );
            self.kept_or_gone();
        }
        self.terms();
        let until =
            self.of("Geteld tot waar de logboeken eindigen", "Counted up to where the ledgers end");
        let end = day(self.report.answers.until, self.of("onbekend", "unknown"));
        self.html.element("p", format_args!("{until}: {end}."));
        self.cannot(
            "Het bewijs kent verslagen van vernietiging, die de ontvanger ondertekent; het ziet niet of er \
             nog een kopie is.",
            "The evidence knows records of destruction, which the receiver signs; it does not see whether \
             a copy is left.",
        );
    }

    fn kept_or_gone(&mut self) {
        let kept = &self.report.answers.kept;
        let bar = |label: &str, of: fn(&KeptReport) -> &Entries, late: bool| {
            let numbers = kept.iter().map(|one| of(one).number);
            let value = numbers.fold(0, u64::saturating_add);
            Bar { label: label.to_owned(), value, marked: if late { value } else { 0 } }
        };
        let bars = [
            bar(self.of("Op tijd vernietigd", "Destroyed in time"), |one| &one.in_time, false),
            bar(self.of("Te laat vernietigd", "Destroyed late"), |one| &one.late, true),
            bar(
                self.of("Te laat, nog niet vernietigd", "Late, not destroyed yet"),
                |one| &one.overdue,
                true,
            ),
            bar(self.of("Termijn loopt nog", "Not due yet"), |one| &one.waiting, false),
            bar(
                self.of("Een getal, zonder termijn", "A number, no term"),
                |one| &one.numbers,
                false,
            ),
        ];
        let title = self.of(
            "Antwoorden van alle projecten samen; bruin is te laat",
            "Answers of all projects together; brown is late",
        );
        let heads = [self.of("Stand", "State"), self.of("Antwoorden", "Answers")];
        self.lying(&Chart { title, heads, marked: None, part: None }, &bars);
    }

    fn terms(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Stand", "State"),
            self.of("Alles vernietigd vóór het einde van", "Everything destroyed by the end of"),
            self.of("Verslagen van vernietiging", "Destruction records"),
            self.of(
                "Dag waarop de laatste ontvanger alles had vernietigd",
                "Day on which the last receiver had destroyed everything",
            ),
            self.of("Documenten", "Documents"),
        ];
        let rows = self.report.answers.projects.iter().map(|one| {
            vec![
                Cell::text(&one.project),
                Cell::text(one.state.map_or_else(
                    || self.of("onbekend", "unknown").to_owned(),
                    |state| self.state(state),
                )),
                Cell::text(date(
                    one.last_days.map(|days| days.destruction),
                    self.of("geen", "none"),
                )),
                Cell::Number(one.destructions.number),
                Cell::text(day(one.emptied, self.of("nog niet", "not yet"))),
                self.documents(&one.destructions).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Termijnen per project", "Terms by project"), &heads, rows);
    }

    pub(super) fn what_became(&mut self) {
        let heads = [
            self.of("Project", "Project"),
            self.of("Teruggekoppelde antwoorden", "Answers reported on"),
            self.of("Treffers", "Hits"),
            self.of("Bruikbaar", "Usable"),
            self.of("Opgevolgd", "Followed up"),
            self.of("Volledig", "Complete"),
            self.of("Uiterlijk", "By"),
            self.of("Juist gebleken", "Turned out right"),
            self.of("Hersteld in het voordeel van de burger", "Corrected in the citizen's favour"),
            self.of("Documenten van de ontvangers", "Receivers' documents"),
            self.of("Eindrapport", "Final report"),
        ];
        let rows = self.report.answers.projects.iter().map(|one| {
            let feedback = &one.feedback;
            let complete =
                if feedback.complete { self.of("ja", "yes") } else { self.of("nee", "no") };
            let none = self.of("geen eindrapport", "no final report");
            let told = |number: Option<u64>| number.map_or_else(|| Cell::text(none), Cell::Number);
            vec![
                Cell::text(&one.project),
                Cell::Number(feedback.answers),
                Cell::Number(feedback.hits),
                Cell::Number(feedback.usable),
                Cell::Number(feedback.followed_up),
                Cell::text(complete),
                Cell::text(date(one.last_days.map(|days| days.feedback), self.of("geen", "none"))),
                told(feedback.confirmed.map(|(confirmed, _)| confirmed)),
                told(feedback.confirmed.map(|(_, corrected)| corrected)),
                self.documents(&feedback.documents).cell(),
                self.documents(&feedback.final_reports).cell(),
            ]
        });
        let rows = rows.collect();
        self.html.table(self.lang.of("Terugkoppeling", "Feedback"), &heads, rows);
        let projects = self.report.answers.projects.iter().filter(|one| one.feedback.hits > 0);
        let projects: Vec<_> = projects.collect();
        let bars = projects.iter().map(|one| Bar {
            label: one.project.to_string(),
            value: one.feedback.hits,
            marked: one.feedback.hits.saturating_sub(one.feedback.followed_up),
        });
        let title = self.of(
            "Teruggekoppelde treffers; bruin is niet opgevolgd",
            "Hits reported on; brown was not followed up",
        );
        let what = self.of("projecten", "projects");
        let part = self.part(PROJECTS, (PROJECTS, projects.len()), what);
        let heads = [self.of("Project", "Project"), self.of("Treffers", "Hits")];
        let marked = Some(self.of("Niet opgevolgd", "Not followed up"));
        self.lying(&Chart { title, heads, marked, part }, &bars.collect::<Vec<_>>());
        self.say(
            "Dit zijn de eigen opgaven van de ontvangers, ondertekend. Wat juist bleek en wat is hersteld komt \
             uit het eindrapport.",
            "These are the receivers' own statements, signed. What turned out right and what was \
             corrected is from the final report.",
        );
    }
}

fn date(date: Option<Date>, none: &str) -> String {
    date.map_or_else(|| none.to_owned(), |date| date.to_string())
}
