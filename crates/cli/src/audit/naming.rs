//! Whose ledger is in a folder: as its entries say, and its checkpoint where these do not contradict it. The keys in
//! the register decide whether that is true.

use std::path::Path;

use convenant_audit::{LedgerKind, LedgerName, RegisterEvidence};
use convenant_ledger::EntryBytes;
use convenant_model::{Oin, entry::Entry};
use convenant_store::EntriesError;

use super::{
    copies,
    evidence::{checkpoint, first_line, open},
};
use crate::{exit::usage, ledger::unreadable};

/// Whose it is. A checkpoint of another ledger, left there by mistake or on purpose, accuses nobody; but entries
/// that its party signed are that party's, whatever they say, and so is a ledger of which some are.
pub(super) fn name(dir: &Path, register: &RegisterEvidence) -> anyhow::Result<LedgerName> {
    let checkpoint = checkpoint(dir)?;
    let claimed = checkpoint.as_deref().and_then(first_line).and_then(LedgerName::from_origin);
    match (claimed, Recorded::in_folder(dir)?) {
        (Some(claimed), Some(recorded)) if !recorded.fits(&claimed) => {
            // Nobody gets rid of a ledger of his own by putting another's entry first.
            let own = Recorded::any_of(dir, &claimed)?
                || register.has_signed(&claimed, &copies::copy(dir, &claimed)?);
            Ok(if own { claimed } else { recorded.name(register) })
        }
        (Some(claimed), _) => Ok(claimed),
        (None, Some(recorded)) => Ok(recorded.name(register)),
        (None, None) => {
            let dir = dir.display();
            Err(usage(format!(
                "neither checkpoint nor first entry tells whose ledger is in `{dir}`"
            )))
        }
    }
}

/// What the first readable entry says.
struct Recorded {
    party: Oin,
    /// Whether it is of a ledger of receipts; a start may be of any.
    receipts: Option<bool>,
}

impl Recorded {
    fn in_folder(dir: &Path) -> anyhow::Result<Option<Self>> {
        let mut first = None;
        for entry in open(dir)?.whole_entries().map_err(unreadable)? {
            let bytes = match entry {
                Ok((_, bytes)) => bytes,
                Err(error @ EntriesError::Io(_)) => return Err(unreadable(error)),
                Err(_) => break,
            };
            let Ok(Self { party, receipts }) = EntryBytes::parse(&bytes).map(Self::of) else {
                continue;
            };
            let party = first.get_or_insert(party).clone();
            if receipts.is_some() {
                return Ok(Some(Self { party, receipts }));
            }
        }
        Ok(first.map(|party| Self { party, receipts: None }))
    }

    /// Whether any entry that can be read is one of this ledger; a start may be of another ledger of its party.
    fn any_of(dir: &Path, claimed: &LedgerName) -> anyhow::Result<bool> {
        for entry in open(dir)?.whole_entries().map_err(unreadable)? {
            let Ok((_, bytes)) = entry else { break };
            let recorded = EntryBytes::parse(&bytes).map(Self::of);
            if recorded.is_ok_and(|one| one.receipts.is_some() && one.fits(claimed)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn of(entry: Entry) -> Self {
        let (party, receipts) = match entry {
            Entry::Started(one) => (one.party, None),
            Entry::Conflict(one) => (one.party, Some(false)),
            Entry::Read(one) => (one.party, Some(false)),
            Entry::Decision(one) => (one.party, Some(false)),
            Entry::Outcome(one) => (one.party, Some(false)),
            Entry::Rejected(one) => (one.party, Some(false)),
            Entry::Receipt(one) => (one.party, Some(true)),
        };
        Self { party, receipts }
    }

    fn fits(&self, claimed: &LedgerName) -> bool {
        let receipts = claimed.kind == LedgerKind::Receipts;
        claimed.party == self.party && self.receipts.is_none_or(|own| own == receipts)
    }

    fn name(self, register: &RegisterEvidence) -> LedgerName {
        let enrolment = register.register().state().enrolment(&self.party);
        let coordinates = enrolment.is_some_and(|one| one.kind.as_str() == "coordinator");
        let kind = match self.receipts {
            Some(true) => LedgerKind::Receipts,
            _ if coordinates => LedgerKind::Coordinator,
            _ => LedgerKind::Node,
        };
        LedgerName::new(kind, self.party)
    }
}
