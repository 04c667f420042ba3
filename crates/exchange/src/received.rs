//! A query that was received: its signature holds, it is fresh, and it was written against a register
//! that this party knows.

use std::{collections::BTreeSet, sync::Arc};

use convenant_ledger::register::Register;
use convenant_model::{
    Digest, Oin, Problem, QueryId, Timestamp,
    entry::{Entry, Recordable, Rejected},
    query::{MAX_TARGETS, Query, is_traceparent},
    time::SKEW_SECONDS,
};
use convenant_signing::{JwsError, parse_canonical, peek_compact, sha256};

use crate::QUERY_TYPE;

/// Most bytes of a signed query; its entry must fit a ledger.
const MAX_SIGNED: usize = 24 << 10;

/// What this party knows when a query arrives.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// This party.
    pub party: &'a Oin,
    /// The peer over whose connection the query came.
    pub peer: &'a Oin,
    /// This party's register.
    pub register: &'a Register,
    /// The instant of arrival.
    pub at: Timestamp,
}

/// A query whose signature was verified under the key that it names. Whether that key holds a mandate
/// is for the covenant's rules.
#[derive(Clone, Debug)]
pub struct Received {
    query: Arc<Query>,
    signed: String,
    hash: Digest,
    peer: Oin,
    at: Timestamp,
}

/// A message that is no query to decide on. It is recorded as such.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Why.
    pub problem: Problem,
    /// What exactly, for people; no personal data.
    pub explanation: String,
    party: Oin,
    peer: Oin,
    at: Timestamp,
    message: Digest,
    query: Option<QueryId>,
}

impl Received {
    /// Takes a signed query.
    ///
    /// # Errors
    /// When it is malformed, its signature does not hold, it is not of this moment, or it was written
    /// against a register that is not a beginning of this party's.
    pub fn take(signed: String, view: &View<'_>) -> Result<Self, Box<Rejection>> {
        let reject = Reject { view, message: sha256(signed.as_bytes()) };
        let query = check_length(&signed).and_then(|()| read(&signed));
        let query = query.map_err(|(problem, fault)| reject.because(problem, None, fault))?;
        check(&query, view)
            .map_err(|(problem, fault)| reject.because(problem, Some(query.id), fault))?;
        let (peer, hash) = (view.peer.clone(), reject.message);
        Ok(Self { query: Arc::new(query), signed, hash, peer, at: view.at })
    }

    /// Turns a query that is in order down after all, for instance because it came before.
    #[must_use]
    pub fn reject(
        self,
        party: &Oin,
        problem: Problem,
        explanation: impl Into<String>,
    ) -> Rejection {
        Rejection {
            problem,
            explanation: explanation.into(),
            party: party.clone(),
            peer: self.peer,
            at: self.at,
            message: self.hash,
            query: Some(self.query.id),
        }
    }

    /// The query.
    #[must_use]
    pub const fn query(&self) -> &Arc<Query> {
        &self.query
    }

    /// The compact JWS exactly as received.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.signed
    }

    /// SHA-256 over the compact JWS.
    #[must_use]
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The peer that it came from.
    #[must_use]
    pub const fn peer(&self) -> &Oin {
        &self.peer
    }

    /// The instant of arrival, of which the rules are asked.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

impl Recordable for Rejection {
    fn entry(&self) -> Entry {
        Entry::Rejected(Rejected {
            party: self.party.clone(),
            peer: self.peer.clone(),
            at: self.at,
            problem: self.problem,
            message: self.message,
            query: self.query,
        })
    }
}

struct Reject<'a> {
    view: &'a View<'a>,
    message: Digest,
}

impl Reject<'_> {
    fn because(
        &self,
        problem: Problem,
        query: Option<QueryId>,
        explanation: String,
    ) -> Box<Rejection> {
        Box::new(Rejection {
            problem,
            explanation,
            party: self.view.party.clone(),
            peer: self.view.peer.clone(),
            at: self.view.at,
            message: self.message,
            query,
        })
    }
}

