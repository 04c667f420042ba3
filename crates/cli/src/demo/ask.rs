//! Questions in short form, and queries that were bent after they were composed.

use anyhow::{Context as _, Result};
use convenant_client::compose::{Question, Subjects, TargetQuestion};
use convenant_exchange::QUERY_TYPE;
use convenant_model::{
    FieldName, GoalId, ProjectId,
    parse::BoundedText,
    query::{Query, QueryKind},
    subjects::Subject,
    vouching::Vouchers,
};
use convenant_signing::{SigningKey, canonical, sha256, sign_compact};

use super::stage::Stage;

pub(super) use convenant_client::compose::Composed;

/// The field that holds a BSN in every dataset of the example.
const BSN: &str = "burgerservicenummer";
/// The field of `gemeente/brp_persoon` that verifies a BSN.
const BIRTH: &str = "geboorte_datum";
/// The field of `gemeente/brp_persoon` that holds the BAG object.
const BAG_OBJECT: &str = "verblijfplaats_adresseerbaar_object_identificatie";

/// A question to one partner, in names.
#[derive(Clone, Default)]
pub(super) struct Ask<'a> {
    /// Short name of the partner; its one dataset is asked.
    pub(super) partner: &'a str,
    pub(super) fields: &'a [&'a str],
    pub(super) condition: &'a str,
    pub(super) about: About,
    /// Whether the partner is to vouch for whom it finds.
    pub(super) vouch: bool,
}

/// Whom a question is about.
#[derive(Clone, Default)]
pub(super) enum About {
    /// Whoever satisfies the condition.
    #[default]
    Nobody,
    /// These people, where the dataset verifies a BSN with the date of birth.
    Verified(Vec<Subject>),
    /// These people, where it has nothing to verify a BSN with.
    People(Vec<Subject>),
    /// Whoever lives here.
    Address(Subject),
    /// These people, with what vouches for them: one after the other, in the order of the vouchers.
    Vouched(Vec<Subject>, Vec<Vouchers>),
}

impl Ask<'_> {
    fn target(&self, stage: &Stage) -> Result<TargetQuestion> {
        let party = stage.partner(self.partner)?;
        let dataset = party.datasets.first().context("a partner without a dataset")?;
        let names = self.fields.iter().map(|name| FieldName::new(*name));
        let condition = Some(self.condition).filter(|condition| !condition.is_empty());
        Ok(TargetQuestion {
            partner: party.oin.clone(),
            dataset: dataset.clone(),
            fields: names.collect::<Result<_, _>>()?,
            predicate: condition.map(str::parse).transpose()?,
            subjects: self.about.subjects()?,
            vouch: self.vouch.then(|| FieldName::new(BSN)).transpose()?,
        })
    }
}

impl About {
    fn subjects(&self) -> Result<Option<Subjects>> {
        let mut vouchers = Vec::new();
        let (key, verified_by, list) = match self {
            Self::Nobody => return Ok(None),
            Self::Vouched(people, with) => {
                vouchers.clone_from(with);
                (BSN, None, people.clone())
            }
            Self::Verified(people) => (BSN, Some(FieldName::new(BIRTH)?), people.clone()),
            Self::People(people) => {
                let bare = |one: &Subject| Subject { key: one.key.clone(), verify: None };
                (BSN, None, people.iter().map(bare).collect())
            }
            Self::Address(address) => (BAG_OBJECT, None, vec![address.clone()]),
        };
        Ok(Some(Subjects { key: FieldName::new(key)?, verified_by, list, vouchers }))
    }
}

/// A question under the project that may ask.
pub(super) fn question(stage: &Stage, kind: QueryKind, asks: &[Ask<'_>]) -> Result<Question> {
    let project = stage.federation.spec.projects.first().context("there is no project")?;
    let text = "Controle van opgave en inschrijving op een adres waarover een melding kwam";
    Ok(Question {
        project: project.proposal.project.clone(),
        kind,
        targets: asks.iter().map(|ask| ask.target(stage)).collect::<Result<_>>()?,
        goal: Some(GoalId::new("toeslagenfraude")?),
        retention_days: None,
        justification: BoundedText::new(text).map_err(anyhow::Error::msg)?,
        delayed_disclosure: None,
        minutes: 10,
    })
}

/// The same under the project in which the IND takes part.
pub(super) fn of_migrants(stage: &Stage, asks: &[Ask<'_>]) -> Result<Question> {
    Ok(Question {
        project: ProjectId::new("P-2026-010")?,
        goal: Some(GoalId::new("overtreding-arbeidswetgeving")?),
        ..question(stage, QueryKind::Lookup, asks)?
    })
}

/// Signs a query again after it was changed: what somebody can send who does not use this client.
pub(super) fn bend(
    mut composed: Composed,
    key: &SigningKey,
    change: impl FnOnce(&mut Query) -> Result<()>,
) -> Result<Composed> {
    change(&mut composed.query)?;
    composed.signed = sign_compact(QUERY_TYPE, &canonical(&composed.query)?, key)?;
    composed.hash = sha256(composed.signed.as_bytes());
    Ok(composed)
}
