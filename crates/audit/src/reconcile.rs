//! The ledgers of different parties held against each other: the same query, the same decision chain,
//! the same bytes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use convenant_model::{Digest, Oin, Problem, QueryId, Timestamp, vouching::VouchedBy};

use crate::{
    Code, Finding, LedgerKind, LedgerName, Place, RegisterEvidence,
    account::{Asked, Decided, Ruling, Stated},
    early::Early,
    receipt::Received,
    times::{self, Source},
    told::{Parties, Told},
};

/// Holds every ledger against those that should say the same, but for what is told of as a whole: that the coordinator's
/// ends early.
pub(crate) fn reconcile(
    ledgers: &[&Told],
    (early, over): (Option<&Early<'_>>, &HashSet<QueryId>),
    findings: &mut impl Extend<Finding>,
) {
    let of = |kind| ledgers.iter().copied().filter(move |ledger| ledger.name.kind == kind);
    let reconciling = Reconciling { parties: Parties::new(ledgers), early, over };
    let (mut received, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut unpermitted = BTreeSet::new();
    for ledger in of(LedgerKind::Receipts) {
        for receipt in &ledger.receipts {
            let at = At { ledger, query: receipt.query, target: receipt.target };
            // A query that is sent again is turned down, and that has a receipt too: no second answer, and
            // no receipt of the first.
            let again = [Problem::Replayed, Problem::Expired];
            if !matches!(&receipt.stated, Stated::Failed(problem) if again.contains(problem)) {
                received.insert((receipt.query, receipt.target));
            }
            if receipt.outcome.is_some() && !told.insert((receipt.query, receipt.target)) {
                findings.extend([at.say(Code::ReceivedTwice).entry(receipt.index)]);
            }
            if reconciling.receipt(at, receipt, findings) == Some(Code::MissingAtCoordinator) {
                unpermitted.insert((receipt.query, receipt.target));
            }
        }
    }
    let whole = of(LedgerKind::Receipts).filter(|one| !one.is_cut);
    let requesters: BTreeSet<_> = whole.map(|one| &one.name.party).collect();
    if let Some(ledger) = reconciling.parties.coordinator {
        for (query, decided) in &ledger.decided {
            let kept = requesters.contains(&decided.ruled.requester);
            for (target, asked) in (0..).zip(&*decided.ruled.targets) {
                let at = At { ledger, query: *query, target };
                findings.extend(reconciling.permitted(at, decided, asked));
                let answered = decided.result(target).is_some_and(|one| one.stated.answered());
                if kept && answered && !received.contains(&(*query, target)) {
                    findings.extend([at.say(Code::NoReceipt).entry(decided.index)]);
                }
            }
        }
    }
    for node in of(LedgerKind::Node) {
        for (query, decided) in &node.decided {
            findings.extend(reconciling.asked_by(node, *query, decided, &unpermitted));
            findings.extend(reconciling.decided_before(node, *query, decided));
            findings.extend(reconciling.vouched(node, *query, decided));
        }
    }
}

/// The ledgers that were not handed over of parties that, as those tell that were, answered or were answered. Without
/// this, who leaves his ledger away would be found less than who hands over a false one. Of each, the first place that
/// says so.
pub(crate) fn missing(ledgers: &[&Told], register: &RegisterEvidence, wanted: &mut Wanted) {
    // A party that nobody enrolled has no ledger, and whoever names it is told of.
    let known = |party: &Oin| register.register().state().enrolment(party).is_some();
    let mut want = |kind, party: &Oin, ledger: &Told, entry| {
        let name = LedgerName::new(kind, party.clone());
        if ledgers.iter().any(|ledger| ledger.name == name) || !known(party) {
            return;
        }
        let place = Place { ledger: ledger.name.clone(), entry };
        let first = wanted.entry(name).or_insert_with(|| place.clone());
        if place < *first {
            *first = place;
        }
    };
    // Nothing comes to a node or to a requester but through a coordinator.
    if !ledgers.iter().any(|ledger| ledger.name.kind == LedgerKind::Coordinator) {
        for ledger in ledgers {
            let decided = ledger.decided.values().map(|decided| decided.index).min();
            let received = ledger.receipts.iter().filter(|receipt| receipt.outcome.is_some());
            if let Some(entry) = decided.or(received.map(|receipt| receipt.index).min()) {
                register
                    .coordinators()
                    .for_each(|party| want(LedgerKind::Coordinator, party, ledger, entry));
            }
        }
    }
    for ledger in ledgers {
        for decided in ledger.decided.values() {
            let Some(ended) = &decided.ended else { continue };
            for result in ended.results.iter().filter(|result| result.stated.answered()) {
                if let Some(target) = decided.target(result.target) {
                    want(LedgerKind::Node, &target.partner, ledger, ended.index);
                }
                want(LedgerKind::Receipts, &decided.ruled.requester, ledger, ended.index);
            }
        }
        for receipt in ledger.receipts.iter().filter(|receipt| receipt.outcome.is_some()) {
            want(LedgerKind::Node, &receipt.partner, ledger, receipt.index);
        }
    }
}

/// Ledgers that were not handed over, and of each the first place that tells of it.
pub(crate) type Wanted = BTreeMap<LedgerName, Place>;

/// Tells of the ledgers that were not handed over.
pub(crate) fn tell(wanted: Wanted) -> impl Iterator<Item = Finding> {
    wanted.into_iter().map(|(missing, place)| {
        let told = format!("{}, entry={}", place.ledger, place.entry);
        Finding::new(Code::LedgerMissing, missing).expected(told)
    })
}

struct Reconciling<'a> {
    parties: Parties<'a>,
    /// What is told of as a whole, because the coordinator's ledger ends before it.
    early: Option<&'a Early<'a>>,
    /// The exchanges that are over, of which the ledgers no longer tell here.
    over: &'a HashSet<QueryId>,
}

/// One target of one query, as one ledger tells of it.
#[derive(Clone, Copy)]
struct At<'a> {
    ledger: &'a Told,
    query: QueryId,
    target: u32,
}

