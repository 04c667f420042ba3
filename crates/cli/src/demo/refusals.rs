//! What the leader, or somebody with the leader's means, may not do. Each attempt names the clause that
//! has to stop it.

use anyhow::{Context as _, Result};
use convenant_client::compose::Question;
use convenant_model::{
    GoalId, ProjectId, ThemeId,
    query::{Query, QueryKind},
};
use convenant_signing::{SigningKey, SystemRandom};

use super::{
    ask::{About, Ask, bend, question},
    cast::Cast,
    seen::{By, Seen},
    stage::Stage,
};

/// Something that has to be refused.
pub(super) struct Attempt {
    /// What is tried, for people.
    pub(super) tried: &'static str,
    /// Who has to refuse.
    pub(super) by: By,
    /// The clause and the code of the refusal; no clause where it is no matter of the covenant.
    pub(super) expected: (&'static str, &'static str),
    ask: fn(&Stage, &Cast) -> Result<Question>,
    how: How,
}

/// How the question is sent.
enum How {
    /// As it is.
    Plainly,
    /// Changed after it was composed, and signed again by the leader.
    Bent(fn(&Stage, &mut Query) -> Result<()>),
    /// Signed by somebody in the same organisation whom no mandate names.
    ByStranger,
    /// A second time, after it was answered once.
    Twice,
}

/// The attempts, in the order of the story.
pub(super) const ATTEMPTS: [Attempt; 15] = [
    Attempt {
        tried: "Ask Rotterdam for the age of residents (`leeftijd`). The field exists, but the \
                project's data annex does not grant it.",
        by: By::Coordinator,
        expected: ("L1", "NIET_NOODZAKELIJK"),
        ask: |stage, cast| lookup(stage, cast, "rotterdam", &["leeftijd"]),
        how: How::Plainly,
    },
    Attempt {
        tried: "Ask for the description of a location (`verblijfadres_locatiebeschrijving`), which \
                the covenant keeps for another theme, holiday parks.",
        by: By::Coordinator,
        expected: ("S7", "THEMA"),
        ask: |stage, cast| lookup(stage, cast, "rotterdam", &["verblijfadres_locatiebeschrijving"]),
        how: How::Plainly,
    },
    Attempt {
        tried: "Select every resident of Rotterdam at once.",
        by: By::Coordinator,
        expected: ("S12", "BULK"),
        ask: |stage, _| select(stage, "gemeente_van_inschrijving = '0599'"),
        how: How::Plainly,
    },
    Attempt {
        tried: "Count three given people, to learn something about each of them.",
        by: By::Coordinator,
        expected: ("L4", "AFLEIDBAAR"),
        ask: |stage, cast| {
            let about = About::Verified(cast.residents.clone());
            count(stage, about, "verblijfplaats_functie_adres = 'W'")
        },
        how: How::Plainly,
    },
    Attempt {
        tried: "Count the residents of before once more, to see who came or went.",
        by: By::Coordinator,
        expected: ("L4", "AFLEIDBAAR"),
        ask: |stage, _| count(stage, About::Nobody, "verblijfplaats_functie_adres = 'W'"),
        how: How::Plainly,
    },
    Attempt {
        tried: "Write a BSN readably into the condition, where the coordinator would see it.",
        by: By::Coordinator,
        expected: ("L14", "BSN"),
        ask: |stage, cast| {
            let person = cast.residents.first().context("nobody to ask about")?;
            select(stage, &format!("burgerservicenummer = '{}'", person.key.expose()))
        },
        how: How::Plainly,
    },
    Attempt {
        tried: "Select people by nationality.",
        by: By::Coordinator,
        expected: ("L13", "ART9"),
        ask: |stage, _| select(stage, "nationaliteiten = '0131'"),
        how: How::Plainly,
    },
    Attempt {
        tried: "Seal a number that is no BSN. The coordinator cannot see it; the node can.",
        by: By::Node,
        expected: ("L14", "BSN"),
        ask: |stage, cast| {
            about(
                stage,
                "rotterdam",
                About::Verified(vec![cast.no_bsn.clone()]),
                &["naam_geslachtsnaam"],
            )
        },
        how: How::Plainly,
    },
    Attempt {
        tried: "Ask about 101 people at once; the mandate allows 100.",
        by: By::Coordinator,
        expected: ("S10", "QUOTUM"),
        ask: |stage, cast| about(stage, "toeslagen", About::People(cast.crowd.clone()), DECLARED),
        how: How::Plainly,
    },
    Attempt {
        tried: "Ask for project P-2026-002, on which the LSI has not decided.",
        by: By::Coordinator,
        expected: ("S4", "GEEN_LSI_BESLUIT"),
        ask: |stage, cast| lookup(stage, cast, "svb", &["leefvorm_aow"]),
        how: How::Bent(for_undecided),
    },
    Attempt {
        tried: "Ask for project P-2025-004, which has ended.",
        by: By::Coordinator,
        expected: ("S10", "VERLOPEN"),
        ask: |stage, cast| {
            let project = ProjectId::new("P-2025-004")?;
            Ok(Question { project, ..lookup(stage, cast, "toeslagen", DECLARED)? })
        },
        how: How::Plainly,
    },
    Attempt {
        tried: "Let a colleague ask, with a key that no mandate names.",
        by: By::Coordinator,
        expected: ("S6", "MANDAAT"),
        ask: |stage, cast| lookup(stage, cast, "toeslagen", DECLARED),
        how: How::ByStranger,
    },
    Attempt {
        tried: "Ask the IND, a partner of the covenant that does not take part in this project.",
        by: By::Coordinator,
        expected: ("S2", "GEEN_DEELNEMER"),
        ask: |stage, cast| lookup(stage, cast, "ind", &["datum_ingang"]),
        how: How::Plainly,
    },
    Attempt {
        tried: "Ask for a goal of the covenant that is not one of the project's: labour law.",
        by: By::Coordinator,
        expected: ("S3", "DOEL"),
        ask: |stage, cast| {
            let goal = Some(GoalId::new("overtreding-arbeidswetgeving")?);
            Ok(Question { goal, ..lookup(stage, cast, "toeslagen", DECLARED)? })
        },
        how: How::Plainly,
    },
    Attempt {
        tried: "Send a query again that was answered already, as a thief of it would.",
        by: By::Coordinator,
        expected: ("", "HERHAALDE_VRAAG"),
        ask: |stage, cast| lookup(stage, cast, "toeslagen", DECLARED),
        how: How::Twice,
    },
];

