//! The signed documents of the federation.

use std::collections::BTreeMap;

use convenant_model::{
    Digest,
    covenant::CovenantText,
    documents::DocumentKind,
    keys::SealingKey,
    parse::from_toml,
    register::{Envelope as _, RootOfTrust},
};
use convenant_signing::{Jws, SigningKey, canonical, sha256};
use serde_json::{Value, json};

use crate::world::{COORDINATOR, ROTTERDAM, TOESLAGEN, UWV};

/// The covenant.
pub(crate) const COVENANT: &str = include_str!("../../../demo/assets/covenant.toml");

/// The title of the project: what its proposers like.
pub(crate) const TITLE: &str = "Adressen <script>alert(1)</script>";

/// The condition that the project published.
pub(crate) const CONDITION: &str = "datum_aanvang_inkomstenverhouding >= '2020-01-01'";

/// The LSI's key as the root of trust.
pub(crate) fn root(lsi: &SigningKey) -> RootOfTrust {
    RootOfTrust { lsi: vec![lsi.verifying_key().clone()], quorum: 1 }
}

/// The register's documents, and the hash of the proposal among them.
pub(crate) fn documents(
    lsi: &SigningKey,
    leader: &SigningKey,
    signing: &BTreeMap<&str, SigningKey>,
    ledger: &BTreeMap<&str, SigningKey>,
) -> (Vec<Vec<u8>>, Digest) {
    let text: CovenantText = from_toml("covenant.toml", COVENANT).unwrap();
    let covenant = serde_json::to_value(text).unwrap();
    let mut documents = vec![sign(DocumentKind::Covenant, &covenant, &[lsi])];
    for (party, kind, dataset) in [
        (COORDINATOR, "coordinator", None),
        (ROTTERDAM, "gemeente", None),
        (UWV, "uwv", Some("uwv/polisadministratie_inkomstenverhouding")),
        (TOESLAGEN, "toeslagen", Some("toeslagen/toeslag_beschikking")),
    ] {
        if kind == "gemeente" {
            let accession = accession(party, kind, &signing[party]);
            documents.push(sign(DocumentKind::Accession, &accession, &[&signing[party]]));
        }
        let enrolment = enrolment(party, kind, dataset, &signing[party], &ledger[party]);
        documents.push(sign(DocumentKind::Enrolment, &enrolment, &[lsi, &signing[party]]));
    }
    let signers = [ROTTERDAM, UWV, TOESLAGEN].map(|party| &signing[party]);
    let proposal = sign(DocumentKind::Proposal, &proposal(), &signers);
    let hash = proposal.payload_hash();
    documents.push(proposal);
    let mut attested = Vec::new();
    for party in [ROTTERDAM, UWV, TOESLAGEN] {
        let attestation = attestation(party, hash, "2026-01-10");
        let signed = sign(DocumentKind::Attestation, &attestation, &[&signing[party]]);
        attested.push(signed.payload_hash());
        documents.push(signed);
    }
    let decision = decision(hash, &attested, "2026-01-20");
    let mandate = json!({
        "document": "mandate", "project": "P-2026-001", "proposal": hash, "partner": ROTTERDAM,
        "valid_from": "2026-02-01", "valid_until": "2026-12-31", "max_subjects": 20,
        "holder": [{"function": "projectleider", "role": "leader", "key": leader.verifying_key()}],
    });
    documents.push(sign(DocumentKind::Decision, &decision, &[lsi]));
    documents.push(sign(DocumentKind::Mandate, &mandate, &[&signing[ROTTERDAM]]));
    (documents.iter().map(|jws| jws.to_json()).collect(), hash)
}

fn accession(party: &str, kind: &str, signing: &SigningKey) -> Value {
    json!({
        "document": "accession", "covenant": "lsi", "partner": party, "name": kind, "kind": kind,
        "from": "2026-01-01", "reference": "collegebesluit",
        "signing_key": signing.verifying_key(),
    })
}

