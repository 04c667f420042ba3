//! What witnesses say of a ledger, held against the ledger itself.

use std::collections::{BTreeMap, BTreeSet};

use convenant_ledger::{Checkpoint, LedgerVerifier, SignedCheckpoint};
use convenant_model::{
    Digest, Timestamp, entry::Conflict, keys::VerifyingKey, query::RegisterPosition,
};
use serde::Serialize;

use crate::{
    Code, Finding, LedgerName, LedgerReplay, RegisterEvidence, name::LedgerKind, revoked::Revoked,
    tree::Tree,
};

/// A checkpoint of somebody's ledger, as a witness keeps the last one that it cosigned.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The ledger beside which it lay: the witness's.
    pub by: LedgerName,
    /// The signed note.
    pub note: Vec<u8>,
}

/// How far a witness cosigned a ledger.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Cosigned {
    /// Name of the witness's ledger, whose key cosigned.
    pub by: String,
    /// How many entries.
    pub entries: u64,
    /// When.
    pub at: Timestamp,
}

impl LedgerReplay<'_> {
    /// Holds what witnesses say against the entries, and gives how far they cosigned them, and how far timestamps
    /// go.
    pub(crate) fn check_witnesses(&mut self) -> (Vec<Cosigned>, Vec<u64>) {
        let (mut stated, mut cosigned, mut stamped) = (Vec::new(), Vec::new(), Vec::new());
        for statement in &self.beside.statements {
            let signed = verified(self.register, &self.told.name, &statement.note);
            let sound = signed.filter(|(signed, key)| {
                let at = cosigned_at(self.register, &statement.by, signed);
                at.is_some_and(|at| !is_revoked(self.register, &self.told.name, key, at))
            });
            match sound {
                Some((signed, _)) => stated.push((statement.by.to_string(), signed)),
                // Whose key it is, a document may tell that is not there.
                None if self.register.is_in_parts() => {}
                None => self.findings.push(unproven(statement)),
            }
        }
        for note in &self.beside.witnessed {
            let signed = verified(self.register, &self.told.name, note).map(|(signed, _)| signed);
            let by = signed.as_ref().and_then(|signed| cosigner(self.register, signed));
            match signed.zip(by) {
                Some((signed, (by, at))) => {
                    let (by, entries) = (by.to_string(), signed.checkpoint().size);
                    cosigned.push(Cosigned { by: by.clone(), entries, at });
                    stated.push((by, signed));
                }
                None if self.register.is_in_parts() => {}
                None => {
                    let finding = Finding::new(Code::Cosignature, &self.told.name);
                    self.findings.push(finding.found(claimed(note)));
                }
            }
        }
        for note in &self.beside.stamped {
            match verified(self.register, &self.told.name, note) {
                Some((signed, _)) => {
                    stamped.push(signed.checkpoint().size);
                    stated.push(("timestamp".to_owned(), signed));
                }
                None if self.register.is_in_parts() => {}
                None => {
                    let finding = Finding::new(Code::Stamped, &self.told.name);
                    self.findings.push(finding.found(claimed(note)));
                }
            }
        }
        for (folder, notes) in &self.beside.copies {
            let own = |key: &_| Revoked::of(self.register, &self.told.name.party, key).is_none();
            let signed = notes.iter().filter_map(|note| {
                // A key that was revoked may have been another's.
                verified(self.register, &self.told.name, note).filter(|(_, key)| own(key))
            });
            stated.extend(signed.map(|(signed, _)| (format!("`{folder}`"), signed)));
        }
        // Of entries that were altered afterwards nobody is held to have signed the root.
        let tree = match &self.altered {
            None => Some(&self.tree),
            Some(altered) => altered.tree.as_ref(),
        };
        let mut findings =
            tree.map_or_else(Vec::new, |tree| contradictions(&self.told.name, &stated, tree));
        findings.extend(self.beyond(&stated, tree.map_or(0, Tree::size)));
        self.told.set_back = findings.iter().any(|one| one.code == Code::SetBack);
        self.findings.extend(findings);
        stamped.sort_unstable();
        (cosigned, stamped)
    }

    /// What was signed for and is not there. What the checkpoint beside the entries shows as well is told of once; but
    /// two roots of one size are two stories, though neither can be held against entries.
    /// `known` is the number of entries of which the tree tells.
    fn beyond(&self, stated: &[(String, SignedCheckpoint)], known: u64) -> Vec<Finding> {
        let entries = self.tree.size();
        let altered = self.altered.as_ref().map(|altered| altered.signed);
        let own = self.short_of.map_or(entries, |(size, _)| size);
        let mut roots: BTreeMap<_, _> = self.short_of.into_iter().chain(altered).collect();
        let (mut findings, mut longer) = (Vec::new(), Longer::default());
        for (by, signed) in stated {
            let Checkpoint { size, root, .. } = *signed.checkpoint();
            if size <= known {
                continue;
            }
            let first = *roots.entry(size).or_insert(root);
            if first != root {
                let finding =
                    Finding::new(Code::Forked, &self.told.name).entry(size.saturating_sub(1));
                let expected = format!("size={size} root={root} at {by}");
                findings
                    .push(finding.expected(expected).found(format!("size={size} root={first}")));
            } else if size > own {
                longer.note((size, root), by);
            }
        }
        let set_back = Finding::new(Code::SetBack, &self.told.name).entry(entries);
        let told = longer.told();
        findings.extend(told.map(|told| set_back.expected(told).found(format!("size={entries}"))));
        findings
    }

    /// A conflict that this party recorded as a witness: what it shows of the other party's ledger.
    pub(crate) fn conflict(&mut self, index: u64, conflict: &Conflict) {
        let unproven = Finding::new(Code::ConflictUnproven, &self.told.name).entry(index);
        let of = Checkpoint::unverified(conflict.shown.as_bytes()).map(|shown| shown.origin);
        let of = of.ok().and_then(|origin| Witnessed::of(origin.as_str()));
        let Some(of) = of.filter(|of| *of.party() == conflict.peer) else {
            return self.findings.push(unproven);
        };
        let [held, shown] = [&conflict.held, &conflict.shown]
            .map(|note| of.verified(self.register, note.as_bytes(), conflict.at));
        let Some((held, shown)) = held.zip(shown) else {
            return self.findings.push(unproven);
        };
        let (held, shown) = (held.checkpoint(), shown.checkpoint());
        // Two roots of one size prove it. Else the ledger itself shows whether it is so, when it is held
        // against what the witness holds.
        let proven = shown.size == held.size && shown.root != held.root;
        let code = if proven { Code::Forked } else { Code::ConflictTold };
        // What was signed for before and is no longer shown; or else the last that both roots cover.
        let shorter = shown.size < held.size;
        let entry = if shorter { shown.size } else { held.size.saturating_sub(1) };
        let finding = Finding::new(code, of.name()).entry(entry);
        let told = |one: &Checkpoint| format!("size={} root={}", one.size, one.root);
        let by = format!("{} in {}, entry={index}", told(shown), self.told.name);
        self.findings.push(finding.expected(told(held)).found(by));
    }
}

