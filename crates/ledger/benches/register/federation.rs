//! A register of real signed documents, made project by project.

use convenant_model::{Digest, documents::DocumentKind, register::RootOfTrust};
use convenant_signing::{Jws, SigningKey, SystemRandom, canonical, sha256};
use serde_json::{Value, json};

/// The LSI's three keys, of which two make a quorum, and those of municipalities.
pub(crate) struct Federation {
    pub(crate) lsi: Vec<SigningKey>,
    pub(crate) members: Vec<Member>,
    pub(crate) documents: Vec<Vec<u8>>,
}

/// A municipality.
pub(crate) struct Member {
    pub(crate) oin: String,
    pub(crate) signing: SigningKey,
    pub(crate) leader: SigningKey,
}

impl Federation {
    /// A covenant and so many municipalities.
    pub(crate) fn new(members: usize) -> Self {
        let random = SystemRandom::new();
        let key = || SigningKey::generate(&random).unwrap();
        let member = |number: usize| Member {
            oin: format!("0000009900000010{number:04}"),
            signing: key(),
            leader: key(),
        };
        let mut federation = Self {
            lsi: (0..3).map(|_| key()).collect(),
            members: (0..members).map(member).collect(),
            documents: Vec::new(),
        };
        federation.lsi_signs(DocumentKind::Covenant, &covenant());
        for number in 0..members {
            federation.enrol(number);
        }
        federation
    }

    pub(crate) fn root(&self) -> RootOfTrust {
        let lsi = self.lsi.iter().map(|key| key.verifying_key().clone()).collect();
        RootOfTrust { lsi, quorum: 2 }
    }

    fn lsi_signs(&mut self, kind: DocumentKind, document: &Value) -> Digest {
        let (bytes, hash) = signed(kind, document, &[&self.lsi[0], &self.lsi[1]]);
        self.documents.push(bytes);
        hash
    }

    fn member_signs(&mut self, kind: DocumentKind, document: &Value, member: usize) -> Digest {
        let (bytes, hash) = signed(kind, document, &[&self.members[member].signing]);
        self.documents.push(bytes);
        hash
    }

    fn enrol(&mut self, number: usize) {
        let Member { oin, signing, .. } = &self.members[number];
        let key = signing.verifying_key();
        let accession = json!({
            "document": "accession", "covenant": "lsi", "partner": oin, "name": "een gemeente",
            "kind": "gemeente", "from": "2026-01-01", "reference": "collegebesluit",
            "signing_key": key,
        });
        let enrolment = json!({
            "document": "enrolment", "partner": oin, "name": "een gemeente", "kind": "gemeente",
            "valid_from": "2026-01-01", "valid_until": "2030-12-31", "signing_key": key,
            "ledger_key": self.members[number].leader.verifying_key(),
            "tls_pins": [sha256(oin.as_bytes())],
        });
        self.member_signs(DocumentKind::Accession, &accession, number);
        let signers = [&self.lsi[0], &self.lsi[1], &self.members[number].signing];
        let (bytes, _) = signed(DocumentKind::Enrolment, &enrolment, &signers);
        self.documents.push(bytes);
    }

    /// A project of two municipalities from its proposal to its final report: seventeen documents.
    pub(crate) fn project(&mut self, number: usize) {
        let (one, other) = (number % self.members.len(), (number + 1) % self.members.len());
        let id = format!("P-{number}");
        let oins = [one, other].map(|member| self.members[member].oin.clone());
        let proposal = proposal(&id, &oins);
        let signers = [&self.members[one].signing, &self.members[other].signing];
        let (bytes, hash) = signed(DocumentKind::Proposal, &proposal, &signers);
        self.documents.push(bytes);
        let attested: Vec<_> = [(one, &oins[0]), (other, &oins[1])]
            .map(|(member, oin)| {
                let document = attestation(&id, hash, oin);
                self.member_signs(DocumentKind::Attestation, &document, member)
            })
            .into();
        let decision = json!({
            "document": "decision", "project": id, "proposal": hash, "attestations": attested,
            "decided_on": "2026-01-20", "outcome": "approved", "reason": "in orde bevonden",
            "valid_from": "2026-02-01", "valid_until": "2026-12-31",
        });
        self.lsi_signs(DocumentKind::Decision, &decision);
        self.mandates(&id, hash, one);
        self.afterwards(&id, hash, one, &oins);
    }

    fn mandates(&mut self, id: &str, proposal: Digest, one: usize) {
        let holder = |role: &str, key: &SigningKey| json!([{"function": "medewerker", "role": role, "key": key.verifying_key()}]);
        let mut mandate = json!({
            "document": "mandate", "project": id, "proposal": proposal,
            "partner": self.members[one].oin, "valid_from": "2026-02-01",
            "valid_until": "2026-12-31", "max_subjects": 10,
            "holder": holder("leader", &self.members[one].leader),
        });
        let above = self.member_signs(DocumentKind::Mandate, &mandate, one);
        mandate["under"] = json!(above);
        mandate["holder"] = holder("analyst", &self.members[one].signing);
        let (bytes, _) = signed(DocumentKind::Mandate, &mandate, &[&self.members[one].leader]);
        self.documents.push(bytes);
    }

