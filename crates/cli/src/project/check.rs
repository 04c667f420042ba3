//! `convenant project check`: everything that keeps a document from the register, said at once.

use std::{collections::BTreeSet, fs, path::Path};

use convenant_model::{
    Digest, Oin,
    covenant::Term,
    documents::{Document, DocumentKind, Proposal, Visit},
    keys::VerifyingKey,
    parse::from_toml,
    register::{AdmissionError, Envelope, Fault, RegisterState},
};
use convenant_signing::{Jws, canonical, sha256};
use serde::{Deserialize, Serialize};

use super::format::{self, FormFault};
use crate::{
    exit::{Named as _, usage},
    lang::Lang,
    output,
};

/// What a check found.
#[derive(Serialize)]
pub(super) struct Checked {
    file: String,
    document: DocumentKind,
    pub(super) faults: Vec<String>,
    warnings: Vec<String>,
    /// Who must sign it.
    signers: Vec<String>,
}

/// Checks a document, as a person wrote it or as it was signed, against the register.
pub(super) fn check(file: &Path, state: &RegisterState, lang: Lang) -> anyhow::Result<Checked> {
    let name = file.display().to_string();
    let bytes = fs::read(file).named(|| format!("`{name}` cannot be read"))?;
    if let Ok(jws) = Jws::parse(&bytes) {
        return signed(name, &jws, state, lang);
    }
    let text = String::from_utf8(bytes).map_err(|_| usage(format!("`{name}` is not UTF-8")))?;
    #[derive(Deserialize)]
    struct Kind {
        document: DocumentKind,
    }
    match from_toml(&name, &text)? {
        Kind { document: DocumentKind::Proposal } => proposal(name, &text, state, lang),
        Kind { document } => {
            let table: toml::Table = from_toml(&name, &text)?;
            let faults = document.visit(AsSigned { table, state, lang })?;
            Ok(Checked { file: name, document, faults, warnings: Vec::new(), signers: Vec::new() })
        }
    }
}

/// A document as a person wrote it, tried on a copy of the register as if all who must had signed it.
struct AsSigned<'a> {
    table: toml::Table,
    state: &'a RegisterState,
    lang: Lang,
}

impl Visit for AsSigned<'_> {
    type Output = anyhow::Result<Vec<String>>;

    fn visit<T: Document>(self) -> Self::Output {
        let (read, form) = format::read::<T>(&self.table);
        let mut faults: Vec<_> = form.iter().map(|fault| fault.said(self.lang)).collect();
        if let Some(document) = read {
            let payload = canonical(&document)?;
            match self.state.clone().admit(&Unsigned { typ: T::KIND.media_type(), payload }) {
                Ok(_) => {}
                Err(AdmissionError::Faults { faults: found, .. }) => {
                    let meant = |fault: &&Fault| !format::follows(&fault.member, &form);
                    faults.extend(found.iter().filter(meant).map(|fault| said(fault, self.lang)));
                }
                // Of a document that had to be mended this says nothing that was not said.
                Err(error) if form.is_empty() => faults.push(error.to_string()),
                Err(_) => {}
            }
        }
        Ok(faults)
    }
}