impl RegisterEvidence {
    /// Holds what witnesses say of the register against it.
    #[must_use]
    pub fn check_statements(&self, statements: &[Statement]) -> Vec<Finding> {
        let (verifier, own) = (self.verifier(), self.position());
        let of_register = statements.iter().filter(|one| {
            Checkpoint::unverified(&one.note).is_ok_and(|one| one.origin == *verifier.origin())
        });
        let (mut findings, mut longer) = (Vec::new(), Longer::default());
        for statement in of_register {
            let by = &statement.by;
            let signed = SignedCheckpoint::parse(&statement.note, verifier).ok();
            let Some(signed) = signed.filter(|one| cosigned_at(self, by, one).is_some()) else {
                findings.push(unproven(statement));
                continue;
            };
            let Checkpoint { size, root, .. } = *signed.checkpoint();
            // The documents are there, and one that does not verify is told of.
            if self.is_unverified(size) {
                continue;
            }
            if size > own.size {
                longer.note((size, root), by);
            } else if !self.register().held(&RegisterPosition { size, root }) {
                let finding = Finding::new(Code::Forked, "register").entry(size.saturating_sub(1));
                let expected = format!("size={size} root={root} at {by}");
                findings.push(finding.expected(expected).found(crate::register::shown(&own)));
            }
        }
        let set_back = Finding::new(Code::SetBack, "register").entry(own.size);
        let told = longer.told();
        findings
            .extend(told.map(|told| set_back.expected(told).found(crate::register::shown(&own))));
        findings
    }
}

/// What was signed for and is not there: one fact, whoever holds proof of it.
#[derive(Default)]
struct Longer(BTreeMap<(u64, Digest), BTreeSet<String>>);

impl Longer {
    fn note(&mut self, stated: (u64, Digest), by: impl ToString) {
        self.0.entry(stated).or_default().insert(by.to_string());
    }