    fn afterwards(&mut self, id: &str, proposal: Digest, one: usize, oins: &[String; 2]) {
        let event = |document: &str, from: &str| json!({"document": document, "project": id, "from": from, "reason": "zoals besproken"});
        let halted = event("suspension", "2026-04-01T00:00:00.000Z");
        let halted = self.lsi_signs(DocumentKind::Suspension, &halted);
        let mut resumed = event("resumption", "2026-04-02T00:00:00.000Z");
        resumed["suspension"] = json!(halted);
        self.lsi_signs(DocumentKind::Resumption, &resumed);
        let extension = json!({
            "document": "extension", "project": id, "proposal": proposal,
            "decided_on": "2026-12-01", "valid_until": "2027-06-30", "reason": "meer tijd nodig",
        });
        self.lsi_signs(DocumentKind::Extension, &extension);
        let closed = event("closure", "2027-06-01T00:00:00.000Z");
        self.member_signs(DocumentKind::Closure, &closed, one);
        for round in 0..3_u8 {
            self.results(id, one, oins, round);
        }
        let report = json!({
            "document": "final-report", "project": id, "queries": 3, "subjects": 30, "hits": 9,
            "confirmed": 6, "corrections_in_favour": 1, "summary": "wat het opleverde",
            "lessons": "wat we leerden",
        });
        self.member_signs(DocumentKind::FinalReport, &report, one);
    }

    fn results(&mut self, id: &str, one: usize, oins: &[String; 2], round: u8) {
        let query = format!("01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b{round:02x}");
        let last = round == 2;
        let feedback = json!({
            "document": "feedback", "project": id, "partner": oins[0], "complete": last,
            "item": [{"query": query, "provider": oins[1], "hits": 3, "usable": 3,
                      "followed_up": 3, "assessor": "toezichthouder", "result": "opgevolgd"}],
        });
        self.member_signs(DocumentKind::Feedback, &feedback, one);
        let destruction = json!({
            "document": "destruction", "project": id, "partner": oins[0], "complete": last,
            "item": [{"query": query, "provider": oins[1], "manifest": sha256(id.as_bytes())}],
            "manner": "gewist", "destroyed_at": "2027-06-02T00:00:00.000Z", "place": "rekencentrum",
            "operator": "beheerder",
        });
        self.member_signs(DocumentKind::Destruction, &destruction, one);
    }
}

/// The bytes of a signed document, and the hash of its payload.
pub(crate) fn signed(
    kind: DocumentKind,
    document: &Value,
    keys: &[&SigningKey],
) -> (Vec<u8>, Digest) {
    let payload = canonical(document).unwrap();
    let hash = sha256(&payload);
    let mut jws = Jws::new(kind.media_type(), payload);
    keys.iter().for_each(|key| jws.sign(key).unwrap());
    (jws.to_json(), hash)
}

fn covenant() -> Value {
    let field = |name: &str, kind: &str, usage: &str| {
        json!({"name": name, "type": kind, "class": "ordinary", "category": "h", "use": usage,
               "themes": ["adres"], "filterable": true})
    };
    let fields: Vec<_> =
        (0..20).map(|i| field(&format!("veld_{i}"), "integer", "allowed")).collect();
    let fields = [vec![field("gemeente", "gemeentecode", "scope")], fields].concat();
    json!({
        "document": "covenant",
        "covenant": {"id": "lsi", "version": 1, "title": "voorbeeld", "valid_from": "2026-01-01",
            "query_minutes": 15, "register_minutes": 60, "max_rows": 100, "minimum_cell": 10,
            "count_rounding": 5},
        "goal": [{"id": "fraude", "text": "doel"}],
        "theme": [{"id": "adres", "text": "thema"}],
        "partner": [{"kind": "gemeente", "name": "iedere gemeente"}],
        "dataset": [{"id": "gemeente/brp", "title": "ingezetenen",
            "area": [{"field": "gemeente", "kind": "GM"}], "field": fields}],
        "clause": [{"id": "S11", "title": "duur", "stage": ["approval"], "text": "duur",
            "params": {"months": 12, "months_extended": 24}, "organisational": "LSI"}],
    })
}

fn proposal(id: &str, oins: &[String; 2]) -> Value {
    let why = "nodig om vast te stellen wie er op het adres woont";
    let field = |i: u8| json!({"name": format!("veld_{i}"), "category": "h", "necessity": why});
    json!({
        "document": "proposal", "project": id, "version": 1, "title": "Adressen in twee gemeenten",
        "theme": "adres", "goals": ["fraude"], "cause": "signalen uit de wijk ".repeat(20),
        "earlier_measure": [{"means": "huisbezoek", "result": "te weinig", "date": "2025-01-01"}],
        "added_value": "samen weten we meer ".repeat(10), "area": ["GM0599", "GM0518"],
        "participant": [{"partner": oins[0], "role": "trekker"},
                        {"partner": oins[1], "role": "deelnemer"}],
        "proposed_by": [oins[0]], "responsible": oins[0],
        "start": "2026-01-01", "end": "2026-12-31", "capacity": "twee mensen per gemeente",
        "quota": {"queries": 10, "subjects": 100},
        "annex": [{"provider": oins[1], "dataset": "gemeente/brp", "kinds": ["lookup"],
            "basis_provider": "wet van de leverancier", "basis_receiver": "wet van de ontvanger",
            "retention_days": 30, "field": (0..10).map(field).collect::<Vec<_>>()}],
    })
}

fn attestation(id: &str, proposal: Digest, oin: &str) -> Value {
    let paper = |kind: &str| {
        json!({"kind": kind, "id": kind, "date": "2025-12-01", "hash": sha256(kind.as_bytes()),
               "conclusion": "geen bezwaar"})
    };
    let papers = ["dpia", "fg-advice", "security-plan", "risk-analysis", "communication-plan"];
    json!({
        "document": "attestation", "project": id, "proposal": proposal, "partner": oin,
        "tested": {"necessity": "getoetst", "proportionality": "getoetst",
            "data_minimisation": "getoetst", "no_milder_means": "getoetst"},
        "attachment": papers.map(paper),
    })
}