const DECLARED: &[&str] = &["aantal_medebewoners_opgegeven"];

impl Attempt {
    /// Tries it, and tells who refused and why.
    pub(super) async fn make(&self, stage: &Stage, cast: &Cast) -> Result<Seen> {
        let composed = stage.client.compose_anything((self.ask)(stage, cast)?)?;
        let composed = match self.how {
            How::Plainly => composed,
            How::Bent(change) => {
                bend(composed, &stage.federation.leader.key, |query| change(stage, query))?
            }
            How::ByStranger => {
                let stranger = SigningKey::generate(&SystemRandom::new())?;
                let key = stranger.verifying_key().clone();
                bend(composed, &stranger, |query| {
                    query.requester.key = key;
                    Ok(())
                })?
            }
            How::Twice => {
                stage.send(&composed).await.context("the first time")?;
                composed
            }
        };
        Seen::of(stage.send(&composed).await)
    }
}

fn lookup(stage: &Stage, cast: &Cast, partner: &str, fields: &[&str]) -> Result<Question> {
    let people = cast.residents.clone();
    let whom = if partner == "rotterdam" { About::Verified(people) } else { About::People(people) };
    about(stage, partner, whom, fields)
}

fn about(stage: &Stage, partner: &str, about: About, fields: &[&str]) -> Result<Question> {
    let ask = Ask { partner, fields, about, ..Ask::default() };
    question(stage, QueryKind::Lookup, &[ask])
}

fn count(stage: &Stage, about: About, condition: &str) -> Result<Question> {
    let ask = Ask { partner: "rotterdam", condition, about, ..Ask::default() };
    question(stage, QueryKind::Count, &[ask])
}

fn select(stage: &Stage, condition: &str) -> Result<Question> {
    let fields = &["verblijfadres_postcode", "verblijfadres_huisnummer"];
    let ask = Ask { partner: "rotterdam", fields, condition, ..Ask::default() };
    question(stage, QueryKind::Select, &[ask])
}

/// Names another project than the query was composed for. The client itself would not compose it.
fn for_undecided(stage: &Stage, query: &mut Query) -> Result<()> {
    let named = |document: &&convenant_demo::SignedDocument| document.name == "proposal-P-2026-002";
    let proposal = stage.federation.documents.iter().find(named).context("no such proposal")?;
    query.project = ProjectId::new("P-2026-002")?;
    query.proposal = proposal.hash();
    query.theme = ThemeId::new("leefbaarheid")?;
    query.goal = GoalId::new("uitkeringsfraude")?;
    Ok(())
}
