//! The letter to a person: what several nodes tell, joined into one document in plain Dutch (B1). Who the person
//! is, it does not say: the office that asked knows, and puts a name above it.

use std::collections::{BTreeMap, BTreeSet};

use convenant_model::{Date, ProjectId, query::QueryKind};
use thiserror::Error;

use crate::{Ended, Exchanged, Report};

mod page;

pub use page::Format;
use page::Part;

/// Which letter cannot be written.
#[derive(Debug, Error)]
pub enum LetterError {
    /// There is nothing to join.
    #[error("there is no report")]
    Empty,
    /// Two reports of one node.
    #[error("partner `{0}` reports twice")]
    Twice(String),
    /// The reports are about requests of different names, so perhaps about different people.
    #[error("the reports name different requests: `{0}` and `{1}`")]
    Requests(String, String),
}

/// A letter.
#[derive(Debug)]
pub struct Letter {
    parts: Vec<Part>,
}

const TITLE: &str = "Overzicht van gegevens die over u zijn gevraagd";

/// The same in every letter, so that its presence says nothing.
const DELAY: &str = "Soms mag een organisatie u pas later vertellen dat er gegevens over u zijn gevraagd. Dat mag \
alleen als er nog een onderzoek loopt en dat onderzoek anders schade lijdt. De reden en de einddatum moeten dan al \
bij de vraag zijn vastgelegd (artikel 23 van de AVG en artikel 41 van de Uitvoeringswet AVG). Deze tekst staat in \
elke brief. U kunt er dus niet uit opmaken of dit bij u zo is.";

const RIGHTS: [&str; 4] = [
    "Inzage: u mag vragen welke gegevens een organisatie over u heeft. U mag daarvan een kopie krijgen.",
    "Correctie: klopt er iets niet? Dan mag u vragen om het te verbeteren. Soms mag u ook vragen om gegevens te \
     wissen of om ze een tijd niet te gebruiken.",
    "Bezwaar: bent u het er niet mee eens dat uw gegevens zijn gebruikt? Dan mag u bezwaar maken bij de organisatie \
     die uw gegevens vroeg of gaf.",
    "Klacht: u mag een klacht indienen bij de Autoriteit Persoonsgegevens (www.autoriteitpersoonsgegevens.nl). U \
     mag ook naar de rechter gaan.",
];

impl Letter {
    /// Joins reports, of one node each and all on one request.
    ///
    /// # Errors
    /// When there is none, or they do not belong together.
    pub fn of(reports: &[Report], today: Date) -> Result<Self, LetterError> {
        require_one_request(reports)?;
        let mut letter = Self { parts: Vec::new() };
        letter.introduction(reports, today);
        let told =
            reports.iter().flat_map(|report| report.exchanges.iter().map(move |e| (report, e)));
        let mut projects = BTreeMap::<&ProjectId, Vec<(&Report, &Exchanged)>>::new();
        for (report, exchanged) in told {
            projects.entry(&exchanged.project).or_default().push((report, exchanged));
        }
        if projects.is_empty() {
            letter.say("In dit overzicht staat geen vraag naar uw gegevens.");
        }
        for exchanges in projects.values_mut() {
            exchanges.sort_by_key(|(report, one)| (one.at, one.query, &report.party));
            letter.project(exchanges);
        }
        letter.end();
        Ok(letter)
    }

    /// The letter's text.
    #[must_use]
    pub fn text(&self, format: Format) -> String {
        page::written(&self.parts, format)
    }

