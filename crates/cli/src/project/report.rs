//! `convenant project report`: a summary of a project for everybody, made from the register alone. It holds no
//! personal data, because the register holds none.

use std::fmt::Write as _;

use clap::ValueEnum;
use convenant_model::{
    Clock as _, Oin, ProjectId,
    documents::{Annex, Proposal, PublishedPredicate},
    register::{Decided, Project, RegisterState},
};
use convenant_transport::SystemClock;

use super::steps::known;
use crate::exit::usage;

/// How the summary is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// Markdown.
    Md,
    /// One page of HTML that needs nothing else.
    Html,
}

/// A block of the summary.
enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

/// The summary of a project, in Dutch.
pub(super) fn report(
    state: &RegisterState,
    project: &ProjectId,
    form: Form,
) -> anyhow::Result<String> {
    let found = known(state, project)?;
    let decided = found.decided();
    let proposal = decided.map(|decided| &decided.proposal);
    let proposal = proposal.or_else(|| found.latest().map(|(_, latest)| latest));
    let proposal = proposal.ok_or_else(|| usage(format!("`{project}` has no proposal yet")))?;
    let title = format!("{} ({project})", proposal.title.as_str());
    let blocks = Summary { state, found, proposal, decided }.blocks();
    Ok(match form {
        Form::Md => markdown(&title, &blocks),
        Form::Html => html(&title, &blocks),
    })
}

struct Summary<'a> {
    state: &'a RegisterState,
    found: &'a Project,
    proposal: &'a Proposal,
    decided: Option<&'a Decided>,
}

impl Summary<'_> {
    fn blocks(&self) -> Vec<Block> {
        let at = SystemClock.now();
        let mut blocks = vec![
            Block::Paragraph(format!(
                "Stand op {}: {}. Deze samenvatting komt uit het ondertekende register ({} documenten).",
                at.date(),
                self.found.state_at(at).as_str(),
                self.state.documents()
            )),
            heading("Waarom"),
            paragraph(self.proposal.cause.as_str()),
            paragraph(self.proposal.added_value.as_str()),
            Block::List(self.goals()),
            heading("Wat er eerder is geprobeerd"),
            Block::List(self.measures()),
            heading("Wie"),
            Block::List(self.participants()),
            heading("Waar en hoe lang"),
            Block::List(self.bounds()),
            heading("Welke gegevens"),
            self.data(),
        ];
        blocks.push(heading("Waarop wordt geselecteerd of geteld"));
        let predicates = &self.proposal.predicate;
        if predicates.is_empty() {
            blocks.push(paragraph("Er wordt alleen opgezocht."));
        }
        blocks.extend(predicates.iter().map(predicate));
        blocks.extend(self.outcome());
        blocks.push(heading("Uw rechten"));
        blocks.push(paragraph(
            "Een treffer is een signaal en nooit een besluit; een mens beoordeelt haar. U kunt de deelnemers vragen \
             welke gegevens over u zijn uitgewisseld (AVG artikel 15), en bezwaar maken of een klacht indienen bij \
             de Autoriteit Persoonsgegevens.",
        ));
        blocks
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
            let also = if one.partner == *responsible { " (verantwoordelijk)" } else { "" };
            format!("{}{also}: {}", self.name(&one.partner), one.role.as_str())
        };
        self.proposal.participant.iter().map(line).collect()
    }

    fn name(&self, oin: &Oin) -> String {
        self.state.enrolment(oin).map_or_else(|| oin.to_string(), |one| one.name.to_string())
    }

    fn bounds(&self) -> Vec<String> {
        let proposal = self.proposal;
        let area: Vec<_> = proposal.area.iter().map(ToString::to_string).collect();
        let mut bounds = vec![format!("gebied: {}", area.join(", "))];
        match self.decided.filter(|decided| decided.approves()) {
            Some(decided) => {
                let (first, last) = (decided.decision.valid_from, decided.last_day());
                bounds.push(format!("goedgekeurd door de LSI, van {first} tot en met {last}"));
                bounds.push(format!("besluit: {}", flat(decided.decision.reason.as_str())));
                if let Some(one) = &decided.extension {
                    bounds.push(format!(
                        "verlengd op {}: {}",
                        one.decided_on,
                        flat(one.reason.as_str())
                    ));
                }
            }
            None => bounds.push("de LSI heeft dit project niet goedgekeurd".to_owned()),
        }
        let quota = proposal.quota;
        bounds.push(format!(
            "ten hoogste {} vragen, over samen ten hoogste {} personen of objecten",
            quota.queries, quota.subjects
        ));
        bounds.push(format!("inzet: {}", proposal.capacity.as_str()));
        bounds
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
                format!("{} dagen", annex.retention_days),
            ]
        };
        let head = vec![
            "Leverancier",
            "Bestand",
            "Velden, en waarom",
            "Grondslag leverancier",
            "Grondslag ontvanger",
            "Bewaard",
        ];
        Block::Table(head, self.proposal.annex.iter().map(row).collect())
    }

    fn outcome(&self) -> Vec<Block> {
        let items = || self.found.feedback().iter().flat_map(|one| &one.item);
        let mut lines = Vec::new();
        if items().next().is_some() {
            let sum = |of: fn(&convenant_model::documents::FeedbackItem) -> u64| -> u64 {
                items().map(of).fold(0, u64::saturating_add)
            };
            let (hits, usable) = (sum(|one| one.hits), sum(|one| one.usable));
            let followed_up = sum(|one| one.followed_up);
            lines.push(format!(
                "teruggekoppeld: {hits} treffers, waarvan {usable} bruikbaar en {followed_up} met een vervolg"
            ));
        }
        for one in self.found.destructions() {
            let what = if one.complete {
                "alles".to_owned()
            } else {
                format!("{} antwoord(en)", one.item.len())
            };
            let (who, when) = (self.name(&one.partner), one.destroyed_at.date());
            lines
                .push(format!("vernietigd door {who} op {when}: {what} ({})", one.manner.as_str()));
        }
        let mut blocks = vec![heading("Wat het heeft opgeleverd")];
        if let Some(report) = self.found.report() {
            let precision = (report.confirmed * 100).checked_div(report.hits);
            let precision = precision.map_or_else(String::new, |one| format!(" ({one}%)"));
            lines.push(format!(
                "{} vragen over {} personen of objecten gaven {} treffers; {} klopten{precision}",
                report.queries, report.subjects, report.hits, report.confirmed
            ));
            lines.push(format!(
                "{} correcties in het voordeel van de burger",
                report.corrections_in_favour
            ));
            blocks.push(paragraph(report.summary.as_str()));
            blocks.push(paragraph(report.lessons.as_str()));
        }
        if lines.is_empty() {
            blocks.push(paragraph("Daarover staat nog niets in het register."));
        } else {
            blocks.push(Block::List(lines));
        }
        blocks
    }
}