/// The LSI's approval.
pub(crate) fn decision(proposal: Digest, attested: &[Digest], decided_on: &str) -> Value {
    json!({
        "document": "decision", "project": "P-2026-001", "proposal": proposal,
        "outcome": "approved", "attestations": attested, "decided_on": decided_on,
        "reason": "omdat", "valid_from": "2026-02-01", "valid_until": "2026-12-31",
    })
}

/// What a participant attests, with papers of a day.
pub(crate) fn attestation(party: &str, proposal: Digest, papers: &str) -> Value {
    let paper = |kind: &str| {
        json!({"kind": kind, "id": kind, "date": papers, "hash": sha256(kind.as_bytes()),
               "conclusion": "in orde"})
    };
    let kinds = ["dpia", "fg-advice", "security-plan", "risk-analysis", "communication-plan"];
    json!({
        "document": "attestation", "project": "P-2026-001", "proposal": proposal,
        "partner": party,
        "tested": {"necessity": "ja", "proportionality": "ja", "data_minimisation": "ja",
                   "no_milder_means": "ja"},
        "attachment": kinds.map(paper),
    })
}

/// The enrolment of an organisation.
pub(crate) fn enrolment(
    party: &str,
    kind: &str,
    dataset: Option<&str>,
    signing: &SigningKey,
    ledger: &SigningKey,
) -> Value {
    let mut enrolment = json!({
        "document": "enrolment", "partner": party, "name": kind, "kind": kind,
        "valid_from": "2026-01-01", "valid_until": "2030-12-31",
        "signing_key": signing.verifying_key(), "ledger_key": ledger.verifying_key(),
        "tls_pins": [sha256(party.as_bytes())],
    });
    if let Some(dataset) = dataset {
        let sealing = SealingKey::new([9; 32]);
        enrolment["node"] =
            json!({"address": "localhost:1", "sealing_key": sealing, "datasets": [dataset]});
    }
    enrolment
}

/// Signs a document.
pub(crate) fn sign(kind: DocumentKind, document: &Value, keys: &[&SigningKey]) -> Jws {
    let mut jws = Jws::new(kind.media_type(), canonical(document).unwrap());
    for key in keys {
        jws.sign(key).unwrap();
    }
    jws
}

/// What the partners propose.
pub(crate) fn proposal() -> Value {
    let participant = |oin: &str| json!({"partner": oin, "role": "deelnemer"});
    let annex = |provider: &str, dataset: &str, field: &str, category: &str| {
        json!({
            "provider": provider, "dataset": dataset, "kinds": ["lookup"],
            "basis_provider": "wet van de leverancier",
            "basis_receiver": "wet van de ontvanger", "retention_days": 60,
            "field": [{"name": field, "category": category, "necessity": "nodig"}],
        })
    };
    json!({
        "document": "proposal", "project": "P-2026-001", "version": 1, "title": TITLE,
        "theme": "adresfraude", "goals": ["toeslagenfraude"], "cause": "signalen",
        "earlier_measure": [{"means": "huisbezoek", "result": "te weinig", "date": "2025-06-01"}],
        "added_value": "samen weten we meer", "area": ["GM0599"],
        "participant": [participant(ROTTERDAM), participant(UWV), participant(TOESLAGEN)],
        "proposed_by": [ROTTERDAM], "responsible": ROTTERDAM,
        "start": "2026-01-01", "end": "2026-12-31",
        "quota": {"queries": 10_000_000, "subjects": 100_000_000}, "capacity": "twee mensen",
        "annex": [
            annex(UWV, "uwv/polisadministratie_inkomstenverhouding",
                "datum_aanvang_inkomstenverhouding", "a"),
            annex(TOESLAGEN, "toeslagen/toeslag_beschikking", "soort_toeslag", "o"),
        ],
        "predicate": [{
            "id": "P1", "version": 1, "dataset": "uwv/polisadministratie_inkomstenverhouding",
            "expression": CONDITION, "explanation": "begon na 2020 met werken",
            "expected_hits": {"least": 0, "most": 5}, "false_positives": "geen bekend",
        }],
    })
}
