//! `convenant ledger export`: a copy that others verify with tools of their own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use convenant_ledger::{LedgerVerifier, OpenError};
use convenant_model::Digest;
use serde::Serialize;

use super::{Folder, note, open, timestamp, verifier, verify::refused};
use crate::{
    exit::{Named as _, usage},
    output,
};

pub(super) const EXAMPLES: &str = "\
Example:
  convenant ledger export --dir state/ledger --key ledger.pub.jwk --out evidence/uwv

Writes `checkpoint`, `tile/` with hash tiles and entry bundles (C2SP `tlog-tiles`), and `vkeys`
with the ledger's key in the text form of C2SP `signed-note`, as Go's packages
golang.org/x/mod/sumdb/note and tlog read them. Of a register, the signed documents too; and the
checkpoints that witnesses cosigned, or that this party cosigned as a witness of others; and those
under a timestamp. Every other command that takes a ledger's folder takes the copy as well. The daemon may go on while it
is copied; what it records after the checkpoint is not in the copy.";

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    ledger: Folder,
    /// Public key of the ledger (JWK).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Name of the ledger [default: as its checkpoint says].
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// New folder for the copy.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What was copied.
#[derive(Serialize)]
struct Exported {
    origin: String,
    entries: u64,
    root: Digest,
    documents: u64,
}

pub(super) fn export(args: &ExportArgs, json: bool) -> anyhow::Result<()> {
    let (from, out) = (&args.ledger.dir, &args.out);
    if out.exists() {
        return Err(usage(format!("`{}` exists already", out.display())));
    }
    let ledger = open(from)?;
    let verifier = verifier(&args.key, args.origin.as_deref(), &note(from)?)?;
    let bar = output::bar("entries");
    let signed = ledger.export(out, &verifier, &mut |copied, of| {
        bar.set_length(of);
        bar.set_position(copied);
    });
    bar.finish_and_clear();
    let signed = signed.map_err(|error| failed(out, error))?;
    let checkpoint = signed.checkpoint();
    let documents = documents(from, out, checkpoint.size)?;
    for notes in ["witnessing", "witnessed", timestamp::FOLDER] {
        copy_folder(&from.join(notes), &out.join(notes))?;
    }
    write(&out.join("vkeys"), keys(&verifier).as_bytes())?;
    let origin = checkpoint.origin.as_str().to_owned();
    let exported = Exported { origin, entries: checkpoint.size, root: checkpoint.root, documents };
    if json {
        return output::json(&exported);
    }
    let entries = output::number(exported.entries, "entry", "entries");
    output::line(&format!("{}: {entries} copied", exported.origin))?;
    output::line(&format!("root {}", exported.root))
}

fn failed(out: &Path, error: OpenError) -> anyhow::Error {
    refused(error).context(format!("nothing to rely on was written to `{}`", out.display()))
}

fn keys(verifier: &LedgerVerifier) -> String {
    format!("{}\n", verifier.to_text())
}

/// The documents of a register, which its entries name by hash. Other ledgers have none.
fn documents(from: &Path, out: &Path, size: u64) -> anyhow::Result<u64> {
    if !from.join("documents").is_dir() {
        return Ok(0);
    }
    for index in 0..size {
        let source = convenant_register::folder::document_path(from, index);
        let read = fs::read(&source).named(|| format!("`{}`", source.display()))?;
        write(&convenant_register::folder::document_path(out, index), &read)?;
    }
    Ok(size)
}

/// Copies the files of a folder, if there is one.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    let listed = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed.named(|| format!("`{}` cannot be read", from.display()))?,
    };
    for file in listed {
        let file = file.named(|| format!("`{}` cannot be read", from.display()))?;
        let read = fs::read(file.path());
        let read = read.named(|| format!("`{}`", file.path().display()))?;
        write(&to.join(file.file_name()), &read)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, bytes)
    };
    write().named(|| format!("`{}` cannot be written", path.display()))
}