    /// All of it, the longest first.
    fn told(&self) -> Option<String> {
        let told = self.0.iter().rev().map(|((size, root), by)| {
            let by: Vec<_> = by.iter().map(String::as_str).collect();
            format!("size={size} root={root} at {}", by.join(", "))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// A ledger or a register that has witnesses.
enum Witnessed {
    Ledger(LedgerName),
    Register(convenant_model::Oin),
}

impl Witnessed {
    fn of(origin: &str) -> Option<Self> {
        let register = || {
            let party = origin.strip_prefix("convenant.register/")?;
            convenant_model::Oin::new(party).ok().map(Self::Register)
        };
        LedgerName::from_origin(origin).map(Self::Ledger).or_else(register)
    }

    const fn party(&self) -> &convenant_model::Oin {
        match self {
            Self::Ledger(name) => &name.party,
            Self::Register(party) => party,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Ledger(name) => name.to_string(),
            Self::Register(_) => "register".to_owned(),
        }
    }

    fn verified(
        &self,
        register: &RegisterEvidence,
        note: &[u8],
        at: Timestamp,
    ) -> Option<SignedCheckpoint> {
        match self {
            Self::Ledger(name) => {
                let (signed, key) = verified(register, name, note)?;
                (!is_revoked(register, name, &key, at)).then_some(signed)
            }
            Self::Register(_) => SignedCheckpoint::parse(note, register.verifier()).ok(),
        }
    }
}

/// The checkpoint and its key, if that is one that the register ever named for the ledger.
pub(crate) fn verified(
    register: &RegisterEvidence,
    name: &LedgerName,
    note: &[u8],
) -> Option<(SignedCheckpoint, VerifyingKey)> {
    let origin = name.origin()?;
    register.checkpoint_keys(name).into_iter().find_map(|key| {
        let verifier = LedgerVerifier::new(origin.clone(), key.clone()).ok()?;
        Some((SignedCheckpoint::parse(note, &verifier).ok()?, key))
    })
}

/// A statement of a witness that proves nothing.
fn unproven(statement: &Statement) -> Finding {
    Finding::new(Code::Statement, &statement.by).found(claimed(&statement.note))
}

/// What a note says that it is of, whoever signed it.
fn claimed(note: &[u8]) -> String {
    Checkpoint::unverified(note).map_or_else(
        |_| "unreadable".to_owned(),
        |one| format!("{} size={} root={}", one.origin.as_str(), one.size, one.root),
    )
}

/// When the party of a ledger cosigned a checkpoint of another, with a key that was not revoked by then.
fn cosigned_at(
    register: &RegisterEvidence,
    by: &LedgerName,
    signed: &SignedCheckpoint,
) -> Option<Timestamp> {
    let origin = by.origin()?;
    register.checkpoint_keys(by).into_iter().find_map(|key| {
        let verifier = LedgerVerifier::new(origin.clone(), key.clone()).ok()?;
        let at = signed.cosigned_at(&verifier).ok()?;
        (!is_revoked(register, by, &key, at)).then_some(at)
    })
}

/// Whether a key was revoked when a witness says that it saw a signature of it: whoever took a key could
/// else make its owner look as if it told two stories.
fn is_revoked(
    register: &RegisterEvidence,
    name: &LedgerName,
    key: &VerifyingKey,
    at: Timestamp,
) -> bool {
    register.register().state().is_revoked(&name.party, key, at)
}

/// Who cosigned a checkpoint beside its own party, and when: the first of those enrolled.
fn cosigner(
    register: &RegisterEvidence,
    signed: &SignedCheckpoint,
) -> Option<(LedgerName, Timestamp)> {
    let parties: BTreeSet<_> =
        register.register().state().enrolments().map(|one| one.partner.clone()).collect();
    let names = parties.into_iter().flat_map(|party| {
        [LedgerKind::Coordinator, LedgerKind::Node].map(|kind| LedgerName::new(kind, party.clone()))
    });
    names.into_iter().find_map(|name| {
        let at = cosigned_at(register, &name, signed)?;
        Some((name, at))
    })
}

/// Each statement of as many entries as there are that they contradict.
fn contradictions(
    name: &LedgerName,
    stated: &[(String, SignedCheckpoint)],
    tree: &Tree,
) -> Vec<Finding> {
    let sizes = stated.iter().map(|(_, one)| one.checkpoint().size);
    let roots: BTreeMap<_, _> = sizes.filter_map(|size| Some((size, tree.at(size)?))).collect();
    let agrees = |stated: &Checkpoint| roots.get(&stated.size) == Some(&stated.root);
    let agreed = stated.iter().map(|(_, one)| one.checkpoint()).filter(|one| agrees(one));
    let agreed: BTreeSet<u64> = agreed.map(|one| one.size).collect();
    let check = |(by, signed): &(String, SignedCheckpoint)| {
        let stated = signed.checkpoint();
        let (size, last) = (stated.size, stated.size.saturating_sub(1));
        let root = roots.get(&size).filter(|root| **root != stated.root)?;
        // Only roots are known of the other history: it parts from this one after what they agree on.
        let first = agreed.range(..size).next_back().copied().unwrap_or(0);
        let found = format!("size={size} root={root} first_difference={first}..{last}");
        let expected = format!("size={size} root={} at {by}", stated.root);
        Some(Finding::new(Code::Forked, name).entry(last).expected(expected).found(found))
    };
    stated.iter().filter_map(check).collect()
}