/// Whether a signed query whose signature holds is one to decide on: all that [`Received::take`] looks at beside
/// the signature, for whoever looks at that by himself.
///
/// # Errors
/// Like [`Received::take`].
pub fn check_signed(query: &Query, signed: &str, view: &View<'_>) -> Result<(), Problem> {
    let checked = check_length(signed).and_then(|()| check(query, view));
    checked.map_err(|(problem, _)| problem)
}

type Checked = Result<(), (Problem, String)>;

fn check_length(signed: &str) -> Checked {
    if signed.len() > MAX_SIGNED {
        let fault = format!("a signed query of {} bytes, of at most {MAX_SIGNED}", signed.len());
        return Err((Problem::Malformed, fault));
    }
    Ok(())
}

fn check(query: &Query, view: &View<'_>) -> Checked {
    check_shape(query)?;
    check_time(query, view)?;
    check_register(query, view)
}

fn read(signed: &str) -> Result<Query, (Problem, String)> {
    let unverified = peek_compact(signed, QUERY_TYPE).map_err(|error| jws(&error))?;
    let query: Query = parse_canonical(unverified.payload(), "query")
        .map_err(|error| (Problem::Malformed, error.to_string()))?;
    unverified.verify(&query.requester.key).map_err(|error| jws(&error))?;
    Ok(query)
}

fn jws(error: &JwsError) -> (Problem, String) {
    let problem = match error {
        JwsError::Signature | JwsError::OtherKey { .. } => Problem::BadSignature,
        _ => Problem::Malformed,
    };
    (problem, format!("the signed query: {error}"))
}

/// What holds of every query whatever the covenant says.
fn check_shape(query: &Query) -> Checked {
    let malformed = |fault: String| Err((Problem::Malformed, fault));
    if query.targets.is_empty() || query.targets.len() > MAX_TARGETS {
        return malformed(format!("a query has 1 to {MAX_TARGETS} targets"));
    }
    if query.trace.as_ref().is_some_and(|trace| !is_traceparent(trace.as_str())) {
        return malformed("`trace` is no `traceparent` (W3C Trace Context §3.2)".to_owned());
    }
    let delay = query.delayed_disclosure.as_ref();
    if delay.is_some_and(|delay| !delay.holds_on(query.created.date())) {
        return malformed("`delayed_disclosure` ends before the query was signed".to_owned());
    }
    let mut seen = BTreeSet::new();
    for target in &query.targets {
        if !seen.insert(&target.partner) {
            return malformed(format!("partner `{}` is asked twice in one query", target.partner));
        }
        let fields: BTreeSet<_> = target.fields.iter().collect();
        if fields.len() != target.fields.len() {
            return malformed(format!("a field of `{}` is named twice", target.dataset));
        }
        if target.vouch.as_ref().is_some_and(|key| !fields.contains(key)) {
            // A count has no fields, so nobody to vouch for.
            let dataset = &target.dataset;
            return malformed(format!(
                "of `{dataset}` is vouched for a field that is not asked for"
            ));
        }
        if target.subjects.as_ref().is_some_and(|subjects| subjects.count == 0) {
            return malformed("sealed subjects of which there are none".to_owned());
        }
    }
    Ok(())
}

fn check_time(query: &Query, view: &View<'_>) -> Checked {
    if query.created.seconds_since(view.at) > SKEW_SECONDS {
        return Err((Problem::NotYetValid, format!("created at {}, in the future", query.created)));
    }
    if query.expires <= view.at {
        return Err((Problem::Expired, format!("expired at {}", query.expires)));
    }
    let minutes = view
        .register
        .state()
        .covenant()
        .map_or(0, |covenant| i64::from(covenant.covenant.head().query_minutes));
    if query.expires.seconds_since(query.created) > minutes * 60 {
        let fault = format!("valid for longer than the {minutes} minutes that the covenant allows");
        return Err((Problem::NotYetValid, fault));
    }
    Ok(())
}

fn check_register(query: &Query, view: &View<'_>) -> Checked {
    if view.register.held(&query.register) {
        return Ok(());
    }
    let own = view.register.position().size;
    let asked = query.register.size;
    if asked > own {
        let fault =
            format!("written against a register of {asked} documents, this party has {own}");
        return Err((Problem::RegisterStale, fault));
    }
    let fault =
        format!("written against another register than this party's first {asked} documents");
    Err((Problem::RegisterForked, fault))
}