impl At<'_> {
    fn say(self, code: Code) -> Finding {
        Finding::new(code, &self.ledger.name).query(self.query)
    }
}

impl Reconciling<'_> {
    /// A target that the coordinator permitted, held against the ledger of its node.
    fn permitted(&self, at: At<'_>, decided: &Decided, asked: &Asked) -> Option<Finding> {
        let node = self.parties.nodes.get(&asked.partner).filter(|_| asked.permitted())?;
        let result = decided.result(at.target);
        let Some(theirs) = node.decided.get(&at.query) else {
            if node.is_silent_of(decided.at) {
                return None;
            }
            let proven = result.is_some_and(|one| proves_decision(&one.stated, one.sent.chunks));
            let code = if proven { Code::MissingAtNode } else { Code::NotReached };
            let entry = decided.ended.as_ref().map_or(decided.index, |ended| ended.index);
            let told = result.map_or_else(|| "status=open".to_owned(), ToString::to_string);
            let finding = at.say(code).entry(entry).expected(held(None, &node.name)).found(told);
            return (proven || !node.rejected.contains(&at.query)).then_some(finding);
        };
        if theirs.signed != decided.signed {
            let finding = at.say(Code::OtherQuery).entry(decided.index);
            let own = format!("{} in {}", query_hash(&theirs.signed), node.name);
            return Some(finding.expected(own).found(query_hash(&decided.signed)));
        }
        let (told, own) = (result?, ended(theirs, at.target)?);
        let entry = decided.ended.as_ref()?.index;
        let expected = || format!("{own} in {}", node.name);
        let say = |code| Some(at.say(code).entry(entry).expected(expected()).found(told));
        match (&told.stated, &own.stated) {
            (Stated::Answered, Stated::Answered) if Some(told.sent) == own.sent => {
                ended_before(at, decided, (node, theirs))
            }
            (Stated::Answered | Stated::Refused(_), _) if told.stated != own.stated => {
                say(Code::OutcomesDiffer)
            }
            (Stated::Answered, _) => say(Code::OutcomesDiffer),
            (Stated::Failed(_), Stated::Answered) => say(Code::NotDelivered),
            _ => None,
        }
    }

    /// A decision of a node on a query that the coordinator must have permitted before. Of a refusal among those that
    /// are `told` of, a receipt says the same.
    fn asked_by(
        &self,
        node: &Told,
        query: QueryId,
        decided: &Decided,
        told: &BTreeSet<(QueryId, u32)>,
    ) -> Option<Finding> {
        let coordinator = self.parties.coordinator?;
        let target = (0..).zip(&*decided.ruled.targets).find(|(_, asked)| asked.ruling.is_some());
        let (target, asked) = target?;
        let theirs = coordinator.decided.get(&query).and_then(|one| one.target(target));
        if theirs.is_none() && (coordinator.is_cut || self.ends_before(query)) {
            return None;
        }
        if !asked.permitted() && told.contains(&(query, target)) {
            return None;
        }
        let permitted = theirs.is_some_and(Asked::permitted);
        // A refusal gave nothing away; that somebody asked past the coordinator is worth a look.
        let code =
            if asked.permitted() { Code::MissingAtCoordinator } else { Code::RefusedUnasked };
        let finding = Finding::new(code, &node.name).entry(decided.index).query(query);
        let finding = finding.found(decided.ruled.asker());
        (!permitted).then(|| finding.expected(format!("verdict=permit in {}", coordinator.name)))
    }

    /// A decision of a node that states an earlier time than the coordinator's, which it followed.
    fn decided_before(&self, node: &Told, query: QueryId, decided: &Decided) -> Option<Finding> {
        let coordinator = self.parties.coordinator?;
        let permit = coordinator.decided.get(&query)?;
        let finding = Finding::new(Code::TimesDisagree, &node.name).entry(decided.index);
        let source = Source { at: permit.at, ledger: &coordinator.name, entry: permit.index };
        times::before(decided.at, source, finding.query(query))
    }

    /// A permit of a node for vouched subjects, held against the ledgers of whoever vouched: each permitted
    /// that answer, to the same requester, and undertook to vouch for it (clause S10).
    fn vouched(&self, node: &Told, query: QueryId, decided: &Decided) -> Option<Finding> {
        let permits = decided.ruled.targets.iter().filter_map(|asked| match &asked.ruling {
            Some(Ruling::Permit { vouched: true, vouched_by, .. }) => Some(vouched_by),
            _ => None,
        });
        let finding = |code| Finding::new(code, &node.name).entry(decided.index).query(query);
        permits.into_iter().find_map(|vouched_by| {
            if vouched_by.is_empty() {
                return Some(finding(Code::Unvouched));
            }
            let unknown = vouched_by.iter().find(|one| self.never_vouched(one, decided))?;
            let found = format!("issuer={} query={}", unknown.issuer, unknown.query);
            Some(finding(Code::NeverVouched).found(found))
        })
    }

    /// Whether the issuer's own ledger, where there is one, holds no permit to vouch.
    fn never_vouched(&self, by: &VouchedBy, decided: &Decided) -> bool {
        let Some(issuer) = self.parties.nodes.get(&by.issuer) else {
            return false;
        };
        let answered = issuer.decided.get(&by.query);
        let unread = answered.is_none() && issuer.is_silent_of(decided.at);
        if unread && !self.over.contains(&by.query) {
            return false;
        }
        if issuer.vouched.contains(&(by.query, decided.ruled.requester.clone())) {
            return false;
        }
        let answered = answered.filter(|one| one.ruled.requester == decided.ruled.requester);
        !answered.iter().flat_map(|one| &*one.ruled.targets).any(Asked::vouches)
    }

    /// Whether it is told of as a whole that the coordinator's ledger ends before this query.
    fn ends_before(&self, query: QueryId) -> bool {
        self.early.is_some_and(|early| early.tells(query))
    }

    /// Holds a receipt against the ledgers of coordinator and node; gives what the first of them contradicts.
    fn receipt(
        &self,
        at: At<'_>,
        receipt: &Received,
        findings: &mut impl Extend<Finding>,
    ) -> Option<Code> {
        let say = |code| at.say(code).entry(receipt.index);
        let node = self.parties.nodes.get(receipt.partner.as_ref());
        let decided = node.and_then(|node| node.decided.get(&receipt.query));
        let told = self.told_otherwise(at, receipt, decided);
        let code = told.as_ref().map(|(code, _)| *code);
        findings.extend(told.map(|(code, text)| say(code).expected(text).found(&receipt.stated)));
        if let Some(node) = node {
            findings.extend(
                held_by_node(receipt, (node, decided))
                    .map(|(code, expected, found)| say(code).expected(expected).found(found)),
            );
        }
        let coordinator = self.parties.coordinator.and_then(|one| one.decided.get(&receipt.query));
        if let Some((revoked, at)) = receipt.outcome.as_ref().and_then(|outcome| outcome.revoked) {
            let before =
                self.parties.coordinator.and_then(|one| one.passed.before(receipt.documents));
            let times = [coordinator.map(|one| one.at), before];
            let signed = times.into_iter().flatten().fold(at, Timestamp::max);
            findings.extend(revoked.judge(signed, say(Code::KeyRevoked)));
        }
        let answered = receipt.outcome.as_ref().is_some_and(|one| one.stated.answered());
        if let Some((ledger, permit)) =
            self.parties.coordinator.zip(coordinator).filter(|_| answered)
        {
            let source = Source { at: permit.at, ledger: &ledger.name, entry: permit.index };
            findings.extend(times::before(receipt.at, source, say(Code::TimesDisagree)));
        }
        let rulings = [decided, coordinator].into_iter().flatten();
        let caps = rulings.filter_map(|one| one.target(receipt.target)?.max_rows());
        if let (Some(cap), Some(outcome)) = (caps.min(), &receipt.outcome)
            && outcome.rows > cap
        {
            let finding = say(Code::TooManyRows).expected(format!("max_rows={cap}"));
            findings.extend([finding.found(format!("rows={}", outcome.rows))]);
        }
        code
    }

    /// What the coordinator's ledger tells otherwise than a receipt; `node` is what the node's tells.
    fn told_otherwise(
        &self,
        at: At<'_>,
        receipt: &Received,
        node: Option<&Decided>,
    ) -> Option<(Code, String)> {
        let coordinator = self.parties.coordinator?;
        let decided = coordinator.decided.get(&receipt.query);
        let (mut code, text) = held_by_coordinator(at, receipt, decided)?;
        let excused = || coordinator.is_cut || self.ends_before(receipt.query);
        if decided.is_none() && excused() {
            return None;
        }
        let mut places = vec![coordinator.name.to_string()];
        let given = node.and_then(|node| node.result(receipt.target));
        if code == Code::NotDelivered && given.is_some_and(|one| one.stated.answered()) {
            code = Code::ArrivalDenied;
            let node = LedgerName::new(LedgerKind::Node, receipt.partner.as_ref().clone());
            places.push(node.to_string());
        }
        Some((code, format!("{text} in {}", places.join(", "))))
    }
}