/// Why a copy of the register does not admit this.
pub(super) fn tried(envelope: &impl Envelope, state: &RegisterState, lang: Lang) -> Vec<String> {
    match state.clone().admit(envelope) {
        Ok(_) => Vec::new(),
        Err(AdmissionError::Faults { faults, .. }) => {
            faults.iter().map(|fault| said(fault, lang)).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}

/// A document before it is signed: in the eyes of the register, by everybody.
pub(super) struct Unsigned {
    pub(super) typ: &'static str,
    pub(super) payload: Vec<u8>,
}

impl Envelope for Unsigned {
    fn typ(&self) -> &str {
        self.typ
    }

    fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn payload_hash(&self) -> Digest {
        sha256(&self.payload)
    }

    fn signed_by(&self, _: &VerifyingKey) -> bool {
        true
    }
}

fn proposal(
    name: String,
    text: &str,
    state: &RegisterState,
    lang: Lang,
) -> anyhow::Result<Checked> {
    let table: toml::Table = from_toml(&name, text)?;
    let (read, form) = format::read::<Proposal>(&table);
    let mut faults: Vec<_> = form.iter().map(|fault| fault.said(lang)).collect();
    let (mut warnings, mut signers) = (Vec::new(), Vec::new());
    if let Some(proposal) = &read {
        let meant = |fault: &Fault| !format::follows(&fault.member, &form);
        let found = state.faults_of(proposal);
        faults.extend(found.iter().filter(|fault| meant(fault)).map(|fault| said(fault, lang)));
        if form.is_empty() {
            warnings = warnings_of(proposal, state, lang);
        }
        signers = named(proposal.signers(), state, &form);
    }
    Ok(Checked { file: name, document: Proposal::KIND, faults, warnings, signers })
}

fn named(signers: BTreeSet<&Oin>, state: &RegisterState, form: &[FormFault]) -> Vec<String> {
    if ["proposed_by", "responsible", "annex"].iter().any(|one| format::follows(one, form)) {
        return Vec::new();
    }
    let name = |oin: &Oin| state.enrolment(oin).map_or("", |one| one.name.as_str()).to_owned();
    signers.into_iter().map(|oin| format!("{oin} {}", output::shown(&name(oin)))).collect()
}

fn warnings_of(proposal: &Proposal, state: &RegisterState, lang: Lang) -> Vec<String> {
    let Some(covenant) = state.covenant().map(|one| &one.covenant) else { return Vec::new() };
    let mut warnings = Vec::new();
    if proposal.end >= proposal.start.plus_months(covenant.months(Term::Usual)) {
        let text = lang.of(
            "`end`: langer dan gebruikelijk; de LSI moet dat motiveren (S11)",
            "`end`: longer than usual; the LSI must give reasons (S11)",
        );
        warnings.push(text.to_owned());
    }
    let longest = proposal.annex.iter().map(|annex| annex.retention_days).max().unwrap_or(0);
    let destruction = proposal.start.plus_months(covenant.months(Term::Destruction));
    if proposal.end.plus_days(i32::from(longest)) > destruction {
        let text = lang.of(
            "`end`: wat aan het einde wordt gevraagd, kan niet zo lang worden bewaard als de bijlage noemt (L6)",
            "`end`: what is asked near the end cannot be kept for as long as the annex says (L6)",
        );
        warnings.push(text.to_owned());
    }
    if proposal.predicate.is_empty() {
        let text = lang.of(
            "er zijn geen voorwaarden: vragen kunnen alleen opzoeken (S12)",
            "there are no conditions: queries can only look up (S12)",
        );
        warnings.push(text.to_owned());
    }
    warnings
}

/// A signed document is tried on a copy of the register.
fn signed(name: String, jws: &Jws, state: &RegisterState, lang: Lang) -> anyhow::Result<Checked> {
    let document = DocumentKind::from_media_type(jws.typ());
    let document = document.ok_or_else(|| usage(format!("`{name}` is no document")))?;
    let faults = tried(jws, state, lang);
    Ok(Checked { file: name, document, faults, warnings: Vec::new(), signers: Vec::new() })
}

/// Admits a signed document to a copy of the register, or says why it would not be admitted.
pub(super) fn admit(file: &Path, state: &mut RegisterState, lang: Lang) -> anyhow::Result<()> {
    let name = file.display().to_string();
    let bytes = fs::read(file).named(|| format!("`{name}` cannot be read"))?;
    let jws = Jws::parse(&bytes)
        .map_err(|error| usage(format!("`{name}` is no signed document: {error}")))?;
    match state.admit(&jws) {
        Ok(_) => Ok(()),
        Err(AdmissionError::Faults { faults, .. }) => {
            let faults: Vec<_> = faults.iter().map(|fault| said(fault, lang)).collect();
            Err(usage(format!("`{name}`: {}", faults.join("; "))))
        }
        Err(error) => Err(usage(format!("`{name}`: {error}"))),
    }
}

fn said(fault: &Fault, lang: Lang) -> String {
    output::shown(&match lang {
        Lang::Nl => fault.dutch(),
        Lang::En => fault.english(),
    })
}

impl Checked {
    /// Says what was found; an error where something is at fault.
    pub(super) fn report(&self, lang: Lang, json: bool) -> anyhow::Result<()> {
        if json {
            output::json(self)?;
        } else {
            self.print(lang)?;
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        let (number, file) = (self.faults.len(), &self.file);
        Err(usage(match lang {
            Lang::Nl if number == 1 => format!("`{file}`: 1 punt staat toelating in de weg"),
            Lang::Nl => format!("`{file}`: {number} punten staan toelating in de weg"),
            Lang::En if number == 1 => format!("`{file}`: 1 point stands in the way of admission"),
            Lang::En => format!("`{file}`: {number} points stand in the way of admission"),
        }))
    }

    fn print(&self, lang: Lang) -> anyhow::Result<()> {
        for fault in &self.faults {
            output::line(fault)?;
        }
        let warning = lang.of("waarschuwing", "warning");
        self.warnings.iter().for_each(|one| output::note(&format!("{warning}: {one}")));
        if !self.faults.is_empty() {
            return Ok(());
        }
        let fine =
            lang.of("niets staat toelating in de weg", "nothing stands in the way of admission");
        output::line(&format!("`{}`: {fine}", self.file))?;
        if !self.signers.is_empty() {
            output::note(lang.of("te ondertekenen door:", "to be signed by:"));
            self.signers.iter().for_each(|one| output::note(&format!("  {one}")));
        }
        Ok(())
    }
}
