//! `convenant project report`: a summary of a project for everybody, made from the register alone. It holds no
//! personal data, because the register holds none.

use clap::ValueEnum;
use convenant_model::{
    Clock as _, Oin, ProjectId, Timestamp,
    documents::{Annex, Destruction, FeedbackItem, FinalReport, Proposal, PublishedPredicate},
    register::{Decided, Project, ProjectState, RegisterState},
};
use convenant_transport::SystemClock;

use super::steps::known;
use crate::{exit::usage, lang::Lang};

mod page;
mod standing;

use page::{Block, flat, html, markdown};

/// How the summary is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// Markdown.
    Md,
    /// One page of HTML that needs nothing else.
    Html,
}

/// The summary of a project. What its documents say is in their own language.
pub(super) fn report(
    state: &RegisterState,
    project: &ProjectId,
    form: Form,
    lang: Lang,
) -> anyhow::Result<String> {
    let found = known(state, project)?;
    let at = SystemClock.now();
    // A newer version than the one that was rejected is not decided on yet.
    let undecided = matches!(found.state_at(at), ProjectState::Submitted | ProjectState::Reviewed);
    let decided = found.decided().filter(|_| !undecided);
    let proposal = decided.map(|decided| &decided.proposal);
    let proposal = proposal.or_else(|| found.latest().map(|(_, latest)| latest));
    let proposal = proposal.ok_or_else(|| usage(format!("`{project}` has no proposal yet")))?;
    let title = format!("{} ({project})", proposal.title.as_str());
    let blocks = Summary { state, found, proposal, decided, at, lang }.blocks();
    Ok(match form {
        Form::Md => markdown(&title, &blocks),
        Form::Html => html(&title, &blocks, lang),
    })
}

struct Summary<'a> {
    state: &'a RegisterState,
    found: &'a Project,
    proposal: &'a Proposal,
    decided: Option<&'a Decided>,
    at: Timestamp,
    lang: Lang,
}