fn heading(text: &str) -> Block {
    Block::Heading(text.to_owned())
}

fn paragraph(text: &str) -> Block {
    Block::Paragraph(flat(text))
}

fn predicate(one: &PublishedPredicate) -> Block {
    let expected = one.expected_hits;
    Block::List(vec![
        format!("{} (versie {}), in {}: {}", one.id, one.version, one.dataset, one.expression),
        format!("waar het naar zoekt: {}", flat(one.explanation.as_str())),
        format!("verwacht: {} tot {} treffers", expected.least, expected.most),
        format!("bekende vergissingen: {}", flat(one.false_positives.as_str())),
    ])
}

/// On one line, without control characters.
fn flat(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}

fn markdown(title: &str, blocks: &[Block]) -> String {
    let mut text = format!("# {}\n", escaped_md(title));
    for block in blocks {
        // Writing to a `String` does not fail.
        let _ = match block {
            Block::Heading(heading) => write!(text, "\n## {}\n", escaped_md(heading)),
            Block::Paragraph(paragraph) => write!(text, "\n{}\n", escaped_md(paragraph)),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("- {}\n", escaped_md(item)));
                write!(text, "\n{}", items.collect::<String>())
            }
            Block::Table(head, rows) => {
                let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
                let rule = line(head.iter().map(|_| "---".to_owned()).collect());
                let head = line(head.iter().map(|cell| (*cell).to_owned()).collect());
                let rows =
                    rows.iter().map(|row| line(row.iter().map(|one| escaped_md(one)).collect()));
                write!(text, "\n{head}{rule}{}", rows.collect::<String>())
            }
        };
    }
    text
}

/// So that nothing in a document of somebody else's becomes markup.
fn escaped_md(text: &str) -> String {
    let special = |c: char| "\\`*_{}[]<>#|~!&".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

const STYLE: &str = "\
body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #767676;padding:.4rem .6rem;\
text-align:left;vertical-align:top}";

fn html(title: &str, blocks: &[Block]) -> String {
    let title = escaped_html(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><main>\n\
         <h1>{title}</h1>\n"
    );
    for block in blocks {
        // Writing to a `String` does not fail.
        let _ = match block {
            Block::Heading(text) => writeln!(page, "<h2>{}</h2>", escaped_html(text)),
            Block::Paragraph(text) => writeln!(page, "<p>{}</p>", escaped_html(text)),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("<li>{}</li>", escaped_html(item)));
                writeln!(page, "<ul>{}</ul>", items.collect::<String>())
            }
            Block::Table(head, rows) => {
                let head = head.iter().map(|one| format!("<th scope=\"col\">{one}</th>"));
                let row = |row: &Vec<String>| {
                    let cells = row.iter().map(|one| format!("<td>{}</td>", escaped_html(one)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let rows: String = rows.iter().map(row).collect();
                writeln!(page, "<table><tr>{}</tr>{rows}</table>", head.collect::<String>())
            }
        };
    }
    page.push_str("</main></body></html>\n");
    page
}

fn escaped_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
