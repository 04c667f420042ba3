//! The decision itself: facts gathered, rules asked, and the answer turned into a verdict.

use std::sync::Arc;

use cedar_policy::{Response, Schema};
use convenant_model::{
    Date, Oin, Problem, Timestamp,
    entry::Usage,
    query::{Query, QueryKind, RegisterPosition, Target},
    register::{Project, RegisterState},
    verdict::{Obligations, Refusal, Violation},
};
use serde::Serialize;

use crate::{
    Combined, Rules, Verdict,
    asking::Said,
    compile::Origin,
    context::{self, context},
    details::Case,
    facts::Facts,
    obligations::{obligations, vouches_in_vain},
    verdict::{Outcome, Record, SUBJECTS, VOUCHERS},
};

/// A query that is to be decided on, with what the record needs to say of it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The query. Whoever calls has verified its signature and its freshness.
    pub query: &'a Arc<Query>,
    /// The query exactly as signed: a compact JWS.
    pub signed_query: &'a str,
    /// The instant of which the rules are asked. "Today" is its calendar day in the Netherlands.
    pub at: Timestamp,
    /// The party that decides.
    pub party: &'a Oin,
    /// The peer over whose connection the query came.
    pub peer: &'a Oin,
    /// What this party counted of the project's quota before this query.
    pub used: Usage,
    /// For each target, the day on which this party counted the same before; empty where it never did.
    pub counted: &'a [Option<Date>],
    /// The register that is decided with: that of the state passed beside the request.
    pub register: RegisterPosition,
}

/// What is wrong with a target whose query names somebody elsewhere.
const NAMES: &str = "een ander deel van de vraag noemt leesbaar een persoon of adres";
/// The same where a covenant has no rule for suspensions, and the clause that they belong to.
const SUSPENDED: &str = "het project, of wat de bevraagde partner erin levert, is opgeschort";
const DECISION: (&str, &str) = ("S4", "GEEN_LSI_BESLUIT");
/// What is wrong with a query whose people are to be told too late, and the clause with the last day.
const TOO_LATE: &str = "betrokkenen mogen niet later worden ingelicht dan op de dag waarop alles uit het project \
                        vernietigd moet zijn";
const DESTRUCTION: (&str, &str) = ("L6", "BEWAARTERMIJN");
/// What is wrong with a target that is to vouch for nobody's use.
const IN_VAIN: &str = "geen dataset in dit project neemt vouchers aan voor het gevraagde veld";

/// Decides on one target of a query: a pure function of its arguments.
///
/// Whatever keeps the rules from being asked refuses too: rules of another covenant than the register
/// holds, an error of the rules' engine, or a permit without an area to hold it in are
/// [`Problem::RuleError`], a target that the query does not have is [`Problem::Malformed`].
#[must_use]
pub fn decide(
    rules: &Rules,
    state: &RegisterState,
    request: &Request<'_>,
    target: usize,
) -> Verdict {
    let record = Arc::new(Record::new(rules, request));
    judge(rules, state, request, target, &record)
}

/// Decides on every target of a query, as the coordinator does. Subjects and numbers of targets that are
/// permitted count towards the quota of those after them; a target that is refused does not spoil the others.
#[must_use]
pub fn decide_all(rules: &Rules, state: &RegisterState, request: &Request<'_>) -> Combined {
    let record = Arc::new(Record::new(rules, request));
    let mut request = *request;
    // A query without targets gets one verdict, that it is malformed.
    let targets = request.query.targets.len().max(1);
    let verdicts = (0..targets).map(|target| {
        let verdict = judge(rules, state, &request, target, &record);
        if let Verdict::Permit(permit) = &verdict {
            let used = &mut request.used;
            used.subjects = used.subjects.saturating_add(permit.subjects());
            used.cells += u64::from(request.query.kind == QueryKind::Count);
        }
        verdict
    });
    let verdicts = verdicts.collect();
    Combined::new(record, verdicts)
}

fn judge(
    rules: &Rules,
    state: &RegisterState,
    request: &Request<'_>,
    target: usize,
    record: &Arc<Record>,
) -> Verdict {
    let index = u32::try_from(target).unwrap_or(u32::MAX);
    let Some(asked) = request.query.targets.get(target) else {
        let nothing = (rules.sha256)(&[]);
        return Verdict::new(record, index, nothing, Err(Outcome::Problem(Problem::Malformed)));
    };
    let facts = Facts::gather(rules, state, request, (target, asked));
    let slice = Slice { basis: &rules.basis, dataset: asked.dataset.as_str(), facts: &facts };
    let Ok(seen) = serde_json::to_vec(&slice) else {
        let nothing = (rules.sha256)(&[]);
        return Verdict::new(record, index, nothing, Err(Outcome::Problem(Problem::RuleError)));
    };
    let outcome = outcome(rules, state, request, asked, &facts);
    Verdict::new(record, index, (rules.sha256)(&seen), outcome)
}

