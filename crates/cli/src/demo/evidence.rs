//! The audit: every ledger is replayed, then one byte is changed, and the audit names the entry.

use std::{
    fs::OpenOptions,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use convenant_audit::{Code, Finding, LedgerKind, LedgerName, Report};
use convenant_demo::Federation;
use convenant_ledger::frame;
use convenant_model::Oin;
use convenant_store::FileLedger;

use super::summary::TamperSeen;
use crate::audit;

/// Everything that the parties left behind.
pub(super) struct Evidence {
    folder: PathBuf,
    ledgers: Vec<Ledger>,
}

/// A ledger on disk.
pub(super) struct Ledger {
    /// The party's short name.
    pub(super) party: String,
    name: LedgerName,
    folder: PathBuf,
}

/// A byte of an entry, as it was.
pub(super) struct Byte {
    file: PathBuf,
    at: u64,
    was: u8,
    entry: u64,
}

impl Evidence {
    /// Finds the ledgers.
    pub(super) fn gather(folder: &Path, federation: &Federation) -> Self {
        let coordinator = &federation.coordinator;
        let ledger = |party: &str, kind, oin: &Oin, folder| Ledger {
            party: party.to_owned(),
            name: LedgerName::new(kind, oin.clone()),
            folder,
        };
        let own = coordinator.dir.join("state/ledger");
        let mut ledgers =
            vec![ledger("coordinator", LedgerKind::Coordinator, &coordinator.oin, own)];
        for party in federation.partners.iter().filter(|party| party.address.is_some()) {
            let folder = party.dir.join("state/ledger");
            ledgers.push(ledger(&party.name, LedgerKind::Node, &party.oin, folder));
        }
        let leader = &federation.leader;
        let receipts = leader.dir.join("state/receipts");
        ledgers.push(ledger("leader", LedgerKind::Receipts, &leader.partner, receipts));
        Self { folder: folder.to_owned(), ledgers }
    }

    /// What `convenant audit replay --federation` reports.
    pub(super) fn replay(&self) -> Result<Report> {
        audit::of_federation(&self.folder)
    }

    /// The finding that somebody asked a party past the coordinator.
    pub(super) fn asked_past_coordinator<'r>(
        &self,
        report: &'r Report,
        party: &str,
    ) -> Result<&'r Finding> {
        let name = self.ledger(party)?.name.to_string();
        let here =
            |finding: &&Finding| finding.code == Code::RefusedUnasked && finding.ledger == name;
        let found = report.findings.iter().find(here);
        found.context("the coordinator went round its own ledger, and the audit did not see it")
    }

    /// The ledger of a party.
    pub(super) fn ledger(&self, party: &str) -> Result<&Ledger> {
        let ledger = self.ledgers.iter().find(|ledger| ledger.party == party);
        ledger.with_context(|| format!("{party} keeps no ledger"))
    }

    /// The short name of the party whose ledger a report speaks of.
    pub(super) fn party(&self, name: &str) -> &str {
        let ledger = self.ledgers.iter().find(|ledger| ledger.name.to_string() == name);
        ledger.map_or("register", |ledger| ledger.party.as_str())
    }
}

impl Ledger {
    /// Changes one bit in the middle of the entry in the middle.
    pub(super) fn tamper(&self) -> Result<Byte> {
        let ledger = FileLedger::open_read(&self.folder)?;
        let entries = ledger.entries()?.collect::<Result<Vec<_>, _>>()?;
        let middle = entries.len() / 2;
        let before = entries.iter().take(middle).map(|(_, entry)| frame::HEADER + entry.len());
        let before: usize = before.sum();
        let (entry, bytes) = entries.get(middle).context("an empty ledger")?;
        let at = (before + frame::HEADER + bytes.len() / 2) as u64;
        // A ledger this short has one segment, which is named after its first entry.
        let file = self.folder.join("segments").join(format!("{:020}.seg", 0));
        let mut byte = [0];
        OpenOptions::new().read(true).open(&file)?.read_exact_at(&mut byte, at)?;
        let [was] = byte;
        write_byte(&file, at, was ^ 1)?;
        Ok(Byte { file, at, was, entry: *entry })
    }

    /// What a report says of this ledger after a byte was changed.
    pub(super) fn finding(&self, report: &Report, byte: &Byte) -> Result<TamperSeen> {
        ensure!(!report.holds(), "a byte was changed, and the audit passes");
        let name = self.name.to_string();
        let here = |finding: &&Finding| {
            finding.ledger == name && matches!(finding.code, Code::Damaged | Code::Altered)
        };
        let Some(finding) = report.findings.iter().find(here) else {
            bail!("a byte was changed, and the audit does not say where");
        };
        let named_entry = finding.entry.context("the audit does not say which entry")?;
        ensure!(
            named_entry == byte.entry,
            "entry {} was changed, and the audit names entry {named_entry}",
            byte.entry
        );
        Ok(TamperSeen {
            ledger: self.party.clone(),
            changed_entry: byte.entry,
            named_entry,
            code: finding.code.as_str(),
            finding: finding.to_string(),
        })
    }
}

impl Byte {
    /// Puts the byte back.
    pub(super) fn restore(&self) -> Result<()> {
        write_byte(&self.file, self.at, self.was)
    }

    /// Where the byte stands.
    pub(super) fn place(&self) -> (&Path, u64) {
        (&self.file, self.at)
    }
}

fn write_byte(file: &Path, at: u64, byte: u8) -> Result<()> {
    Ok(OpenOptions::new().write(true).open(file)?.write_all_at(&[byte], at)?)
}
