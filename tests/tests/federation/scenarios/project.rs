//! The proposal of a scenario.

use convenant_demo::{DecisionTerms, MandateTerms, ProjectSpec, documents};
use convenant_model::{
    Date, GoalId, Oin, ProjectId, ThemeId,
    covenant::Covenant,
    documents::{Annex, EarlierMeasure, Participant, Proposal, PublishedPredicate, Quota, tag},
    parse::BoundedText,
    query::QueryKind::{Count, Lookup, Select},
};
use convenant_testkit::today;

use super::data::Party;

/// What a scenario's project is about; the rest is the same for all.
pub(super) struct Outline<'a> {
    pub(super) id: &'a str,
    pub(super) theme: &'a str,
    pub(super) goal: &'a str,
    pub(super) area: Vec<String>,
    /// The first is responsible.
    pub(super) participants: &'a [Party],
    /// Provider, dataset, and the fields with commas between them.
    pub(super) annex: &'a [(Party, &'a str, &'a str)],
    /// Id, dataset, condition, explanation.
    pub(super) predicates: &'a [(&'a str, &'a str, &'a str, &'a str)],
}

impl Outline<'_> {
    /// Decided on for the usual year, from a month ago.
    pub(super) fn project(&self, covenant: &Covenant) -> ProjectSpec {
        self.project_from(covenant, today().unwrap().plus_days(-30), 11)
    }

    /// Decided on from a day, for so many months.
    pub(super) fn project_from(
        &self,
        covenant: &Covenant,
        start: Date,
        months: u16,
    ) -> ProjectSpec {
        let proposal = self.proposal(covenant, start, start.plus_months(months).plus_days(-1));
        let (valid_from, valid_until) = (proposal.start, proposal.end);
        let spec = ProjectSpec::approved(proposal, 500);
        let decision = spec.decision.map(|terms| DecisionTerms { extended: months > 12, ..terms });
        let mandate = Some(MandateTerms { valid_from, valid_until, max_subjects: 500 });
        ProjectSpec { decision, mandate, ..spec }
    }

    fn proposal(&self, covenant: &Covenant, start: Date, end: Date) -> Proposal {
        let participant = |party: &Party| {
            let role = text("onderzoekt en verstrekt");
            Participant { partner: Oin::new(party.oin).unwrap(), role }
        };
        let responsible = Oin::new(self.participants[0].oin).unwrap();
        Proposal {
            document: tag::Proposal::Proposal,
            project: ProjectId::new(self.id).unwrap(),
            version: 1,
            title: text(self.id),
            theme: ThemeId::new(self.theme).unwrap(),
            goals: [GoalId::new(self.goal).unwrap()].into(),
            cause: text("Signalen van bewoners"),
            earlier_measure: vec![EarlierMeasure {
                means: text("Huisbezoeken"),
                result: text("Te weinig resultaat zonder gegevens van de partners"),
                date: start.plus_days(-90),
            }],
            added_value: text("Alleen samen is het verschil te zien"),
            area: self.area.iter().map(|code| code.parse().unwrap()).collect(),
            participant: self.participants.iter().map(participant).collect(),
            proposed_by: [responsible.clone()].into(),
            responsible,
            start,
            end,
            quota: Quota { queries: 100, subjects: 2000, cells: 10 },
            capacity: text("Drie medewerkers"),
            municipal_reference: Some(text("Besluit van het college")),
            annex: self.annexes(covenant),
            predicate: self.predicates.iter().copied().map(published).collect(),
        }
    }

    fn annexes(&self, covenant: &Covenant) -> Vec<Annex> {
        let annex = |&(provider, dataset, fields): &(Party, &str, &str)| {
            let fields: Vec<_> = fields.split(',').map(|name| (name, "nodig")).collect();
            let grant = documents::Grant {
                provider: &Oin::new(provider.oin).unwrap(),
                dataset,
                kinds: &[Lookup, Select, Count],
                basis_provider: "Wet van de leverancier",
                basis_receiver: "Publieke taak van de ontvanger",
                fields: &fields,
            };
            grant.annex(covenant).unwrap()
        };
        self.annex.iter().map(annex).collect()
    }
}

fn published((id, dataset, condition, why): (&str, &str, &str, &str)) -> PublishedPredicate {
    documents::predicate(id, dataset, condition, why).unwrap()
}

pub(super) fn text<const N: usize>(text: &str) -> BoundedText<N> {
    BoundedText::new(text).unwrap()
}