fn outcome(
    rules: &Rules,
    state: &RegisterState,
    request: &Request<'_>,
    target: &Target,
    facts: &Facts<'_>,
) -> Result<Obligations, Outcome> {
    let unusable = Outcome::Problem(Problem::RuleError);
    let in_force = state.covenant().map(|covenant| covenant.hash);
    if in_force != Some(rules.covenant_hash) {
        return Err(unusable);
    }
    let said = rules.ask(request.query, target, facts).ok_or(unusable.clone())?;
    if said.errs {
        return Err(unusable);
    }
    let decided = state.project(&request.query.project).and_then(Project::decided);
    // Four things hold whatever the rules say of this target: ledgers keep the whole query, so no part of it
    // may name anybody; a suspension needs no amendment of the covenant; nobody vouches in vain; and nobody is
    // told later than the day by which nothing is left that telling could harm.
    match said.permits {
        true if request.query.may_name_a_person(&rules.covenant).is_some() => {
            let (covenant, detail) = (&rules.covenant, NAMES.to_owned());
            Err(Outcome::under(covenant, SUBJECTS, detail, Problem::Refused))
        }
        true if facts.project.suspended || facts.project.withheld => {
            let (covenant, detail) = (&rules.covenant, SUSPENDED.to_owned());
            Err(Outcome::under(covenant, DECISION, detail, Problem::Refused))
        }
        true if tells_too_late(request, facts) => {
            let (covenant, detail) = (&rules.covenant, TOO_LATE.to_owned());
            Err(Outcome::under(covenant, DESTRUCTION, detail, Problem::Refused))
        }
        true if vouches_in_vain(&rules.covenant, decided, target) => {
            let (covenant, detail) = (&rules.covenant, IN_VAIN.to_owned());
            Err(Outcome::under(covenant, VOUCHERS, detail, Problem::NotVouched))
        }
        true => obligations(&rules.covenant, decided, request.query, target).ok_or(unusable),
        false => {
            let case = Case::new(rules, state, request, target, facts);
            let violations = violations(rules, &said, &case).ok_or(unusable.clone())?;
            Err(Refusal::new(violations).map_or(unusable, Outcome::Refusal))
        }
    }
}

fn tells_too_late(request: &Request<'_>, facts: &Facts<'_>) -> bool {
    let delay = request.query.delayed_disclosure.as_ref();
    let last = facts.today.saturating_add(facts.project.days_to_destruction);
    delay.is_some_and(|delay| i64::from(delay.until.days_since_epoch()) > last)
}

/// A request as Cedar takes it, with the rules that judge it; a benchmark asks it by itself.
pub struct Bare<'a> {
    rules: &'a Rules,
    request: cedar_policy::Request,
}

impl Bare<'_> {
    /// The request itself, for trying what proofs about the rules assume of it.
    #[doc(hidden)]
    #[must_use]
    pub const fn request(&self) -> &cedar_policy::Request {
        &self.request
    }

    /// Asks the engine.
    #[must_use]
    pub fn ask(&self) -> Response {
        let rules = self.rules;
        rules.authorizer.is_authorized(&self.request, &rules.policies, &rules.entities)
    }
}

impl Rules {
    /// The request that a decision on a target asks the engine, for measuring the engine alone.
    #[doc(hidden)]
    #[must_use]
    pub fn bare<'a>(
        &'a self,
        state: &'a RegisterState,
        request: &Request<'a>,
        target: usize,
    ) -> Option<Bare<'a>> {
        let asked = request.query.targets.get(target)?;
        let facts = Facts::gather(self, state, request, (target, asked));
        let whole: (&dyn Fn(usize) -> bool, _) = (&|_| true, Some(&self.schema));
        let request = self.engine_request(request.query, asked, &facts, whole)?;
        Some(Bare { rules: self, request })
    }

    /// A request with those facts in its context that `read` holds of; the schema knows none but a whole one.
    fn engine_request(
        &self,
        query: &Query,
        target: &Target,
        facts: &Facts<'_>,
        (read, schema): (&dyn Fn(usize) -> bool, Option<&Schema>),
    ) -> Option<cedar_policy::Request> {
        let dataset = self.names.dataset(&target.dataset);
        let request = cedar_policy::Request::new(
            self.names.partner(facts.requester),
            self.names.action(query.kind).clone(),
            dataset.clone(),
            context(facts, &self.names, dataset, read)?,
            schema,
        );
        request.ok()
    }

    fn ask(&self, query: &Query, target: &Target, facts: &Facts<'_>) -> Option<Said> {
        let mut asked = Vec::new();
        for text in [facts.requester.as_str(), query.kind.as_str(), target.dataset.as_str()] {
            context::write(text, &mut asked);
        }
        let whole = || self.engine_request(query, target, facts, (&|_| true, Some(&self.schema)));
        debug_assert!(whole().is_some(), "facts are as the schema says");
        let engine = (&self.authorizer, &self.entities);
        let request =
            |read: &dyn Fn(usize) -> bool| self.engine_request(query, target, facts, (read, None));
        self.asking.ask(engine, (&asked, facts), request)
    }
}

/// One violation for each clause and code; `None` if a policy refuses that is none of the covenant's.
fn violations(rules: &Rules, said: &Said, case: &Case<'_>) -> Option<Vec<Violation>> {
    let origins: Option<Vec<&Origin>> =
        said.refusing.iter().map(|policy| rules.origins.get(policy)).collect();
    let violation = |origin: &Origin| Violation {
        clause: origin.clause.clone(),
        code: origin.code.clone(),
        text: origin.text.clone(),
        detail: case.detail(origin.clause.as_str(), &origin.code),
    };
    Some(origins?.into_iter().map(violation).collect())
}

/// What the rules saw, as it is hashed for the record.
#[derive(Serialize)]
struct Slice<'a> {
    /// Stands for the entities.
    basis: &'a str,
    dataset: &'a str,
    facts: &'a Facts<'a>,
}
