//! What a proposal needs to be admitted.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Envelope, Fault, Project, RegisterState,
    breach::{Breach, Check},
    deciding::check_open,
    signed::{Admission, read},
};
use crate::{
    covenant::{Class, Covenant, Dataset, Field, Term, Use},
    documents::{Annex, AnnexField, DocumentKind, Proposal, PublishedPredicate},
    ids::Oin,
    subjects::holds_bsn,
};

impl RegisterState {
    /// A proposal is signed by whoever proposes it, by the responsible partner, and by whoever is to
    /// provide data under it.
    pub(super) fn admit_proposal(&mut self, envelope: &impl Envelope) -> Admission {
        let mut check = Check::of(DocumentKind::Proposal);
        let proposal: Proposal = read(&mut check, envelope)?;
        for oin in proposal.signers() {
            self.signed(check.kind(), envelope, oin)?;
        }
        self.check_proposal(&mut check, &proposal);
        check.done()?;
        let (hash, id) = (envelope.payload_hash(), proposal.project.clone());
        self.projects.add(id.clone(), Arc::default());
        if let Some(project) = self.project_mut(&id) {
            project.propose(hash, Arc::new(proposal));
        }
        Ok(())
    }

    /// Everything that keeps a proposal from being admitted now, but for its signatures: what its author
    /// wants to know before asking anybody to sign.
    #[must_use]
    pub fn faults_of(&self, proposal: &Proposal) -> Vec<Fault> {
        let mut check = Check::of(DocumentKind::Proposal);
        check.texts(proposal);
        self.check_proposal(&mut check, proposal);
        check.faults()
    }

    fn check_proposal(&self, check: &mut Check, proposal: &Proposal) {
        let Some(covenant) = self.covenant.as_ref().map(|one| Arc::clone(&one.covenant)) else {
            return check.that(false, "document", Breach::NoCovenant);
        };
        check_partners(check, proposal);
        for (i, participant) in proposal.participant.iter().enumerate() {
            let (oin, place) = (&participant.partner, format!("participant[{i}].partner"));
            let enrolled = self.enrolments.contains_key(oin);
            check.that_of(enrolled, place.as_str(), Breach::NotEnrolled, oin);
            check.that_of(!self.departed.contains_key(oin), place.as_str(), Breach::Left, oin);
            let project = self.project(&proposal.project);
            let left = project.is_some_and(|project| project.left_from(oin).is_some());
            check.that_of(!left, place, Breach::LeftProject, oin);
        }
        check_version(check, self.project(&proposal.project), proposal);
        self.check_purpose(check, &covenant, proposal);
        let project = self.project(&proposal.project);
        check_term(check, &covenant, (project, proposal));
        for (i, annex) in proposal.annex.iter().enumerate() {
            check_annex(check, &covenant, proposal, (i, annex));
        }
        check_predicates(check, &covenant, proposal);
    }

    fn check_purpose(&self, check: &mut Check, covenant: &Covenant, proposal: &Proposal) {
        let theme = covenant.text().theme.iter().any(|theme| theme.id == proposal.theme);
        check.that_of(theme, "theme", Breach::UnknownTheme, &proposal.theme);
        check.that(!proposal.goals.is_empty(), "goals", Breach::Empty);
        for id in &proposal.goals {
            match covenant.goal(id) {
                None => check.that_of(false, "goals", Breach::UnknownGoal, id),
                Some(goal) => {
                    let term = proposal.start..=proposal.end;
                    let designations = self.designations.get(id).map_or(&[][..], Vec::as_slice);
                    let named = designations.iter().any(|one| {
                        one.valid_from <= *term.end() && one.valid_until >= *term.start()
                    });
                    let holds = !goal.needs_designation || named;
                    check.that_of(holds, "goals", Breach::NotDesignated, id);
                }
            }
        }
    }
}

impl Proposal {
    /// Whoever must sign it: who proposes, who is responsible, and who is to provide data.
    #[must_use]
    pub fn signers(&self) -> BTreeSet<&Oin> {
        let providers = self.annex.iter().map(|annex| &annex.provider);
        self.proposed_by.iter().chain(providers).chain([&self.responsible]).collect()
    }

    /// Whether an organisation takes part.
    #[must_use]
    pub fn takes_part(&self, oin: &Oin) -> bool {
        self.participant.iter().any(|one| one.partner == *oin)
    }

    /// The participants, each once.
    #[must_use]
    pub fn participants(&self) -> BTreeSet<&Oin> {
        self.participant.iter().map(|one| &one.partner).collect()
    }
}

impl Annex {
    /// Whether provider and receiver state the same basis: one partner's power does not serve the whole team
    /// (clause A3).
    #[must_use]
    pub fn shares_basis(&self) -> bool {
        let plain = |text: &str| text.trim().to_lowercase();
        plain(self.basis_provider.as_str()) == plain(self.basis_receiver.as_str())
    }
}

fn check_partners(check: &mut Check, proposal: &Proposal) {
    let partners = proposal.participants();
    check.that(partners.len() >= 2, "participant", Breach::FewPartners);
    let once = partners.len() == proposal.participant.len();
    check.that(once, "participant", Breach::Repeated);
    let responsible = proposal.takes_part(&proposal.responsible);
    check.that(responsible, "responsible", Breach::NoResponsible);
    check.that(!proposal.proposed_by.is_empty(), "proposed_by", Breach::Empty);
    for oin in &proposal.proposed_by {
        let takes_part = proposal.takes_part(oin);
        check.that_of(takes_part, "proposed_by", Breach::ForeignProposer, oin);
    }
}

