//! What a folder is that is named as a ledger's or a register's. One that never was one is wrong use; one of which
//! something is gone is evidence that does not hold, and is found out elsewhere.

use std::{fs, path::Path};

use crate::{exit::usage, output};

const SEGMENTS: &str = "segments";
const TILES: &str = "tile";
const CHECKPOINT: &str = "checkpoint";
const DOCUMENTS: &str = "documents";

/// How the name of every register begins.
const OF_REGISTER: &str = "convenant.register/";

/// Where the ledgers are in folders that people name instead.
const BELOW: [&str; 6] =
    ["ledger", "receipts", "register", "state/ledger", "state/receipts", "state/register"];

/// An error unless this is the folder of a ledger, of its copy or of a register.
pub(super) fn is_one(dir: &Path) -> anyhow::Result<()> {
    let one = holds(dir, &[SEGMENTS, TILES, CHECKPOINT]) || holds_documents(dir);
    if one { Ok(()) } else { Err(no_ledger(dir)) }
}

/// An error unless this is the folder of a ledger or of its copy.
pub(super) fn has_entries(dir: &Path) -> anyhow::Result<()> {
    if holds(dir, &[SEGMENTS, TILES]) {
        return Ok(());
    }
    if has_documents_alone(dir) {
        return Err(usage(format!(
            "`{}` is no ledger but a register as others follow it: documents, without the entries that name \
             them; `convenant register` reads it, and the coordinator's `state/register` is a ledger as well",
            dir.display()
        )));
    }
    // A copy without a single entry has no tile.
    if holds(dir, &[CHECKPOINT]) { Ok(()) } else { Err(no_ledger(dir)) }
}

/// Whether this is a register as others follow it: documents, without the entries that name them.
pub(crate) fn has_documents_alone(dir: &Path) -> bool {
    holds_documents(dir) && !holds(dir, &[SEGMENTS, TILES])
}

/// Whether this is the copy of a ledger, as others verify it: without the daemon's segments.
pub(super) fn is_copy(dir: &Path) -> bool {
    !holds(dir, &[SEGMENTS])
}

/// An error unless this is the folder of a ledger whose entries tell of exchanges.
pub(crate) fn has_exchanges(dir: &Path) -> anyhow::Result<()> {
    has_entries(dir)?;
    let origin = origin(dir);
    if !origin.starts_with(OF_REGISTER) {
        return Ok(());
    }
    let (dir, origin) = (dir.display(), output::shown(&origin));
    Err(usage(format!(
        "`{dir}` is the register, `{origin}`: its entries name documents and tell of no exchange; \
         `convenant register list` lists them"
    )))
}

/// An error unless this is the folder of a register: one of which something is gone is evidence that does not hold.
pub(crate) fn is_register(dir: &Path) -> anyhow::Result<()> {
    let origin = origin(dir);
    if holds_documents(dir) || origin.starts_with(OF_REGISTER) {
        return Ok(());
    }
    if !origin.is_empty() || holds(dir, &[SEGMENTS, TILES]) {
        let (dir, origin) = (dir.display(), output::shown(&origin));
        let named = if origin.is_empty() { String::new() } else { format!(", `{origin}`") };
        return Err(usage(format!("`{dir}` is no register but a ledger{named}")));
    }
    let wanted = format!("neither `{DOCUMENTS}` nor a register's `{CHECKPOINT}`");
    Err(none(dir, "register", &wanted, holds_documents))
}

/// The first line of the checkpoint: whose it says that it is.
fn origin(dir: &Path) -> String {
    let note = fs::read_to_string(dir.join(CHECKPOINT)).unwrap_or_default();
    note.lines().next().unwrap_or_default().to_owned()
}

fn holds(dir: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| dir.join(name).exists())
}

/// Whether documents are there as a register keeps them: by their number, whatever the first may be.
pub(crate) fn holds_documents(dir: &Path) -> bool {
    documents_in(dir).next().is_some()
}

/// The numbers of the documents that are there as a register keeps them, in any order.
pub(crate) fn documents_in(dir: &Path) -> impl Iterator<Item = usize> + use<> {
    let number = |name: &str| -> Option<usize> {
        let number = name.strip_suffix(".jws")?;
        let plain = number.len() == 8 && number.bytes().all(|b| b.is_ascii_digit());
        number.parse().ok().filter(|_| plain)
    };
    let listed = fs::read_dir(dir.join(DOCUMENTS)).into_iter().flatten().flatten();
    listed.filter_map(move |file| number(file.file_name().to_str()?))
}

fn no_ledger(dir: &Path) -> anyhow::Error {
    let wanted = format!("neither `{SEGMENTS}` nor a `{CHECKPOINT}` with `{TILES}`");
    let is_one = |dir: &Path| holds(dir, &[SEGMENTS, TILES]) || holds_documents(dir);
    none(dir, "ledger", &wanted, is_one)
}

/// What a folder is that is not what it is named as, with those below it that are.
fn none(dir: &Path, what: &str, wanted: &str, is_one: impl Fn(&Path) -> bool) -> anyhow::Error {
    let shown = dir.display();
    if dir.is_file() {
        return usage(format!("`{shown}` is no {what} but a file; a {what} is a folder"));
    }
    if !dir.exists() {
        return usage(format!("`{shown}` is no {what}: there is no such folder"));
    }
    let below = BELOW.iter().map(|name| dir.join(name)).filter(|below| is_one(below));
    let below: Vec<_> = below.map(|below| format!("`{}`", below.display())).collect();
    let instead = match below.as_slice() {
        [] => String::new(),
        below => format!("; below it there is {}", below.join(", ")),
    };
    usage(format!("`{shown}` is no {what}: it holds {wanted}{instead}"))
}