/// An answer that was relayed in full by the coordinator's time before it ended by the node's.
fn ended_before(
    at: At<'_>,
    decided: &Decided,
    (node, theirs): (&Told, &Decided),
) -> Option<Finding> {
    let (told, own) = (decided.ended.as_ref()?, theirs.ended.as_ref()?);
    let finding = at.say(Code::TimesDisagree).entry(told.index);
    times::before(told.at, Source { at: own.at, ledger: &node.name, entry: own.index }, finding)
}

/// What a node's own ledger says of how a target ended. A refusal ends the exchange by itself.
struct OwnAccount {
    stated: Stated,
    sent: Option<crate::account::Sent>,
}

impl std::fmt::Display for OwnAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.stated)?;
        self.sent.map_or(Ok(()), |sent| write!(f, " {sent}"))
    }
}

fn ended(decided: &Decided, target: u32) -> Option<OwnAccount> {
    match &decided.target(target)?.ruling {
        Some(Ruling::Refuse(stated)) => Some(OwnAccount { stated: stated.clone(), sent: None }),
        _ => {
            let result = decided.result(target)?;
            Some(OwnAccount { stated: result.stated.clone(), sent: Some(result.sent) })
        }
    }
}

/// Whether a node that was told of like this must have decided: these come only after a decision.
fn proves_decision(stated: &Stated, chunks: u64) -> bool {
    let after =
        [Problem::SourceUnavailable, Problem::TooManyRows, Problem::RuleError, Problem::Lapsed];
    match stated {
        Stated::Answered | Stated::Refused(_) => true,
        Stated::Failed(problem) => chunks > 0 || after.contains(problem),
    }
}

