//! The documents of the example: as TOML for people, and signed for the register.

use std::{collections::BTreeSet, path::Path};

use convenant_model::{
    DatasetId, Date, Digest, FieldName, Oin,
    covenant::{Covenant, CovenantText, Use},
    documents::{
        Accession, Annex, AnnexField, Attachment, AttachmentKind, Attestation, Document,
        DocumentKind, Enrolment, ExpectedHits, Holder, Mandate, NodeEnrolment, ProjectDecision,
        Proposal, PublishedPredicate, Role, Tested, tag,
    },
    keys::VerifyingKey,
    parse::{BoundedText, from_toml},
    query::QueryKind,
    register::Envelope as _,
};
use convenant_signing::{Jws, SigningKey, canonical, sha256};
use serde::Serialize;

use crate::{
    error::{DemoError, Result},
    federation::Party,
    files,
    spec::{DecisionTerms, MandateTerms},
};

/// The example covenant.
pub const COVENANT_TOML: &str = include_str!("../assets/covenant.toml");

/// A document as a person reads it and as the register holds it.
#[derive(Clone, Debug)]
pub struct SignedDocument {
    /// What kind of document it is.
    pub kind: DocumentKind,
    /// Name of its files, without the number in front.
    pub name: String,
    /// The document as TOML.
    pub toml: String,
    /// The document as canonical JSON, with its signatures.
    pub jws: Jws,
}

impl SignedDocument {
    /// Signs a document. A key that is named twice signs once.
    ///
    /// # Errors
    /// When the document has no canonical form or TOML, or a key fails.
    pub fn new<'k, T: Document>(
        name: &str,
        document: &T,
        signers: impl IntoIterator<Item = &'k SigningKey>,
    ) -> Result<Self> {
        let toml = toml::to_string_pretty(document)?;
        Self::with_text(T::KIND, name, toml, document, signers)
    }

    /// Signs a covenant; its text stays as it was written, with its comments.
    ///
    /// # Errors
    /// When the text is no covenant, or a key fails.
    pub fn covenant<'k>(
        text: &str,
        signers: impl IntoIterator<Item = &'k SigningKey>,
    ) -> Result<Self> {
        let covenant: CovenantText = from_toml("covenant.toml", text)?;
        let kind = DocumentKind::Covenant;
        Self::with_text(kind, "covenant", text.to_owned(), &covenant, signers)
    }

    /// Whether it is one of those with which a register begins: the covenant, accessions, enrolments.
    #[must_use]
    pub const fn founds(&self) -> bool {
        use DocumentKind::{Accession, Covenant, Enrolment};
        matches!(self.kind, Covenant | Accession | Enrolment)
    }

    /// Hash of the canonical bytes: what a decision and a mandate name a proposal by.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.jws.payload_hash()
    }

    /// `NN-NAME`, the name of its files.
    pub(crate) fn stem(&self, number: usize) -> String {
        format!("{number:02}-{}", self.name)
    }

    /// Writes `NN-NAME.toml` and `NN-NAME.jws`; the number is its place in the order of submission.
    pub(crate) fn write(&self, dir: &Path, number: usize) -> Result<()> {
        let stem = self.stem(number);
        files::write(&dir.join(format!("{stem}.toml")), &self.toml)?;
        files::write(&dir.join(format!("{stem}.jws")), self.jws.to_json())
    }

    fn with_text<'k, T: Serialize>(
        kind: DocumentKind,
        name: &str,
        toml: String,
        document: &T,
        signers: impl IntoIterator<Item = &'k SigningKey>,
    ) -> Result<Self> {
        let mut jws = Jws::new(kind.media_type(), canonical(document)?);
        let mut signed = BTreeSet::new();
        for key in signers {
            if signed.insert(key.id()) {
                jws.sign(key)?;
            }
        }
        Ok(Self { kind, name: name.to_owned(), toml, jws })
    }
}