/// Only whoever proposed a project may bring another version of it.
fn check_version(check: &mut Check, project: Option<&Project>, proposal: &Proposal) {
    let latest = project.and_then(Project::latest);
    let next = latest.map_or(1, |(_, latest)| latest.version + 1);
    check.that_of(proposal.version == next, "version", Breach::Version, next);
    let own = |oin: &Oin| proposal.proposed_by.contains(oin);
    let same = latest.is_none_or(|(_, latest)| latest.proposed_by.iter().any(own));
    check.that(same, "proposed_by", Breach::OtherProposers);
    if let Some(project) = project {
        check_open(check, project);
    }
}

fn check_term(
    check: &mut Check,
    covenant: &Covenant,
    (project, proposal): (Option<&Project>, &Proposal),
) {
    let (start, end) = (proposal.start, proposal.end);
    check.that(start <= end, "end", Breach::EndsBeforeStart);
    let months = covenant.months(Term::Longest);
    let counted = project.map_or(start, |project| project.counts_from(proposal));
    let limit = counted.plus_months(months);
    check.that_of(end < limit, "end", Breach::TooLong, format_args!("{months} m"));
    check.that(!proposal.area.is_empty(), "area", Breach::NoArea);
    let quota = proposal.quota;
    check.that(quota.queries > 0, "quota.queries", Breach::NoQuota);
    check.that(!proposal.earlier_measure.is_empty(), "earlier_measure", Breach::NoMeasure);
    for (i, measure) in proposal.earlier_measure.iter().enumerate() {
        let earlier = measure.date < start;
        check.that(earlier, format!("earlier_measure[{i}].date"), Breach::LateMeasure);
    }
}

fn check_annex(
    check: &mut Check,
    covenant: &Covenant,
    proposal: &Proposal,
    annex: (usize, &Annex),
) {
    let (i, annex) = annex;
    let place = |member: &str| format!("annex[{i}].{member}");
    let takes_part = proposal.takes_part(&annex.provider);
    check.that_of(takes_part, place("provider"), Breach::NotParticipant, &annex.provider);
    check.that(!annex.kinds.is_empty(), place("kinds"), Breach::Empty);
    check.that(!annex.field.is_empty(), place("field"), Breach::Empty);
    check.that(!annex.shares_basis(), place("basis_receiver"), Breach::SharedBasis);
    let limit = proposal.start.plus_months(covenant.months(Term::Destruction));
    let kept = proposal.start.plus_days(i32::from(annex.retention_days));
    check.that(kept <= limit, place("retention_days"), Breach::KeptTooLong);
    let Some(dataset) = covenant.dataset(&annex.dataset) else {
        return check.that_of(false, place("dataset"), Breach::UnknownDataset, &annex.dataset);
    };
    let written = !dataset.wpg || annex.wpg_decision.is_some();
    check.that(written, place("wpg_decision"), Breach::NoWpgDecision);
    check.that(!dataset.wjsg, place("dataset"), Breach::NoWeightyInterest);
    for (j, granted) in annex.field.iter().enumerate() {
        check_field(check, proposal, dataset, (&format!("annex[{i}].field[{j}]"), granted));
    }
}

fn check_field(
    check: &mut Check,
    proposal: &Proposal,
    dataset: &Dataset,
    granted: (&str, &AnnexField),
) {
    let (place, granted) = granted;
    let name = format!("{place}.name");
    let Some(field) = dataset.field(&granted.name) else {
        return check.that_of(false, name, Breach::UnknownField, &granted.name);
    };
    let of = |class| field.class != class;
    check.that_of(of(Class::Special), name.as_str(), Breach::SpecialCategory, &field.name);
    check.that_of(of(Class::Criminal), name.as_str(), Breach::CriminalData, &field.name);
    if field.usage == Use::Refused {
        return check.that_of(false, name, Breach::NotNecessary, &field.name);
    }
    let theme = field.themes.contains(&proposal.theme);
    check.that_of(theme, name, Breach::OtherTheme, &field.name);
    let same = field.category == Some(granted.category);
    check.that_of(same, format!("{place}.category"), Breach::WrongCategory, letter(field));
}

fn letter(field: &Field) -> String {
    field.category.map_or_else(String::new, |category| char::from(category).to_string())
}

fn check_predicates(check: &mut Check, covenant: &Covenant, proposal: &Proposal) {
    let mut seen = BTreeSet::new();
    for (i, predicate) in proposal.predicate.iter().enumerate() {
        let first = seen.insert((&predicate.id, predicate.version));
        check.that(first, format!("predicate[{i}].id"), Breach::Repeated);
        check_predicate(check, covenant, (i, predicate));
    }
}

fn check_predicate(
    check: &mut Check,
    covenant: &Covenant,
    published: (usize, &PublishedPredicate),
) {
    let (i, predicate) = published;
    let place = |member: &str| format!("predicate[{i}].{member}");
    let expected = predicate.expected_hits;
    let some = expected.least <= expected.most && expected.most > 0;
    check.that(some, place("expected_hits"), Breach::NoPredicate);
    let Some(dataset) = covenant.dataset(&predicate.dataset) else {
        return check.that_of(false, place("dataset"), Breach::UnknownDataset, &predicate.dataset);
    };
    for name in predicate.expression.fields() {
        let filterable = dataset.field(name).is_some_and(|field| field.filterable);
        check.that_of(filterable, place("expression"), Breach::NotFilterable, name);
    }
    for (name, literal) in predicate.expression.literals() {
        let text = literal.to_string();
        check.that_of(!holds_bsn(&text), place("expression"), Breach::HoldsBsn, name);
    }
}
