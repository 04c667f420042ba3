//! What the rules judge: facts about one target of a query, gathered from register and query by typed
//! code. They hold names, numbers and hashes, never a literal of a predicate and never a subject.

use std::collections::BTreeSet;

use convenant_model::{
    Date, Oin, Timestamp,
    covenant::{Dataset, Term},
    documents::{Enrolment, Mandate, Proposal},
    keys::VerifyingKey,
    query::{Query, QueryKind, Target},
    register::{Decided, Project, RegisterState},
};
use serde::Serialize;

use crate::{Request, Rules};

mod grant;
mod literals;

pub(crate) use grant::GrantFacts;
use literals::LiteralFacts;

/// Names, sorted, so that the same facts always have the same form.
pub(crate) type Set<'a> = BTreeSet<&'a str>;

/// Everything that the rules may speak of besides the covenant itself; `schema.cedarschema` says what
/// each member means.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Facts<'a> {
    pub(crate) requester: &'a Oin,
    pub(crate) requester_kind: &'a str,
    pub(crate) provider: &'a Oin,
    pub(crate) partners_today: BTreeSet<&'a Oin>,
    pub(crate) served: bool,
    pub(crate) today: i64,
    pub(crate) project: ProjectFacts<'a>,
    pub(crate) mandate: MandateFacts<'a>,
    pub(crate) grant: GrantFacts<'a>,
    pub(crate) query: QueryFacts<'a>,
    pub(crate) usage: UsageFacts,
}

/// What the LSI decided on. Empty, so that every rule about it refuses, while nothing was decided.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectFacts<'a> {
    pub(crate) approved: bool,
    pub(crate) proposal: String,
    pub(crate) theme: &'a str,
    pub(crate) goals: Set<'a>,
    pub(crate) participants: BTreeSet<&'a Oin>,
    pub(crate) responsible: Option<&'a Oin>,
    pub(crate) area_kinds: BTreeSet<String>,
    pub(crate) first_day: i64,
    pub(crate) last_day: i64,
    pub(crate) months_running: i64,
    pub(crate) extended: bool,
    pub(crate) quota_queries: i64,
    pub(crate) quota_subjects: i64,
    pub(crate) quota_cells: i64,
    pub(crate) suspended: bool,
    pub(crate) withheld: bool,
    pub(crate) ended: bool,
    pub(crate) days_to_destruction: i64,
    pub(crate) feedback_overdue: bool,
}

/// The mandate under which the query was signed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MandateFacts<'a> {
    pub(crate) given_by: BTreeSet<&'a Oin>,
    pub(crate) max_subjects: i64,
    pub(crate) roles: Set<'a>,
}

/// What is asked of one target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueryFacts<'a> {
    pub(crate) kind: &'a str,
    pub(crate) goal: &'a str,
    pub(crate) designated: bool,
    pub(crate) theme: &'a str,
    pub(crate) proposal: String,
    pub(crate) output: Set<'a>,
    pub(crate) tested: Set<'a>,
    pub(crate) used: Set<'a>,
    pub(crate) anchors: Set<'a>,
    #[serde(flatten)]
    pub(crate) literals: LiteralFacts<'a>,
    pub(crate) subjects: i64,
    pub(crate) keyed_by: Option<&'a str>,
    pub(crate) verified_by: Option<&'a str>,
    pub(crate) retention_days: i64,
    pub(crate) bsn_in_justification: bool,
    pub(crate) published: bool,
}

/// Use of the quota, with this query.
#[derive(Debug, Serialize)]
pub(crate) struct UsageFacts {
    pub(crate) queries: i64,
    pub(crate) subjects: i64,
    pub(crate) overdue: i64,
    pub(crate) cells: i64,
    pub(crate) days_since_counted: i64,
}

/// Days since something that never was.
pub(crate) const NEVER: i64 = 1_000_000;

