//! One ledger, read from its first entry to its last and held against its signed checkpoint.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use convenant_ledger::{Checkpoint, LedgerVerifier, SignedCheckpoint};
use convenant_model::{
    Digest, Oin, ProjectId, Timestamp,
    counted::CountedCells,
    entry::{Entry, Started},
    kept::KeptAnswers,
    keys::VerifyingKey,
};

use crate::{
    Beside, Code, Counts, Finding, LedgerKind, LedgerName, LedgerReport, RegisterEvidence,
    account::{Ruled, Shared},
    again::Again,
    decision::usage,
    duties::Unprepared,
    figures::Figures,
    findings::Findings,
    grounds::Grounds,
    quota::Tally,
    reader::{Read, Reader},
    receipt::Proven,
    register,
    revoked::Revoked,
    signed::Known,
    times::Latest,
    told::Told,
    tree::Tree,
};

/// What is found by the places of entries.
const PLACED: &[Code] = &[Code::NoDecision, Code::Undercounted, Code::Overcounted];

/// A ledger under replay. Feed it each entry in sequence, then [`Self::finish`].
pub struct LedgerReplay<'a> {
    pub(crate) register: &'a RegisterEvidence,
    pub(crate) told: Told,
    pub(crate) reader: Arc<Reader<'a>>,
    pub(crate) counts: Counts,
    pub(crate) findings: Findings,
    pub(crate) ruled: Shared<Ruled>,
    pub(crate) parties: Shared<Oin>,
    pub(crate) tallies: BTreeMap<ProjectId, Tally>,
    pub(crate) kept: BTreeMap<ProjectId, KeptAnswers>,
    pub(crate) counted: BTreeMap<ProjectId, CountedCells>,
    /// Other engines that were noted already.
    pub(crate) engines: BTreeSet<String>,
    /// The largest register decided with so far, and when it was first.
    pub(crate) newest: Option<(u64, Timestamp)>,
    pub(crate) latest: Option<Latest>,
    pub(crate) beside: Beside,
    pub(crate) tree: Tree,
    /// Whether an entry could not be read: then those behind it are there, and none of them was seen.
    damaged: bool,
    /// How many entries the checkpoint states, where there are fewer: that is told of already.
    pub(crate) short_of: Option<(u64, Digest)>,
    pub(crate) altered: Option<Altered>,
    unlike: Vec<String>,
    /// The first decision that cannot be made again for want of a document that is told of, and how many there are.
    pub(crate) unmade: Option<(u64, u64)>,
    pub(crate) figures: Figures,
    /// Of whoever asked last.
    pub(crate) grounds: Option<Grounds<'a>>,
    pub(crate) unprepared: Unprepared,
}

/// A ledger that was replayed, to be added to the whole.
pub struct Replayed {
    pub(crate) told: Told,
    pub(crate) report: LedgerReport,
    pub(crate) findings: Findings,
    pub(crate) figures: Figures,
    /// Unusual use and what was asked too early, which a node's ledger tells as the coordinator's does.
    pub(crate) told_once: Findings,
}

impl<'a> LedgerReplay<'a> {
    pub(crate) fn new(
        register: &'a RegisterEvidence,
        name: LedgerName,
        beside: Beside,
        known: Arc<Known>,
    ) -> Self {
        let beside = beside.of(&name);
        Self {
            register,
            reader: Arc::new(Reader::new(register, name.kind, known)),
            told: Told::new(name),
            counts: Counts::new(),
            findings: Findings::default(),
            ruled: Shared::default(),
            parties: Shared::default(),
            tallies: BTreeMap::new(),
            kept: BTreeMap::new(),
            counted: BTreeMap::new(),
            engines: BTreeSet::new(),
            newest: None,
            latest: None,
            tree: Tree::new(beside.sizes()),
            beside,
            damaged: false,
            short_of: None,
            altered: None,
            unlike: Vec::new(),
            unmade: None,
            figures: Figures::default(),
            grounds: None,
            unprepared: Unprepared::default(),
        }
    }

    /// Replays the next entry. `index` is what the store says it is.
    pub fn entry(&mut self, index: u64, bytes: &[u8]) {
        self.take(self.reader.read(index, bytes));
    }

    pub(crate) fn take(&mut self, read: Read) {
        let Read { index, leaf, entry, again, proven } = read;
        let next = self.tree.size();
        if self.tree.is_wanted() {
            self.told.passed.mark(next);
        }
        let finding = |code| Finding::new(code, &self.told.name).entry(index);
        if index != next {
            self.findings.push(
                finding(Code::OutOfSequence)
                    .expected(format!("entry={next}"))
                    .found(format!("entry={index}")),
            );
        }
        self.tree.append(leaf);
        self.counts.entries += 1;
        self.told.entries += 1;
        match entry {
            Some(entry) if *party(&entry) == self.told.name.party && self.belongs(&entry) => {
                self.replay(index, entry, (again, proven));
            }
            Some(entry) => self.findings.push(finding(Code::Foreign).found(kind(&entry))),
            None => self.findings.push(finding(Code::Unreadable)),
        }
    }

