//! One ledger, read from its first entry to its last and held against its signed checkpoint.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use convenant_ledger::{Checkpoint, LedgerVerifier, SignedCheckpoint, merkle::Frontier};
use convenant_model::{
    Digest, Oin, ProjectId, QueryId, Timestamp,
    counted::CountedCells,
    entry::{Entry, Started},
    kept::KeptAnswers,
    keys::VerifyingKey,
};

use crate::{
    Code, Counts, Finding, LedgerKind, LedgerName, LedgerReport, RegisterEvidence,
    account::{Decided, Ruled, Shared},
    again::Again,
    decision::usage,
    duties::Unprepared,
    figures::Figures,
    findings::Findings,
    quota::Tally,
    reader::{Read, Reader},
    receipt::{Proven, Received},
    revoked::{Passed, Revoked},
    signed::Known,
    times::Latest,
    witness::Statement,
};

/// A ledger under replay. Feed it each entry in sequence, then [`Self::finish`].
pub struct LedgerReplay<'a> {
    pub(crate) register: &'a RegisterEvidence,
    pub(crate) name: LedgerName,
    pub(crate) reader: Arc<Reader<'a>>,
    pub(crate) counts: Counts,
    pub(crate) findings: Findings,
    pub(crate) decided: BTreeMap<QueryId, Decided>,
    pub(crate) ruled: Shared<Ruled>,
    pub(crate) parties: Shared<Oin>,
    pub(crate) receipts: Vec<Received>,
    pub(crate) tallies: BTreeMap<ProjectId, Tally>,
    pub(crate) kept: BTreeMap<ProjectId, KeptAnswers>,
    pub(crate) counted: BTreeMap<ProjectId, CountedCells>,
    /// Other engines that were noted already.
    pub(crate) engines: BTreeSet<String>,
    /// The largest register decided with so far, and when it was first.
    pub(crate) newest: Option<(u64, Timestamp)>,
    pub(crate) passed: Passed,
    pub(crate) latest: Option<Latest>,
    rejected: BTreeSet<QueryId>,
    pub(crate) leaves: Vec<Digest>,
    /// Whether an entry could not be read: then those behind it are there, and none of them was seen.
    damaged: bool,
    /// How many entries the checkpoint states, where there are fewer: that is told of already.
    pub(crate) short_of: Option<(u64, Digest)>,
    pub(crate) witnessed: Vec<Vec<u8>>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) stamped: Vec<Vec<u8>>,
    unlike: Vec<String>,
    pub(crate) figures: Figures,
    pub(crate) unprepared: Unprepared,
}

/// A ledger that was replayed, to be added to the whole.
pub struct Replayed {
    pub(crate) name: LedgerName,
    pub(crate) report: LedgerReport,
    pub(crate) findings: Findings,
    pub(crate) decided: BTreeMap<QueryId, Decided>,
    pub(crate) rejected: BTreeSet<QueryId>,
    pub(crate) passed: Passed,
    pub(crate) receipts: Vec<Received>,
    pub(crate) figures: Figures,
    /// How many entries there are, where others are missing behind them or cannot be read, which is a finding by
    /// itself: what the rest holds is then no proof of what those did not hold.
    pub(crate) read_until: Option<u64>,
    /// Unusual use and what was asked too early, which a node's ledger tells as the coordinator's does.
    pub(crate) told_once: Findings,
}

impl<'a> LedgerReplay<'a> {
    pub(crate) fn new(register: &'a RegisterEvidence, name: LedgerName, known: Arc<Known>) -> Self {
        Self {
            register,
            reader: Arc::new(Reader::new(register, name.kind, known)),
            name,
            counts: Counts::new(),
            findings: Findings::default(),
            decided: BTreeMap::new(),
            ruled: Shared::default(),
            parties: Shared::default(),
            receipts: Vec::new(),
            tallies: BTreeMap::new(),
            kept: BTreeMap::new(),
            counted: BTreeMap::new(),
            engines: BTreeSet::new(),
            newest: None,
            passed: Passed::new(),
            latest: None,
            rejected: BTreeSet::new(),
            leaves: Vec::new(),
            damaged: false,
            short_of: None,
            witnessed: Vec::new(),
            statements: Vec::new(),
            stamped: Vec::new(),
            unlike: Vec::new(),
            figures: Figures::default(),
            unprepared: Unprepared::default(),
        }
    }

    /// Replays the next entry. `index` is what the store says it is.
    pub fn entry(&mut self, index: u64, bytes: &[u8]) {
        self.take(self.reader.read(index, bytes));
    }