/// The enrolment of a party for two years from sixty days before `today`. `more_pins` are TLS keys
/// that it uses besides its own certificate's: a project leader's client has one.
///
/// # Errors
/// When a name is too long for a document.
pub fn enrolment(party: &Party, more_pins: &[Digest], today: Date) -> Result<Enrolment> {
    let from = today.plus_days(-60);
    let node = party.address.filter(|_| !party.datasets.is_empty());
    let node = node.map(|address| {
        Ok::<_, DemoError>(NodeEnrolment {
            address: text(address.to_string())?,
            sealing_key: party.keys.sealing.sealing_key().clone(),
            datasets: party.datasets.clone(),
        })
    });
    Ok(Enrolment {
        document: tag::Enrolment::Enrolment,
        partner: party.oin.clone(),
        name: text(&party.title)?,
        kind: text(&party.kind)?,
        valid_from: from,
        valid_until: from.plus_months(24),
        signing_key: party.keys.signing.verifying_key().clone(),
        ledger_key: party.keys.ledger.verifying_key().clone(),
        tls_pins: [&[party.certificate.pin], more_pins].concat(),
        node: node.transpose()?,
    })
}

/// The accession of a party of a kind that anybody may join, sixty days before `today`.
///
/// # Errors
/// When a name is too long for a document.
pub fn accession(party: &Party, covenant: &Covenant, today: Date) -> Result<Accession> {
    Ok(Accession {
        document: tag::Accession::Accession,
        covenant: covenant.head().id.clone(),
        partner: party.oin.clone(),
        name: text(&party.title)?,
        kind: text(&party.kind)?,
        from: today.plus_days(-60),
        reference: text("Besluit van het college tot toetreding")?,
        signing_key: party.keys.signing.verifying_key().clone(),
    })
}

/// What a participant attests of a proposal with this hash, with papers of a month before its start.
///
/// # Errors
/// Never with the texts that stand here; they are checked like all others.
pub fn attestation(proposal: &Proposal, hash: Digest, partner: &Oin) -> Result<Attestation> {
    let date = proposal.start.plus_days(-30);
    let paper = |(kind, id, conclusion): (AttachmentKind, &str, &str)| {
        let hash = sha256(format!("{id} {partner}").as_bytes());
        Ok(Attachment { kind, id: text(id)?, date, hash, conclusion: text(conclusion)? })
    };
    let papers = [
        (AttachmentKind::Dpia, "DPIA", "Restrisico aanvaardbaar met de maatregelen"),
        (AttachmentKind::FgAdvice, "Advies van de FG", "Positief, met toezicht op bewaartermijnen"),
        (AttachmentKind::SecurityPlan, "Beveiligingsplan", "Voldoet aan de BIO"),
        (AttachmentKind::RiskAnalysis, "Risicoanalyse", "Geen hoog restrisico"),
        (AttachmentKind::CommunicationPlan, "Communicatieplan", "Samenvatting bij start en einde"),
    ];
    Ok(Attestation {
        document: tag::Attestation::Attestation,
        project: proposal.project.clone(),
        proposal: hash,
        partner: partner.clone(),
        tested: Tested {
            necessity: text("Zonder deze gegevens is het doel niet te bereiken")?,
            proportionality: text("De inbreuk staat in verhouding tot het misbruik")?,
            data_minimisation: text("Elk veld is nodig; wat niet nodig is, is geschrapt")?,
            no_milder_means: text("Huisbezoek alleen volstond niet")?,
        },
        attachment: papers.into_iter().map(paper).collect::<Result<_>>()?,
    })
}

/// A condition that a project publishes.
///
/// # Errors
/// When the dataset or the condition is none, or a text is too long.
pub fn predicate(
    id: &str,
    dataset: &str,
    expression: &str,
    explanation: &str,
) -> Result<PublishedPredicate> {
    Ok(PublishedPredicate {
        id: text(id)?,
        version: 1,
        dataset: DatasetId::new(dataset)?,
        expression: expression.parse().map_err(DemoError::Predicate)?,
        explanation: text(explanation)?,
        expected_hits: ExpectedHits { least: 0, most: 500 },
        false_positives: text("Wie kort geleden is verhuisd, of een oude opgave heeft")?,
    })
}

