//! An exchange in words that the register and the covenant have for it.

use convenant_model::{
    Date, Oin, Timestamp,
    documents::{Annex, Proposal},
    entry::Status,
    kept::last_day,
    parse::BoundedText,
    query::{Query, QueryKind, Target},
    register::{Answer, Project, RegisterState},
};

use crate::{
    held::{End, Held},
    report::{Ended, Exchanged},
};

/// Who reports, and when.
#[derive(Clone, Debug)]
pub struct Reporting<'a> {
    /// The partner whose node it is.
    pub party: &'a Oin,
    /// The register.
    pub state: &'a RegisterState,
    /// Now.
    pub at: Timestamp,
    /// What the office calls the request.
    pub reference: Option<BoundedText<100>>,
}

impl Reporting<'_> {
    /// `None` where the query has no such target.
    pub(crate) fn exchanged(&self, held: &Held) -> Option<Exchanged> {
        let query = &held.query;
        let target = query.targets.get(held.target as usize)?;
        let covenant = self.state.covenant().map(|one| &one.covenant);
        let dataset = covenant.and_then(|covenant| covenant.dataset(&target.dataset));
        let goal = covenant.and_then(|covenant| covenant.goal(&query.goal));
        let theme = covenant.and_then(|covenant| covenant.theme(&query.theme));
        let proposal = self.project(query).and_then(|project| project.proposal(&query.proposal));
        let annex = proposal.and_then(|proposal| annex(proposal, target));
        let recipient = &query.requester.partner;
        Some(Exchanged {
            at: held.at,
            query: query.id,
            project: query.project.clone(),
            title: proposal.map(|proposal| proposal.title.to_string()).unwrap_or_default(),
            goal: goal.map_or_else(|| query.goal.to_string(), |goal| goal.text.to_string()),
            theme: theme.map_or_else(|| query.theme.to_string(), |theme| theme.text.to_string()),
            basis_provider: annex.map(|one| one.basis_provider.to_string()).unwrap_or_default(),
            basis_receiver: annex.map(|one| one.basis_receiver.to_string()).unwrap_or_default(),
            kind: query.kind,
            dataset: target.dataset.clone(),
            dataset_title: dataset.map(|one| one.title.to_string()).unwrap_or_default(),
            fields: target.fields.clone(),
            recipient: recipient.clone(),
            recipient_name: self.name_of(recipient),
            ended: ended(held),
            keep_until: keep_until(held),
            destroyed_on: self.destroyed_on(held),
        })
    }

    pub(crate) fn name_of(&self, oin: &Oin) -> String {
        let enrolment = self.state.enrolment(oin);
        enrolment.map_or_else(|| oin.to_string(), |enrolment| enrolment.name.to_string())
    }

    fn project(&self, query: &Query) -> Option<&Project> {
        self.state.project(&query.project)
    }

    /// The day on which the recipient destroyed the answer, by the first record of it.
    fn destroyed_on(&self, held: &Held) -> Option<Date> {
        let ended = held.end.as_ref().filter(|end| end.status == Status::Answered);
        let (query, at) = (&held.query, ended?.at);
        let (provider, receiver) = (self.party.clone(), query.requester.partner.clone());
        let answer = Answer { query: query.id, provider, receiver, at };
        self.project(query)?.destroyed(&answer, self.at).map(Timestamp::date)
    }
}

fn annex<'a>(proposal: &'a Proposal, target: &Target) -> Option<&'a Annex> {
    let of = |annex: &&Annex| annex.provider == target.partner && annex.dataset == target.dataset;
    proposal.annex.iter().find(of)
}

fn ended(held: &Held) -> Ended {
    match &held.end {
        Some(End { status: Status::Answered, .. }) => Ended::Answered,
        Some(End { chunks: 1.., .. }) => Ended::InPart,
        Some(_) => Ended::Unanswered,
        None => Ended::Unknown,
    }
}

/// What a crash left without an end may have been answered. A number is about nobody.
fn keep_until(held: &Held) -> Option<Date> {
    let at = match (ended(held), &held.end) {
        (Ended::Unanswered, _) => return None,
        (_, Some(end)) => end.at,
        (_, None) => held.at,
    };
    let days = held.query.retention_days;
    (held.query.kind != QueryKind::Count).then(|| last_day(at, days))
}