    pub(crate) fn take(&mut self, read: Read) {
        let Read { index, leaf, entry, again, proven } = read;
        let next = self.leaves.len() as u64;
        let finding = |code| Finding::new(code, &self.name).entry(index);
        if index != next {
            self.findings.push(
                finding(Code::OutOfSequence)
                    .expected(format!("entry={next}"))
                    .found(format!("entry={index}")),
            );
        }
        self.leaves.push(leaf);
        self.counts.entries += 1;
        match entry {
            Some(entry) if *party(&entry) == self.name.party && self.belongs(&entry) => {
                self.replay(index, entry, (again, proven));
            }
            Some(entry) => self.findings.push(finding(Code::Foreign).found(kind(&entry))),
            None => self.findings.push(finding(Code::Unreadable)),
        }
    }

    /// Reports that the store found entry `index` no longer whole, and cannot give it.
    pub fn damaged(&mut self, index: u64) {
        self.findings.push(Finding::new(Code::Damaged, &self.name).entry(index));
        self.damaged = true;
    }

    /// Notes the paths of published tiles that are missing or are not those of the entries that were read.
    pub fn tiles_unlike(&mut self, paths: Vec<String>) {
        self.unlike = paths;
    }

    /// Holds the entries against the signed checkpoint. `published` gives the hash of a leaf as the
    /// party published it in its tiles, so that an altered entry can be named; `None` where there is
    /// none.
    #[must_use]
    pub fn finish(
        mut self,
        checkpoint: Option<&[u8]>,
        published: impl Fn(u64) -> Option<Digest>,
    ) -> Replayed {
        let covered = self.check_root(checkpoint, published);
        // Where the entries do not lead to the signed root, that is told, and the tiles may well be right.
        for path in std::mem::take(&mut self.unlike).into_iter().filter(|_| covered.is_some()) {
            self.findings.push(Finding::new(Code::Tile, &self.name).found(format!("tile={path}")));
        }
        let (cosigned, stamped) = self.check_witnesses();
        self.report_open();
        for tally in std::mem::take(&mut self.tallies).into_values() {
            for one in tally.overcounted() {
                let finding = Finding::new(Code::Overcounted, &self.name).entry(one.index);
                self.findings.push(finding.query(one.query).found(usage(one.used)));
            }
        }
        let mut told_once = self.unprepared.findings(&self.name);
        told_once.extend(self.figures.watch.findings(&self.name));
        let report = LedgerReport {
            name: self.name.to_string(),
            root: root(&self.leaves),
            covered,
            cosigned,
            stamped,
            first: self.passed.began(),
            last: self.passed.until(u64::MAX),
            counts: self.counts,
        };
        Replayed {
            name: self.name,
            report,
            findings: self.findings,
            decided: self.decided,
            rejected: self.rejected,
            passed: self.passed,
            receipts: self.receipts,
            figures: self.figures,
            read_until: (self.damaged || self.short_of.is_some())
                .then_some(self.leaves.len() as u64),
            told_once,
        }
    }