    /// Reports that the store found entry `index` no longer whole, and cannot give it.
    pub fn damaged(&mut self, index: u64) {
        self.findings.push(Finding::new(Code::Damaged, &self.told.name).entry(index));
        self.damaged = true;
    }

    /// Notes the paths of published tiles that are missing or are not those of the entries that were read.
    pub fn tiles_unlike(&mut self, paths: Vec<String>) {
        self.unlike = paths;
    }

    /// Holds the entries against what was signed for them. `published` gives the hash of a leaf as the party
    /// published it in its tiles, `None` where there is none, and `leaves` the hashes of the entries once more:
    /// of both an altered entry is named. Neither is asked for anything where none was altered.
    #[must_use]
    pub fn finish<L: IntoIterator<Item = Digest>>(
        mut self,
        published: impl Fn(u64) -> Option<Digest>,
        leaves: impl FnOnce() -> L,
    ) -> Replayed {
        let covered = self.check_root(published, leaves);
        // Where the entries do not lead to the signed root, that is told, and the tiles may well be right.
        let unlike = std::mem::take(&mut self.unlike);
        if let Some(first) = unlike.first().filter(|_| covered.is_some()) {
            let found = format!("tiles={} tile={first}", unlike.len());
            self.findings.push(Finding::new(Code::Tile, &self.told.name).found(found));
        }
        if let Some((first, number)) = self.unmade {
            let finding = Finding::new(Code::NotMadeAgain, &self.told.name).entry(first);
            let cause = format!("document={} in {}", self.register.size(), register::NAME);
            self.findings.push(finding.expected(cause).found(format!("decisions={number}")));
        }
        self.told.is_cut = self.damaged || self.short_of.is_some();
        self.report_open();
        for tally in std::mem::take(&mut self.tallies).into_values() {
            for one in tally.overcounted() {
                let finding = Finding::new(Code::Overcounted, &self.told.name).entry(one.index);
                self.findings.push(finding.query(one.query).found(usage(one.used)));
            }
        }
        self.excuse();
        let (cosigned, stamped) = self.check_witnesses();
        let mut told_once = self.unprepared.findings(&self.told.name);
        told_once.extend(self.figures.watch.findings(&self.told.name));
        let note = self.beside.checkpoint.as_deref();
        let signed = note.and_then(|note| self.signed_checkpoint(note).ok());
        let report = LedgerReport {
            name: self.told.name.to_string(),
            root: self.tree.root(),
            whole: !self.told.is_cut,
            signed: signed.map(|(checkpoint, _)| checkpoint.size),
            covered,
            cosigned,
            stamped,
            first: self.told.passed.began(),
            last: self.told.passed.latest(),
            counts: self.counts,
        };
        let Self { told, findings, figures, .. } = self;
        Replayed { told, report, findings, figures, told_once }
    }

    /// Takes back what was found of the places of entries behind one that is missing: they stand at others than they
    /// name.
    fn excuse(&mut self) {
        let Some(moved) = self.told.moved_from else { return };
        let name = self.told.name.to_string();
        let behind = |one: &Finding| one.ledger == name && one.entry >= Some(moved);
        self.findings.forget(|one| PLACED.contains(&one.code) && behind(one));
    }