impl<'a> Facts<'a> {
    /// Gathers the facts about one target.
    pub(crate) fn gather(
        rules: &'a Rules,
        state: &'a RegisterState,
        request: &Request<'a>,
        (index, target): (usize, &'a Target),
    ) -> Self {
        let query: &Query = request.query;
        let today = request.at.date();
        let dataset = rules.covenant.dataset(&target.dataset);
        let project = state.project(&query.project);
        let decided = project.and_then(Project::decided);
        let requester = &query.requester.partner;
        let published = is_published(decided, target);
        let designated = state.designated(&query.goal, today);
        let query_facts =
            QueryFacts { published, designated, ..QueryFacts::of(query, target, dataset) };
        let subjects = query_facts.subjects;
        Self {
            requester,
            requester_kind: state
                .enrolment(requester)
                .map_or("", |enrolment| enrolment.kind.as_str()),
            provider: &target.partner,
            partners_today: [requester, &target.partner]
                .into_iter()
                .filter(|oin| is_partner(rules, state, oin, request.at))
                .collect(),
            served: state
                .enrolment(&target.partner)
                .is_some_and(|enrolment| serves(enrolment, target)),
            today: days(today),
            project: project.zip(decided).map_or_else(ProjectFacts::none, |(project, one)| {
                let parties = [requester, &target.partner];
                let facts = ProjectFacts::of((project, one), request.at, parties);
                facts.with_terms(rules, (project, one), today)
            }),
            mandate: MandateFacts::of(state, project, query, request.at),
            grant: GrantFacts::of(decided, query, target, dataset, &query_facts.used),
            query: query_facts,
            usage: UsageFacts::after(request, index, subjects),
        }
    }
}

fn is_partner(rules: &Rules, state: &RegisterState, oin: &Oin, at: Timestamp) -> bool {
    let enrolment = state.enrolment_at(oin, at);
    enrolment.is_some_and(|enrolment| rules.covenant.lists(oin, enrolment.kind.as_str()))
}

/// Whether the project published the condition of a target word for word; without a condition there is
/// nothing to publish.
fn is_published(decided: Option<&Decided>, target: &Target) -> bool {
    let published = decided.map_or(&[][..], |decided| decided.proposal.predicate.as_slice());
    target.predicate.as_ref().is_none_or(|predicate| {
        let mut published = published.iter().filter(|one| one.dataset == target.dataset);
        published.any(|one| one.expression == *predicate)
    })
}

/// The first day of a project, whichever version is in force (clauses S11 and L6).
fn began(project: &Project, proposal: &Proposal) -> Date {
    project.began().unwrap_or(proposal.start)
}

fn serves(enrolment: &Enrolment, target: &Target) -> bool {
    let node = enrolment.node.as_ref();
    node.is_some_and(|node| node.datasets.contains(&target.dataset))
}

impl<'a> ProjectFacts<'a> {
    fn of(
        (project, decided): (&'a Project, &'a Decided),
        at: Timestamp,
        parties: [&'a Oin; 2],
    ) -> Self {
        let (proposal, decision) = (&decided.proposal, &decided.decision);
        let [_, provider] = parties;
        let left = |oin: &Oin| project.left_from(oin).is_some_and(|from| from <= at);
        let takes_part = |oin: &&Oin| proposal.takes_part(oin) && !left(oin);
        Self {
            approved: decided.approves(),
            proposal: decided.hash.to_string(),
            theme: proposal.theme.as_str(),
            goals: proposal.goals.iter().map(|goal| goal.as_str()).collect(),
            participants: parties.into_iter().filter(takes_part).collect(),
            responsible: Some(&proposal.responsible),
            area_kinds: proposal.area.iter().map(|code| format!("{:?}", code.kind())).collect(),
            first_day: days(decision.valid_from),
            last_day: days(decided.last_day()),
            months_running: months_between(began(project, proposal), at.date()),
            extended: decided.extended(),
            quota_queries: number(proposal.quota.queries),
            quota_subjects: number(proposal.quota.subjects),
            quota_cells: number(proposal.quota.cells),
            suspended: project.suspended(at).is_some(),
            withheld: project.withheld(provider, at).is_some(),
            ended: project.closed(at) || project.withdrawn(at),
            ..Self::default()
        }
    }

    /// The terms of clause L6, counted by the calendar from the project's first day.
    fn with_terms(
        self,
        rules: &Rules,
        (project, decided): (&Project, &Decided),
        today: Date,
    ) -> Self {
        let proposal = &decided.proposal;
        let first = began(project, proposal);
        let after = |term| first.plus_months(rules.covenant.months(term));
        let (destruction, feedback) = (after(Term::Destruction), after(Term::Feedback));
        Self {
            days_to_destruction: days(destruction).saturating_sub(days(today)),
            feedback_overdue: today > feedback && !project.all_reported(&proposal.responsible),
            ..self
        }
    }

    /// The facts of a project on which nothing was decided: no day lies within it, nobody takes part.
    fn none() -> Self {
        Self { last_day: -1, ..Self::default() }
    }
}

impl<'a> MandateFacts<'a> {
    /// Of several mandates for the same key, the widest counts: each holds by itself.
    /// A key that was revoked has none.
    fn of(
        state: &RegisterState,
        project: Option<&'a Project>,
        query: &'a Query,
        at: Timestamp,
    ) -> Self {
        let requester = &query.requester;
        let revoked = |key: &VerifyingKey| state.is_revoked(&requester.partner, key, at);
        let project = project.filter(|_| !revoked(&requester.key));
        let mandates =
            project.into_iter().flat_map(|project| project.mandates_of(&requester.key, at.date()));
        let own = |(mandate, _): &(&'a Mandate, _)| mandate.partner == requester.partner;
        let mut facts = Self::default();
        for (mandate, holder) in mandates.filter(own) {
            // Whom a leader named has no more of a mandate than the leader.
            let leader = mandate.under.and_then(|above| project?.leader_of(&above));
            if leader.is_some_and(|(_, leader)| revoked(&leader.key)) {
                continue;
            }
            facts.given_by.insert(&mandate.partner);
            facts.max_subjects = facts.max_subjects.max(i64::from(mandate.max_subjects));
            facts.roles.insert(holder.role.as_str());
        }
        facts
    }
}

impl<'a> QueryFacts<'a> {
    fn of(query: &'a Query, target: &'a Target, dataset: Option<&'a Dataset>) -> Self {
        let predicate = target.predicate.as_ref();
        let subjects = target.subjects.as_ref();
        let output: Set<'a> = target.fields.iter().map(|field| field.as_str()).collect();
        let tested: Set<'a> = predicate
            .map(|predicate| predicate.fields().iter().map(|f| f.as_str()).collect())
            .unwrap_or_default();
        Self {
            kind: query.kind.as_str(),
            goal: query.goal.as_str(),
            designated: false,
            theme: query.theme.as_str(),
            proposal: query.proposal.to_string(),
            used: output.union(&tested).copied().collect(),
            output,
            tested,
            anchors: anchors(target, dataset),
            literals: LiteralFacts::of(predicate, dataset),
            subjects: subjects.map_or(0, |shape| i64::from(shape.count)),
            keyed_by: subjects.map(|shape| shape.key.as_str()),
            verified_by: subjects
                .and_then(|shape| shape.verified_by.as_ref())
                .map(|field| field.as_str()),
            retention_days: i64::from(query.retention_days),
            bsn_in_justification: convenant_model::subjects::holds_bsn(
                query.justification.as_str(),
            ),
            published: false,
        }
    }
}

/// The fields that choose rows. A field of area does not: the project's area holds it already, and a
/// whole municipality or neighbourhood is bulk (S12).
fn anchors<'a>(target: &'a Target, dataset: Option<&Dataset>) -> Set<'a> {
    let areas = dataset.map_or(&[][..], |dataset| dataset.area.as_slice());
    let predicate = target.predicate.as_ref();
    predicate
        .map(|predicate| predicate.anchors())
        .unwrap_or_default()
        .into_iter()
        .filter(|field| areas.iter().all(|area| area.field != **field))
        .map(|field| field.as_str())
        .collect()
}

impl UsageFacts {
    fn after(request: &Request<'_>, index: usize, subjects: i64) -> Self {
        let used = request.used;
        let counts = request.query.kind == QueryKind::Count;
        let last = request.counted.get(index).copied().flatten().filter(|_| counts);
        let since = last.map(|last| days(request.at.date()).saturating_sub(days(last)));
        Self {
            queries: number(used.queries).saturating_add(1),
            subjects: number(used.subjects).saturating_add(subjects),
            overdue: number(used.overdue),
            cells: number(used.cells).saturating_add(i64::from(counts)),
            days_since_counted: since.unwrap_or(NEVER),
        }
    }
}

/// Cedar's numbers are of 64 bits with a sign; nothing is ever counted beyond them.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn days(date: Date) -> i64 {
    i64::from(date.days_since_epoch())
}

/// Whole calendar months from `start` to `today`; zero before the start. A day is within `n` months
/// exactly when this is less than `n`.
fn months_between(start: Date, today: Date) -> i64 {
    // No project of this register comes near a century.
    const MOST: u16 = 1200;
    let apart = days(today).saturating_sub(days(start));
    // No month is longer than 31 days, so at least this many have passed.
    let mut months = u16::try_from((apart / 31).clamp(0, i64::from(MOST))).unwrap_or(MOST);
    while months < MOST && start.plus_months(months + 1) <= today {
        months += 1;
    }
    i64::from(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_count_by_the_calendar() {
        let months = |start: &str, today: &str| {
            months_between(start.parse().unwrap(), today.parse().unwrap())
        };
        assert_eq!(months("2026-01-15", "2026-01-14"), 0);
        assert_eq!(months("2026-01-15", "2026-02-14"), 0);
        assert_eq!(months("2026-01-15", "2026-02-15"), 1);
        assert_eq!(months("2024-01-31", "2024-02-29"), 1);
        assert_eq!(months("2026-01-15", "2027-01-14"), 11);
        assert_eq!(months("2026-01-15", "2028-01-15"), 24);
        assert_eq!(months("2026-01-15", "9999-12-31"), 1200);
    }
}
