//! What a report is made from: the number that is asked about, the node's copy of the register and its key.

use std::{fs, path::Path};

use convenant_ledger::{LedgerVerifier, SignedCheckpoint, origin, register::Register};
use convenant_model::{
    parse::BoundedText,
    query::RegisterPosition,
    register::RegisterState,
    subjects::{Identifying, bsn, holds_bsn},
};
use convenant_node::NodeConfig;
use convenant_register::folder;
use convenant_setup::{signing_key, verifying_key};
use convenant_signing::SigningKey;
use zeroize::Zeroizing;

use crate::exit::{Named as _, bad_evidence, usage};

/// The only number in a file. No error repeats what is in it: it names the line.
pub(super) fn person(path: &Path) -> anyhow::Result<Identifying> {
    let text = fs::read_to_string(path).named(|| format!("`{}` cannot be read", path.display()))?;
    let text = Zeroizing::new(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut person = None;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fault = |what: &str| usage(format!("`{}`, line {number}: {what}", path.display()));
        if person.is_some() {
            return Err(fault("a report is on one person"));
        }
        person = Some(bsn(line).ok_or_else(|| fault("not a BSN"))?);
    }
    person.ok_or_else(|| usage(format!("`{}` holds no BSN", path.display())))
}

pub(super) fn reference(text: &str) -> anyhow::Result<BoundedText<100>> {
    if holds_bsn(text) {
        return Err(usage("`--reference` holds a BSN"));
    }
    BoundedText::new(text).map_err(|error| usage(format!("`--reference`: {error}")))
}

/// The node's copy of the register, verified again.
pub(super) fn register(config: &NodeConfig) -> anyhow::Result<Register> {
    let dir = config.data.dir.join("register");
    let note = folder::checkpoint(&dir)?;
    let note = note.ok_or_else(|| usage(format!("`{}` holds no register", dir.display())))?;
    let name = origin::register(&config.coordinator.oin)?;
    let verifier = LedgerVerifier::new(name, verifying_key(&config.register.key)?)?;
    let checkpoint = SignedCheckpoint::parse(&note, &verifier).map_err(bad_evidence)?;
    let stated = checkpoint.checkpoint();
    let root = config.register.root_of_trust()?;
    let register = folder::read_first(&dir, root, stated.size).map_err(bad_evidence)?;
    if register.position() != (RegisterPosition { size: stated.size, root: stated.root }) {
        let fault =
            anyhow::anyhow!("the register in `{}` is not what its checkpoint says", dir.display());
        return Err(bad_evidence(fault));
    }
    Ok(register)
}

/// The node's ledger key that the register enrols; the present one where it enrols none.
pub(super) fn own_key(config: &NodeConfig, state: &RegisterState) -> anyhow::Result<SigningKey> {
    let present = signing_key(&config.keys.ledger)?;
    let enrolled = state.enrolment(&config.party.oin).map(|one| &one.ledger_key);
    let next = config.keys.next_ledger.as_ref().filter(|path| path.exists());
    match next {
        Some(path) if enrolled.is_some_and(|key| key != present.verifying_key()) => {
            Ok(signing_key(path)?)
        }
        _ => Ok(present),
    }
}