    fn belongs(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Started(_) => true,
            Entry::Receipt(_) => self.name.kind == LedgerKind::Receipts,
            Entry::Decision(_)
            | Entry::Outcome(_)
            | Entry::Rejected(_)
            | Entry::Conflict(_)
            | Entry::Read(_) => self.name.kind != LedgerKind::Receipts,
        }
    }

    fn replay(
        &mut self,
        index: u64,
        entry: Entry,
        (again, proven): (Option<Again>, Option<Proven>),
    ) {
        self.check_clock(index, at(&entry));
        self.passed.note(index, at(&entry));
        match entry {
            Entry::Decision(decision) => self.decision(index, &decision, again),
            Entry::Outcome(outcome) => self.outcome(index, &outcome),
            Entry::Receipt(receipt) => self.receipt(index, &receipt, proven),
            Entry::Rejected(rejected) => {
                self.counts.rejected += 1;
                self.rejected.extend(rejected.query);
            }
            Entry::Conflict(conflict) => self.conflict(index, &conflict),
            Entry::Read(read) => self.figures.read(&self.name, index, &read),
            Entry::Started(Started { torn_bytes, .. }) => {
                self.counts.starts += 1;
                if torn_bytes > 0 {
                    let finding = Finding::new(Code::Torn, &self.name).entry(index);
                    self.findings.push(finding.found(format!("torn_bytes={torn_bytes}")));
                }
            }
        }
    }

    /// Number of entries that the checkpoint covers, where it verifies.
    fn check_root(
        &mut self,
        checkpoint: Option<&[u8]>,
        published: impl Fn(u64) -> Option<Digest>,
    ) -> Option<u64> {
        let finding = |code| Finding::new(code, &self.name);
        let Some(bytes) = checkpoint else {
            if !self.leaves.is_empty() {
                self.findings.push(finding(Code::NoCheckpoint));
            }
            return None;
        };
        let (Checkpoint { size, root: signed, .. }, key) = match self.signed_checkpoint(bytes) {
            Ok(found) => found,
            Err(fault) => {
                self.findings.push(*fault);
                return None;
            }
        };
        let entries = self.leaves.len() as u64;
        let covered = usize::try_from(size).ok().and_then(|size| self.leaves.get(..size));
        let Some(covered) = covered else {
            self.short_of = Some((size, signed));
            if !self.damaged {
                let finding = finding(Code::Shortened).entry(entries);
                let finding = finding.expected(format!("size={size}"));
                self.findings.push(finding.found(format!("size={entries}")));
            }
            return None;
        };
        let own = root(covered);
        if own != signed {
            let altered = altered(covered, &signed, published);
            let finding = Finding { entry: altered, ..finding(Code::Altered) };
            self.findings
                .push(finding.expected(format!("root={signed}")).found(format!("root={own}")));
            return None;
        }
        if size < entries {
            self.findings.push(
                finding(Code::Uncovered).entry(size).found(format!("entries={}", entries - size)),
            );
        }
        // What it covers was there when it was signed.
        let revoked = Revoked::of(self.register, &self.name.party, &key);
        let signed_at = self.passed.until(size);
        let late =
            revoked.zip(signed_at).and_then(|(key, at)| key.judge(at, finding(Code::KeyRevoked)));
        let sound = late.is_none();
        self.findings.extend(late);
        sound.then_some(size)
    }

    /// The checkpoint, and the key of the party that signed it.
    fn signed_checkpoint(&self, bytes: &[u8]) -> Result<(Checkpoint, VerifyingKey), Box<Finding>> {
        let mut last = Box::new(Finding::new(Code::UnknownKey, &self.name));
        let origin = self.name.origin();
        for key in self.register.checkpoint_keys(&self.name) {
            // Ledgers are signed with Ed25519; a holder's P-256 key signs none.
            let verifier =
                origin.clone().and_then(|name| LedgerVerifier::new(name, key.clone()).ok());
            let Some(verifier) = verifier else {
                continue;
            };
            match SignedCheckpoint::parse(bytes, &verifier) {
                Ok(signed) => return Ok((signed.checkpoint().clone(), key)),
                Err(error) => {
                    last = Box::new(Finding::new(Code::BadCheckpoint, &self.name).found(error))
                }
            }
        }
        Err(last)
    }
}

/// The first entry whose leaf hash is not the published one.
#[must_use]
pub fn first_difference(
    leaves: &[Digest],
    published: impl Fn(u64) -> Option<Digest>,
) -> Option<u64> {
    let differs = |(index, leaf): (u64, &Digest)| {
        published(index).is_some_and(|published| published != *leaf).then_some(index)
    };
    (0..).zip(leaves).find_map(differs)
}

/// The first entry that was altered, provided that the published hashes lead to the signed root: else
/// these prove nothing.
fn altered(
    leaves: &[Digest],
    signed: &Digest,
    published: impl Fn(u64) -> Option<Digest>,
) -> Option<u64> {
    let hashes: Option<Vec<_>> = (0..leaves.len() as u64).map(published).collect();
    let hashes = hashes.filter(|hashes| root(hashes) == *signed)?;
    first_difference(leaves, |index| hashes.get(usize::try_from(index).ok()?).copied())
}

fn root(leaves: &[Digest]) -> Digest {
    let mut tree = Frontier::default();
    leaves.iter().for_each(|leaf| tree.append(*leaf));
    tree.root()
}

const fn party(entry: &Entry) -> &Oin {
    match entry {
        Entry::Decision(one) => &one.party,
        Entry::Outcome(one) => &one.party,
        Entry::Rejected(one) => &one.party,
        Entry::Receipt(one) => &one.party,
        Entry::Started(one) => &one.party,
        Entry::Conflict(one) => &one.party,
        Entry::Read(one) => &one.party,
    }
}

const fn at(entry: &Entry) -> Timestamp {
    match entry {
        Entry::Decision(one) => one.at,
        Entry::Outcome(one) => one.at,
        Entry::Rejected(one) => one.at,
        Entry::Receipt(one) => one.at,
        Entry::Started(one) => one.at,
        Entry::Conflict(one) => one.at,
        Entry::Read(one) => one.at,
    }
}

const fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Decision(_) => "decision",
        Entry::Outcome(_) => "outcome",
        Entry::Rejected(_) => "rejected",
        Entry::Receipt(_) => "receipt",
        Entry::Started(_) => "started",
        Entry::Conflict(_) => "conflict",
        Entry::Read(_) => "read",
    }
}