/// A receipt of an answer held against the coordinator's ledger.
fn held_by_coordinator(
    at: At<'_>,
    receipt: &Received,
    decided: Option<&Decided>,
) -> Option<(Code, String)> {
    let Some(decided) = decided else {
        let answered = receipt.outcome.is_some();
        return answered.then(|| (Code::MissingAtCoordinator, "verdict=permit".to_owned()));
    };
    if decided.signed != receipt.signed {
        return Some((Code::OtherQuery, query_hash(&decided.signed)));
    }
    let Some(outcome) = &receipt.outcome else {
        let relayed = decided.result(at.target).filter(|told| told.stated.answered())?;
        return receipt.stated.broke_off().then(|| (Code::NotDelivered, relayed.to_string()));
    };
    if !decided.target(at.target).is_some_and(Asked::permitted) {
        return Some((Code::MissingAtCoordinator, "verdict=permit".to_owned()));
    }
    let told = decided.result(at.target)?;
    // The requester may have the whole answer although the coordinator saw the connection break.
    let comparable = !matches!(told.stated, Stated::Failed(_));
    let same = told.stated == outcome.stated && told.sent == outcome.sent;
    (comparable && !same).then(|| (Code::OutcomesDiffer, told.to_string()))
}

/// What a node's ledger holds of a query.
fn held(decided: Option<&Decided>, node: &LedgerName) -> String {
    let index = decided.map_or_else(|| "none".to_owned(), |one| one.index.to_string());
    format!("decision={index} in {node}")
}