impl Summary<'_> {
    fn blocks(&self) -> Vec<Block> {
        let heading = |dutch, english| Block::Heading(self.lang.of(dutch, english).to_owned());
        let mut blocks = vec![
            Block::Paragraph(self.intro()),
            Block::List(self.standing()),
            heading("Waarom", "Why"),
            paragraph(self.proposal.cause.as_str()),
            paragraph(self.proposal.added_value.as_str()),
            Block::List(self.goals()),
            heading("Wat er eerder is geprobeerd", "What was tried before"),
            Block::List(self.measures()),
            heading("Wie", "Who"),
            Block::List(self.participants()),
            heading("Waar en hoe lang", "Where and for how long"),
            Block::List(self.bounds()),
            heading("Welke gegevens", "Which data"),
            self.data(),
            heading("Waarop wordt geselecteerd of geteld", "What is selected or counted by"),
        ];
        let predicates = &self.proposal.predicate;
        if predicates.is_empty() {
            let none =
                self.lang.of("Er wordt alleen opgezocht.", "Nothing: there are lookups only.");
            blocks.push(paragraph(none));
        }
        blocks.extend(predicates.iter().map(|one| self.predicate(one)));
        blocks.push(heading("Wat het heeft opgeleverd", "What it brought"));
        blocks.extend(self.outcome());
        blocks.push(heading("Uw rechten", "Your rights"));
        blocks.push(paragraph(self.lang.of(RIGHTS, RIGHTS_EN)));
        blocks
    }

    fn intro(&self) -> String {
        let (day, state) = (self.at.date(), self.found.state_at(self.at).as_str());
        let documents = self.state.documents();
        let documents =
            self.lang.number(documents, ["document", "documenten"], ["document", "documents"]);
        match self.lang {
            Lang::Nl => format!(
                "Stand op {day}: {state}. Deze samenvatting komt uit het ondertekende register ({documents})."
            ),
            Lang::En => format!(
                "As of {day}: {state}. This summary is made from the signed register ({documents}); what \
                 its documents say is in their own language."
            ),
        }
    }

    fn goals(&self) -> Vec<String> {
        let covenant = self.state.covenant().map(|one| &one.covenant);
        let text = |goal| covenant.and_then(|one| one.goal(goal)).map(|one| one.text.to_string());
        self.proposal.goals.iter().map(|id| text(id).unwrap_or_else(|| id.to_string())).collect()
    }

    fn measures(&self) -> Vec<String> {
        let measures = self.proposal.earlier_measure.iter();
        measures
            .map(|one| {
                format!("{} ({}): {}", one.means.as_str(), one.date, flat(one.result.as_str()))
            })
            .collect()
    }

    fn participants(&self) -> Vec<String> {
        let responsible = &self.proposal.responsible;
        let line = |one: &convenant_model::documents::Participant| {
            let also = self.lang.of(" (verantwoordelijk)", " (responsible)");
            let also = if one.partner == *responsible { also } else { "" };
            format!("{}{also}: {}", self.name(&one.partner), one.role.as_str())
        };
        self.proposal.participant.iter().map(line).collect()
    }

    fn name(&self, oin: &Oin) -> String {
        self.state.enrolment(oin).map_or_else(|| oin.to_string(), |one| one.name.to_string())
    }

    fn bounds(&self) -> Vec<String> {
        let (proposal, lang) = (self.proposal, self.lang);
        let area: Vec<_> = proposal.area.iter().map(ToString::to_string).collect();
        let quota = proposal.quota;
        let (queries, subjects) = (quota.queries, quota.subjects);
        vec![
            format!("{}: {}", lang.of("gebied", "area"), area.join(", ")),
            match self.decided {
                Some(decided) if decided.approves() => {
                    let (first, last) = (decided.decision.valid_from, decided.last_day());
                    format!(
                        "{} {first} {} {last}",
                        lang.of("van", "from"),
                        lang.of("tot en met", "until")
                    )
                }
                _ => {
                    let asked = lang.of("gevraagd: van", "asked for: from");
                    let until = lang.of("tot en met", "until");
                    format!("{asked} {} {until} {}", proposal.start, proposal.end)
                }
            },
            match lang {
                Lang::Nl => format!(
                    "ten hoogste {queries} vragen, over samen ten hoogste {subjects} personen of objecten"
                ),
                Lang::En => format!(
                    "at most {queries} queries, about at most {subjects} people or objects altogether"
                ),
            },
            format!("{}: {}", lang.of("inzet", "effort"), flat(proposal.capacity.as_str())),
        ]
    }

    fn data(&self) -> Block {
        let row = |annex: &Annex| {
            let fields = annex.field.iter();
            let fields = fields.map(|one| format!("{} ({})", one.name, one.necessity.as_str()));
            vec![
                self.name(&annex.provider),
                annex.dataset.to_string(),
                fields.collect::<Vec<_>>().join("; "),
                annex.basis_provider.to_string(),
                annex.basis_receiver.to_string(),
                self.lang.days(annex.retention_days.into()),
            ]
        };
        let head = [
            ("Leverancier", "Provider"),
            ("Bestand", "Dataset"),
            ("Velden, en waarom", "Fields, and why"),
            ("Grondslag leverancier", "Provider's legal basis"),
            ("Grondslag ontvanger", "Receiver's legal basis"),
            ("Bewaard", "Kept for"),
        ];
        let head = head.map(|(dutch, english)| self.lang.of(dutch, english)).to_vec();
        Block::Table(head, self.proposal.annex.iter().map(row).collect())
    }

    fn outcome(&self) -> Vec<Block> {
        let mut lines: Vec<_> = self.feedback().into_iter().collect();
        lines.extend(self.found.destructions().iter().map(|one| self.destruction(one)));
        let mut blocks = Vec::new();
        if let Some(report) = self.found.report() {
            lines.extend(self.figures(report));
            blocks.push(paragraph(report.summary.as_str()));
            blocks.push(paragraph(report.lessons.as_str()));
        }
        blocks.push(if lines.is_empty() {
            let none = "Daarover staat nog niets in het register.";
            paragraph(self.lang.of(none, "The register says nothing of that yet."))
        } else {
            Block::List(lines)
        });
        blocks
    }

    fn feedback(&self) -> Option<String> {
        let items = || self.found.feedback().iter().flat_map(|one| &one.item);
        items().next()?;
        let sum = |of: fn(&FeedbackItem) -> u64| items().map(of).fold(0, u64::saturating_add);
        let (hits, usable) = (sum(|one| one.hits), sum(|one| one.usable));
        let followed_up = sum(|one| one.followed_up);
        Some(match self.lang {
            Lang::Nl => format!(
                "teruggekoppeld: {hits} treffers, waarvan {usable} bruikbaar en {followed_up} met een vervolg"
            ),
            Lang::En => format!(
                "feedback: {hits} hits, of which {usable} were of use and {followed_up} were followed up"
            ),
        })
    }

    fn destruction(&self, one: &Destruction) -> String {
        let (lang, number) = (self.lang, one.item.len());
        let what = match number {
            _ if one.complete => lang.of("alles", "everything").to_owned(),
            1 => format!("1 {}", lang.of("antwoord", "answer")),
            _ => format!("{number} {}", lang.of("antwoorden", "answers")),
        };
        let (who, when) = (self.name(&one.partner), one.destroyed_at.date());
        let (by, on) = (lang.of("vernietigd door", "destroyed by"), lang.of("op", "on"));
        format!("{by} {who} {on} {when}: {what} ({})", flat(one.manner.as_str()))
    }

    fn figures(&self, report: &FinalReport) -> [String; 2] {
        let FinalReport { queries, subjects, hits, confirmed, corrections_in_favour, .. } = report;
        let precision = (confirmed * 100).checked_div(*hits);
        let precision = precision.map_or_else(String::new, |one| format!(" ({one}%)"));
        match self.lang {
            Lang::Nl => [
                format!(
                    "{queries} vragen over {subjects} personen of objecten gaven {hits} treffers; {confirmed} \
                     klopten{precision}"
                ),
                format!("{corrections_in_favour} correcties in het voordeel van de burger"),
            ],
            Lang::En => [
                format!(
                    "{queries} queries about {subjects} people or objects gave {hits} hits; {confirmed} were \
                     right{precision}"
                ),
                format!("{corrections_in_favour} corrections in the citizen's favour"),
            ],
        }
    }

    fn predicate(&self, one: &PublishedPredicate) -> Block {
        let (lang, expected) = (self.lang, one.expected_hits);
        let hits = format!("{} {} {}", expected.least, lang.of("tot", "to"), expected.most);
        let seeks = lang.of("waar het naar zoekt", "what it looks for");
        let mistakes = lang.of("bekende vergissingen", "known mistakes");
        Block::List(vec![
            format!(
                "{} ({} {}), in {}: {}",
                one.id,
                lang.of("versie", "version"),
                one.version,
                one.dataset,
                one.expression
            ),
            format!("{seeks}: {}", flat(one.explanation.as_str())),
            format!("{}: {hits} {}", lang.of("verwacht", "expected"), lang.of("treffers", "hits")),
            format!("{mistakes}: {}", flat(one.false_positives.as_str())),
        ])
    }
}

const RIGHTS: &str = "Een treffer is een signaal en nooit een besluit; een mens beoordeelt haar. U kunt de deelnemers \
    vragen welke gegevens over u zijn uitgewisseld (AVG artikel 15), en bezwaar maken of een klacht indienen bij de \
    Autoriteit Persoonsgegevens.";
const RIGHTS_EN: &str = "A hit is a signal and never a decision; a person assesses it. You can ask the participants \
    which data about you were exchanged (GDPR article 15), and object, or complain to the Autoriteit \
    Persoonsgegevens.";

fn paragraph(text: &str) -> Block {
    Block::Paragraph(flat(text))
}