    fn say(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Paragraph(text.into()));
    }

    fn introduction(&mut self, reports: &[Report], today: Date) {
        self.parts.push(Part::Title(TITLE.to_owned()));
        self.say(format!("Datum: {}", dutch(today)));
        if let Some(reference) = reports.iter().find_map(|report| report.reference.as_ref()) {
            self.say(format!("Ons kenmerk: {reference}"));
        }
        self.say(
            "U wilt weten of organisaties in een samenwerking gegevens over u hebben gevraagd. In dit overzicht \
             leest u wie wat vroeg, en waarom.",
        );
        self.say("Wij keken in de administratie van:");
        let own = |report: &Report| {
            let since = report.since.map(|since| dutch(since.date()));
            let since = since.map_or_else(
                || "houdt dit bij, maar heeft nog niets genoteerd".to_owned(),
                |since| format!("de oudste aantekening is van {since}"),
            );
            format!("{} ({since}; bekeken op {})", report.name, dutch(report.at.date()))
        };
        self.parts.push(Part::List(reports.iter().map(own).collect()));
    }

    fn project(&mut self, exchanges: &[(&Report, &Exchanged)]) {
        let Some((_, first)) = exchanges.first() else {
            return;
        };
        let title = if first.title.is_empty() { "zonder titel" } else { &first.title };
        self.parts.push(Part::Heading(format!("Project “{title}” ({})", first.project)));
        let goals: BTreeSet<_> = exchanges.iter().map(|(_, one)| one.goal.as_str()).collect();
        goals.into_iter().for_each(|goal| self.say(format!("Doel: {goal}")));
        let themes: BTreeSet<_> = exchanges.iter().map(|(_, one)| one.theme.as_str()).collect();
        themes.into_iter().for_each(|theme| self.say(format!("Onderwerp: {theme}")));
        for (report, one) in exchanges {
            self.say(format!(
                "Op {} vroeg {} gegevens bij {}.",
                dutch(one.at.date()),
                one.recipient_name,
                report.name
            ));
            self.parts.push(Part::List(details(one)));
        }
    }

    fn end(&mut self) {
        self.parts.push(Part::Heading("Goed om te weten".to_owned()));
        self.say(
            "Er staat wat er is gevraagd. Dat betekent niet dat er ook iets over u is gevonden. Is er iets \
             gevonden? Dan moet altijd eerst een mens ernaar kijken. Pas daarna mag er iets mee gebeuren.",
        );
        self.say(DELAY);
        self.parts.push(Part::Heading("Uw rechten".to_owned()));
        self.parts.push(Part::List(RIGHTS.map(str::to_owned).to_vec()));
        self.say("Wilt u iets vragen of laten aanpassen? Neem dan contact op met de organisatie die deze brief stuurt.");
    }
}

fn details(one: &Exchanged) -> Vec<String> {
    let source =
        if one.dataset_title.is_empty() { one.dataset.as_str() } else { &one.dataset_title };
    let mut list = vec![format!("Waar de gegevens vandaan komen: {source}"), asked(one)];
    let grounds = [
        ("Waarom de gegevens mochten worden gegeven", &one.basis_provider),
        ("Waarom de gegevens mochten worden gevraagd", &one.basis_receiver),
    ];
    let known = grounds.into_iter().filter(|(_, ground)| !ground.is_empty());
    list.extend(known.map(|(what, ground)| format!("{what}: {ground}")));
    list.push(match one.ended {
        Ended::Answered => "Er is een antwoord gegeven.".to_owned(),
        Ended::InPart => {
            "Het antwoord is afgebroken. Een deel van de gegevens kan wel zijn gegeven.".to_owned()
        }
        Ended::Unanswered => "Er is geen antwoord gegeven.".to_owned(),
        Ended::Unknown => {
            "Door een storing weten wij niet of er een antwoord is gegeven.".to_owned()
        }
    });
    list.extend(one.keep_until.map(|day| {
        format!("{} mag het antwoord bewaren tot en met {}.", one.recipient_name, dutch(day))
    }));
    list.extend(
        one.destroyed_on.map(|day| format!("Het antwoord is vernietigd op {}.", dutch(day))),
    );
    list
}

fn asked(one: &Exchanged) -> String {
    if one.kind == QueryKind::Count {
        return "Wat is gevraagd: alleen een aantal, dus niets over u alleen".to_owned();
    }
    let fields = one.fields.iter().map(|field| field.as_str().replace('_', " "));
    format!("Wat is gevraagd: {}", fields.collect::<Vec<_>>().join(", "))
}

fn require_one_request(reports: &[Report]) -> Result<(), LetterError> {
    let first = reports.first().ok_or(LetterError::Empty)?;
    let name =
        |report: &Report| report.reference.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut parties = BTreeSet::new();
    for report in reports {
        if report.reference != first.reference {
            return Err(LetterError::Requests(name(first), name(report)));
        }
        if !parties.insert(&report.party) {
            return Err(LetterError::Twice(report.party.to_string()));
        }
    }
    Ok(())
}

const MONTHS: [&str; 12] = [
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
];

/// A day as a letter writes it: `2 maart 2026`.
fn dutch(day: Date) -> String {
    let text = day.to_string();
    let mut parts = text.split('-').map(|part| part.trim_start_matches('0'));
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok());
    let month = month.and_then(|month| MONTHS.get(month.checked_sub(1)?));
    match (year, month, day) {
        (Some(year), Some(month), Some(day)) => format!("{day} {month} {year}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_out() {
        let shown = |day: &str| dutch(day.parse().unwrap());
        assert_eq!(shown("2026-03-02"), "2 maart 2026");
        assert_eq!(shown("2027-12-31"), "31 december 2027");
    }
}