/// What one provider provides under a project: fields with the necessity of each.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// The partner that provides.
    pub provider: &'a Oin,
    /// The dataset.
    pub dataset: &'a str,
    /// The kinds of query.
    pub kinds: &'a [QueryKind],
    /// The provider's legal basis.
    pub basis_provider: &'a str,
    /// The receiver's legal basis.
    pub basis_receiver: &'a str,
    /// Names of the fields, each with why it is necessary.
    pub fields: &'a [(&'a str, &'a str)],
}

impl Grant<'_> {
    /// The annex to a proposal; each field gets the category that the covenant gives it.
    ///
    /// # Errors
    /// When the covenant has no such dataset, or no such field that may be granted.
    pub fn annex(&self, covenant: &Covenant) -> Result<Annex> {
        let id = DatasetId::new(self.dataset)?;
        let dataset = covenant.dataset(&id);
        let dataset = dataset.ok_or_else(|| DemoError::Dataset(id.clone()))?;
        let field = |&(name, necessity): &(&str, &str)| {
            let name = FieldName::new(name)?;
            let known = dataset.field(&name);
            let usable = known.filter(|field| field.usage != Use::Refused);
            let category = usable.and_then(|field| field.category);
            let missing = || DemoError::Field { dataset: id.clone(), field: name.clone() };
            Ok(AnnexField {
                category: category.ok_or_else(missing)?,
                name: name.clone(),
                necessity: text(necessity)?,
            })
        };
        Ok(Annex {
            provider: self.provider.clone(),
            dataset: id.clone(),
            kinds: self.kinds.iter().copied().collect(),
            basis_provider: text(self.basis_provider)?,
            basis_receiver: text(self.basis_receiver)?,
            retention_days: 90,
            own_task: None,
            wpg_decision: None,
            field: self.fields.iter().map(field).collect::<Result<_>>()?,
        })
    }
}

/// The LSI's decision on a proposal with this hash, and on these attestations.
///
/// # Errors
/// When the reason is too long for a document.
pub fn decision(
    proposal: &Proposal,
    hash: Digest,
    attestations: BTreeSet<Digest>,
    terms: &DecisionTerms,
) -> Result<ProjectDecision> {
    Ok(ProjectDecision {
        document: tag::Decision::Decision,
        project: proposal.project.clone(),
        proposal: hash,
        attestations,
        decided_on: terms.valid_from,
        outcome: terms.outcome,
        reason: text(&terms.reason)?,
        valid_from: terms.valid_from,
        valid_until: terms.valid_until,
        extended: terms.extended,
    })
}

/// The mandate of the responsible partner for one project leader.
///
/// # Errors
/// Never with the texts that stand here; they are checked like all others.
pub fn mandate(
    proposal: &Proposal,
    hash: Digest,
    terms: &MandateTerms,
    leader: &VerifyingKey,
) -> Result<Mandate> {
    Ok(Mandate {
        document: tag::Mandate::Mandate,
        project: proposal.project.clone(),
        proposal: hash,
        under: None,
        partner: proposal.responsible.clone(),
        valid_from: terms.valid_from,
        valid_until: terms.valid_until,
        max_subjects: terms.max_subjects,
        holder: vec![Holder {
            function: text("operationeel projectleider")?,
            role: Role::Leader,
            key: leader.clone(),
        }],
    })
}

/// A checked text of a document.
///
/// # Errors
/// When it is empty, too long or holds control characters.
pub(crate) fn text<const N: usize>(text: impl Into<String>) -> Result<BoundedText<N>> {
    BoundedText::new(text).map_err(DemoError::Text)
}