    fn belongs(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Started(_) => true,
            Entry::Receipt(_) => self.told.name.kind == LedgerKind::Receipts,
            Entry::Decision(_)
            | Entry::Outcome(_)
            | Entry::Rejected(_)
            | Entry::Conflict(_)
            | Entry::Read(_) => self.told.name.kind != LedgerKind::Receipts,
        }
    }

    fn replay(
        &mut self,
        index: u64,
        entry: Entry,
        (again, proven): (Option<Again>, Option<Proven>),
    ) {
        self.check_clock(index, at(&entry));
        self.told.passed.note(at(&entry));
        match entry {
            Entry::Decision(decision) => self.decision(index, &decision, again),
            Entry::Outcome(outcome) => self.outcome(index, &outcome),
            Entry::Receipt(receipt) => self.receipt(index, &receipt, proven),
            Entry::Rejected(rejected) => {
                self.counts.rejected += 1;
                self.figures.rejected(&self.told.name, index, &rejected);
                self.told.rejected.extend(rejected.query);
            }
            Entry::Conflict(conflict) => self.conflict(index, &conflict),
            Entry::Read(read) => self.figures.read(&self.told.name, index, &read),
            Entry::Started(Started { torn_bytes, .. }) => {
                self.counts.starts += 1;
                if torn_bytes > 0 {
                    let finding = Finding::new(Code::Torn, &self.told.name).entry(index);
                    self.findings.push(finding.found(format!("torn_bytes={torn_bytes}")));
                }
            }
        }
    }

    /// Number of entries that the checkpoint covers, where it verifies.
    fn check_root<L: IntoIterator<Item = Digest>>(
        &mut self,
        published: impl Fn(u64) -> Option<Digest>,
        leaves: impl FnOnce() -> L,
    ) -> Option<u64> {
        let finding = |code| Finding::new(code, &self.told.name);
        let entries = self.tree.size();
        let Some(bytes) = &self.beside.checkpoint else {
            if entries > 0 {
                self.findings.push(finding(Code::NoCheckpoint));
            }
            return None;
        };
        let (Checkpoint { size, root: signed, .. }, key) = match self.signed_checkpoint(bytes) {
            Ok(found) => found,
            Err(fault) => {
                // Of which key it is, a document may tell that is not there.
                let untold = fault.code == Code::UnknownKey && self.register.is_in_parts();
                self.findings.push(if untold { finding(Code::KeyUntold) } else { *fault });
                return None;
            }
        };
        let Some(own) = self.tree.at(size) else {
            self.short_of = Some((size, signed));
            if self.damaged {
                return None;
            }
            // Where an entry in the middle is missing, those behind it are not at their places.
            let signed = signed_leaves(leaves(), self.wanted(size), &signed, published);
            let altered = signed.and_then(|(altered, _)| altered);
            let code = if altered.is_some() { Code::Altered } else { Code::Shortened };
            let finding = finding(code).entry(altered.unwrap_or(entries));
            let finding = finding.expected(format!("size={size}"));
            self.findings.push(finding.found(format!("size={entries}")));
            self.told.moved_from = altered;
            return None;
        };
        if own != signed {
            let leaves = signed_leaves(leaves(), self.wanted(size), &signed, published);
            let (altered, tree) = leaves.unzip();
            let finding = Finding { entry: altered.flatten(), ..finding(Code::Altered) };
            self.findings
                .push(finding.expected(format!("root={signed}")).found(format!("root={own}")));
            self.altered = Some(Altered { signed: (size, signed), tree });
            return None;
        }
        if size < entries {
            self.findings.push(
                finding(Code::Uncovered).entry(size).found(format!("entries={}", entries - size)),
            );
        }
        // What it covers was there when it was signed.
        let revoked = Revoked::of(self.register, &self.told.name.party, &key);
        let signed_at = self.told.passed.until(size);
        let late =
            revoked.zip(signed_at).and_then(|(key, at)| key.judge(at, finding(Code::KeyRevoked)));
        let sound = late.is_none();
        self.findings.extend(late);
        sound.then_some(size)
    }

    /// A tree of so many entries that will be asked what it was at the sizes that others signed for.
    fn wanted(&self, size: u64) -> (u64, Tree) {
        (size, Tree::new(self.beside.sizes()))
    }

    /// The checkpoint, and the key of the party that signed it.
    fn signed_checkpoint(&self, bytes: &[u8]) -> Result<(Checkpoint, VerifyingKey), Box<Finding>> {
        let mut last = Box::new(Finding::new(Code::UnknownKey, &self.told.name));
        let origin = self.told.name.origin();
        for key in self.register.checkpoint_keys(&self.told.name) {
            // Ledgers are signed with Ed25519; a holder's P-256 key signs none.
            let verifier =
                origin.clone().and_then(|name| LedgerVerifier::new(name, key.clone()).ok());
            let Some(verifier) = verifier else {
                continue;
            };
            match SignedCheckpoint::parse(bytes, &verifier) {
                Ok(signed) => return Ok((signed.checkpoint().clone(), key)),
                Err(error) => {
                    last = Box::new(Finding::new(Code::BadCheckpoint, &self.told.name).found(error))
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

/// The first entry that was altered, and the tree that was signed, provided that the published hashes lead to the signed
/// root: else these prove nothing.
fn signed_leaves(
    leaves: impl IntoIterator<Item = Digest>,
    (size, mut tree): (u64, Tree),
    signed: &Digest,
    published: impl Fn(u64) -> Option<Digest>,
) -> Option<(Option<u64>, Tree)> {
    let (mut leaves, mut first) = (leaves.into_iter(), None);
    for index in 0..size {
        let published = published(index)?;
        let differs = leaves.next().is_some_and(|leaf| leaf != published);
        first = first.or(differs.then_some(index));
        tree.append(published);
    }
    (tree.root() == *signed).then_some((first, tree))
}

/// Of entries that do not lead to the signed root: what was signed.
pub(crate) struct Altered {
    pub(crate) signed: (u64, Digest),
    /// The tree that was signed, where published hashes tell it.
    pub(crate) tree: Option<Tree>,
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

pub(crate) const fn at(entry: &Entry) -> Timestamp {
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