fn query_hash(hash: &Digest) -> String {
    format!("signed_query={hash}")
}

/// A partner's signed outcome held against its own ledger.
fn held_by_node(
    receipt: &Received,
    (node, decided): (&Told, Option<&Decided>),
) -> Option<(Code, String, String)> {
    let outcome = receipt.outcome.as_ref()?;
    let found = || format!("{} {}", outcome.stated, outcome.sent);
    let index = outcome.decision?;
    // An entry that can be read and is not that decision is proof, whatever is missing behind it.
    let silent = node.is_cut || node.set_back;
    if decided.is_none() && silent && index >= node.entries {
        return None;
    }
    if node.moved_from.is_some_and(|from| index >= from) {
        return None;
    }
    let Some(decided) = decided.filter(|one| one.index == index) else {
        let found = format!("decision={index} {}", found());
        return Some((Code::MissingAtNode, held(decided, &node.name), found));
    };
    if decided.signed != receipt.signed {
        let (own, theirs) = (query_hash(&decided.signed), query_hash(&receipt.signed));
        return Some((Code::OtherQuery, format!("{own} in {}", node.name), theirs));
    }
    let own = ended(decided, receipt.target)?;
    let name = &node.name;
    let same = own.stated == outcome.stated && own.sent.is_none_or(|sent| sent == outcome.sent);
    (!same).then(|| (Code::OutcomesDiffer, format!("{own} in {name}"), found()))
}
