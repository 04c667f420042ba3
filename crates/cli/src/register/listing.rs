//! Documents of the register, in one line each or in full.

use std::path::Path;

use anyhow::Context as _;
use convenant_model::{
    Digest, KeyId,
    documents::{Document, DocumentKind, Visit},
    parse::{ParseError, from_json},
    register::Envelope as _,
};
use convenant_register::folder;
use convenant_signing::Jws;
use serde::Serialize;

use super::{Opened, listed};
use crate::{
    exit::{bad_evidence, usage},
    output,
};

/// A document in one line.
#[derive(Serialize)]
pub(super) struct Listed {
    index: u64,
    document: &'static str,
    hash: Digest,
    summary: String,
    signed_by: Vec<KeyId>,
}

impl Listed {
    pub(super) fn read(dir: &Path, index: u64) -> anyhow::Result<Self> {
        let (jws, kind) = parsed(dir, index)?;
        Ok(Self {
            index,
            document: kind.as_str(),
            hash: jws.payload_hash(),
            summary: output::shown(&kind.visit(Summarise(jws.payload()))?),
            signed_by: jws.key_ids().cloned().collect(),
        })
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.index.to_string(),
            self.document.to_owned(),
            self.hash.to_string(),
            format!("{} signature(s)", self.signed_by.len()),
            self.summary.clone(),
        ]
    }
}

pub(super) fn list(opened: &Opened, json: bool) -> anyhow::Result<()> {
    let documents = listed(opened)?;
    if json {
        return output::json(&documents);
    }
    let rows: Vec<_> = documents.iter().map(Listed::row).collect();
    output::columns(&rows).iter().try_for_each(|line| output::line(line))
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    content: serde_json::Value,
}

pub(super) fn show(opened: &Opened, index: u64, json: bool) -> anyhow::Result<()> {
    within(opened, index)?;
    let listed = Listed::read(&opened.dir, index)?;
    let (jws, _) = parsed(&opened.dir, index)?;
    let content = serde_json::from_slice(jws.payload()).map_err(bad_evidence)?;
    if json {
        return output::json(&Shown { listed, content });
    }
    output::note(&format!("{} {}", listed.document, listed.hash));
    for key in &listed.signed_by {
        output::note(&format!("signed by key {key}"));
    }
    output::json(&content)
}

/// Shows a document as a person writes one.
pub(super) fn show_toml(opened: &Opened, index: u64) -> anyhow::Result<()> {
    within(opened, index)?;
    let (jws, kind) = parsed(&opened.dir, index)?;
    output::raw(kind.visit(AsToml(jws.payload()))?.as_bytes())
}

fn within(opened: &Opened, index: u64) -> anyhow::Result<()> {
    let size = opened.register.position().size;
    if index < size {
        return Ok(());
    }
    let documents = output::number(size, "document", "documents");
    Err(usage(format!("the register has {documents}, from 0 on")))
}

struct AsToml<'a>(&'a [u8]);

impl Visit for AsToml<'_> {
    type Output = anyhow::Result<String>;
    fn visit<T: Document>(self) -> Self::Output {
        let document: T = from_json(T::KIND.as_str(), self.0)?;
        Ok(toml::to_string_pretty(&toml::Table::try_from(document)?)?)
    }
}

fn parsed(dir: &Path, index: u64) -> anyhow::Result<(Jws, DocumentKind)> {
    let bytes = folder::document(dir, index)?;
    let jws = Jws::parse(&bytes).map_err(bad_evidence)?;
    let kind = DocumentKind::from_media_type(jws.typ());
    let kind = kind.with_context(|| format!("document {index} is of no known type"));
    Ok((jws, kind.map_err(bad_evidence)?))
}

/// What the payload of a document says in one line.
struct Summarise<'a>(&'a [u8]);

impl Visit for Summarise<'_> {
    type Output = Result<String, ParseError>;
    fn visit<T: Document>(self) -> Self::Output {
        Ok(from_json::<T>(T::KIND.as_str(), self.0)?.summary())
    }
}
