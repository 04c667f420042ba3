//! A small federation in one register, as documents that a test changes before they are admitted. The
//! documents are JSON, so that a test says in one line what is different.

use std::sync::Arc;

use convenant_clauses::{Combined, Request, Rules, Verdict, decide, decide_all};
use convenant_model::{
    Date, Digest, FieldName, Oin,
    covenant::CovenantText,
    documents::DocumentKind,
    entry::{Entry, Recordable, RecordedVerdict, Usage},
    keys::{SealingKey, VerifyingKey},
    parse::from_toml,
    predicate::Predicate,
    query::{Query, RegisterPosition},
    register::{AdmissionError, Envelope, RegisterState, RootOfTrust},
    subjects::spells_bsn,
};
use convenant_signing::sha256;
use serde_json::{Value, json};

pub(crate) const COORDINATOR: &str = "00000099000000001000";
pub(crate) const ROTTERDAM: &str = "00000099000000000599";
pub(crate) const UWV: &str = "00000099000000002000";
pub(crate) const TOESLAGEN: &str = "00000099000000004000";
pub(crate) const IND: &str = "00000099000000005000";
pub(crate) const POLITIE: &str = "00000099000000008000";

const COVENANT: &str = include_str!("../../../demo/assets/covenant.toml");

/// Documents and a query, not yet admitted.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) covenant: Value,
    /// A second version of the covenant, admitted after everything else.
    pub(crate) amended: Option<Value>,
    pub(crate) enrolments: Vec<Value>,
    pub(crate) proposal: Value,
    /// Whether the conditions of the query are published with the proposal, as far as they can be.
    pub(crate) publish: bool,
    /// What is attested; by every participant the same where nothing is said.
    pub(crate) attestations: Option<Vec<Value>>,
    /// Documents before the proposal.
    pub(crate) earlier: Vec<(DocumentKind, Value)>,
    pub(crate) decision: Option<Value>,
    pub(crate) mandate: Option<Value>,
    /// A decision after the mandate.
    pub(crate) overruled: Option<Value>,
    /// Documents after that, each with its kind; `proposal` is filled in where it is null.
    pub(crate) later: Vec<(DocumentKind, Value)>,
    /// A suspension after that, and its end.
    pub(crate) suspension: Option<Value>,
    pub(crate) resumption: Option<Value>,
    pub(crate) query: Value,
    pub(crate) at: &'static str,
    pub(crate) used: Usage,
    /// When the same was counted before.
    pub(crate) counted: Vec<Option<Date>>,
}

// Without the covenant, which is long and always the same.
impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("proposal", &self.proposal)
            .field("decision", &self.decision)
            .field("mandate", &self.mandate)
            .field("overruled", &self.overruled)
            .field("later", &self.later)
            .field("suspension", &self.suspension)
            .field("resumption", &self.resumption)
            .field("query", &self.query)
            .field("at", &self.at)
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

/// A document whose signatures all verify: who must sign what is tested in `model`.
struct Signed {
    kind: DocumentKind,
    payload: Vec<u8>,
}

impl Envelope for Signed {
    fn typ(&self) -> &str {
        self.kind.media_type()
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

impl World {
    /// Rotterdam leads a project in which UWV and Toeslagen take part, and asks UWV about three people.
    pub(crate) fn new() -> Self {
        Self {
            covenant: covenant(),
            amended: None,
            enrolments: enrolments(),
            proposal: proposal(),
            publish: true,
            attestations: None,
            earlier: Vec::new(),
            decision: Some(decision("approved")),
            mandate: Some(mandate()),
            overruled: None,
            later: Vec::new(),
            suspension: None,
            resumption: None,
            query: query(),
            at: "2026-05-01T12:00:00.000Z",
            used: Usage::default(),
            counted: Vec::new(),
        }
    }

    /// The enrolment of an organisation.
    pub(crate) fn enrolment(&mut self, oin: &str) -> &mut Value {
        let mut found = self.enrolments.iter_mut();
        found.find(|one| one["partner"] == oin).unwrap()
    }

    /// The annex of a dataset.
    pub(crate) fn annex(&mut self, dataset: &str) -> &mut Value {
        let mut found = self.proposal["annex"].as_array_mut().unwrap().iter_mut();
        found.find(|one| one["dataset"] == dataset).unwrap()
    }

    /// A clause of the covenant.
    pub(crate) fn clause(&mut self, id: &str) -> &mut Value {
        let mut found = self.covenant["clause"].as_array_mut().unwrap().iter_mut();
        found.find(|one| one["id"] == id).unwrap()
    }

    /// Amends a field of a dataset in a second version of the covenant.
    pub(crate) fn amend(&mut self, dataset: &str, field: &str, member: &str, value: Value) {
        let mut covenant = self.covenant.clone();
        covenant["covenant"]["version"] = json!(2);
        let mut datasets = covenant["dataset"].as_array_mut().unwrap().iter_mut();
        let dataset = datasets.find(|one| one["id"] == dataset).unwrap();
        let mut fields = dataset["field"].as_array_mut().unwrap().iter_mut();
        let field = fields.find(|one| one["name"] == field).unwrap();
        field.as_object_mut().unwrap().remove("filterable");
        field[member] = value;
        self.amended = Some(covenant);
    }

    /// Asks for other things: the kind of query and members of the one target.
    pub(crate) fn ask(&mut self, kind: &str, target: Value) {
        self.query["kind"] = json!(kind);
        self.query["targets"] = json!([target]);
    }

    /// The register with these documents, and the query against it.
    pub(crate) fn admit(&self) -> Result<(RegisterState, Arc<Query>), AdmissionError> {
        let mut state = RegisterState::new(RootOfTrust {
            lsi: vec![VerifyingKey::ed25519([1; 32])],
            quorum: 1,
        });
        let proposal = signed(DocumentKind::Proposal, &self.published());
        let hash = json!(proposal.payload_hash());
        let about = |document: &Value| {
            let mut document = document.clone();
            document["proposal"] = hash.clone();
            document
        };
        state.admit(&signed(DocumentKind::Covenant, &self.covenant))?;
        for enrolment in &self.enrolments {
            if enrolment["kind"] == "gemeente" {
                state.admit(&signed(DocumentKind::Accession, &accession(enrolment)))?;
            }
            state.admit(&signed(DocumentKind::Enrolment, enrolment))?;
        }
        for (kind, document) in &self.earlier {
            state.admit(&signed(*kind, document))?;
        }
        state.admit(&proposal)?;
        let mut attested = Vec::new();
        let attestations = self.attestations.clone().unwrap_or_else(|| self.attested());
        for attestation in &attestations {
            let attestation = signed(DocumentKind::Attestation, &about(attestation));
            attested.push(attestation.payload_hash());
            state.admit(&attestation)?;
        }
        let decided = |decision: &Option<Value>| {
            decision.as_ref().map(|decision| {
                let mut decision = about(decision);
                decision["attestations"] = json!(attested);
                decision
            })
        };
        for (kind, document) in [
            (DocumentKind::Decision, decided(&self.decision)),
            (DocumentKind::Mandate, self.mandate.as_ref().map(about)),
            (DocumentKind::Decision, decided(&self.overruled)),
        ] {
            if let Some(document) = document {
                state.admit(&signed(kind, &document))?;
            }
        }
        for (kind, document) in &self.later {
            let names = document.get("proposal").is_some();
            let document = if names { about(document) } else { document.clone() };
            state.admit(&signed(*kind, &document))?;
        }
        for (kind, document) in [
            (DocumentKind::Suspension, self.suspension.clone()),
            (DocumentKind::Resumption, self.resumed()),
            (DocumentKind::Covenant, self.amended.clone()),
        ] {
            if let Some(document) = document {
                state.admit(&signed(kind, &document))?;
            }
        }
        let mut query = self.query.clone();
        if query["proposal"].is_null() {
            query["proposal"] = hash;
        }
        let query: Query = serde_json::from_value(query).unwrap();
        Ok((state, Arc::new(query)))
    }

    /// Has the leader name somebody with this key under its own mandate.
    pub(crate) fn name_analyst(&mut self, key: u8) {
        let mut above = self.mandate.clone().unwrap();
        above["proposal"] = json!(signed(DocumentKind::Proposal, &self.published()).payload_hash());
        let under = signed(DocumentKind::Mandate, &above).payload_hash();
        let mut team = self.mandate.clone().unwrap();
        (team["under"], team["proposal"]) = (json!(under), Value::Null);
        team["holder"] = json!([{"function": "analist", "role": "analyst",
                                 "key": VerifyingKey::ed25519([key; 32])}]);
        self.later.push((DocumentKind::Mandate, team));
    }

    /// Makes the proposal the second version of a project whose first one, approved likewise, began on this
    /// day.
    pub(crate) fn begin_on(&mut self, start: &str) {
        let mut first = self.proposal.clone();
        (first["start"], first["end"]) = (json!(start), json!("2026-01-31"));
        first["earlier_measure"][0]["date"] = json!("2024-06-01");
        let hash = signed(DocumentKind::Proposal, &first).payload_hash();
        let mut attested = Vec::new();
        self.earlier.push((DocumentKind::Proposal, first));
        for mut attestation in self.attested() {
            attestation["proposal"] = json!(hash);
            attested.push(signed(DocumentKind::Attestation, &attestation).payload_hash());
            self.earlier.push((DocumentKind::Attestation, attestation));
        }
        let mut decided = decision("approved");
        (decided["proposal"], decided["attestations"]) = (json!(hash), json!(attested));
        (decided["decided_on"], decided["extended"]) = (json!("2026-01-15"), json!(true));
        (decided["valid_from"], decided["valid_until"]) = (json!(start), json!("2026-01-31"));
        self.earlier.push((DocumentKind::Decision, decided));
        self.proposal["version"] = json!(2);
    }

    fn attested(&self) -> Vec<Value> {
        let participants = self.proposal["participant"].as_array().unwrap().iter();
        participants.map(|one| attestation(one["partner"].as_str().unwrap())).collect()
    }

    /// Takes fields from the annexes that are not for the project's theme.
    pub(crate) fn fit_theme(&mut self) {
        let covenant = self.covenant.clone();
        let theme = self.proposal["theme"].clone();
        for annex in self.proposal["annex"].as_array_mut().unwrap() {
            let mut datasets = covenant["dataset"].as_array().unwrap().iter();
            let dataset = datasets.find(|one| one["id"] == annex["dataset"]).unwrap();
            let fields = dataset["field"].as_array().unwrap();
            let fits = |granted: &Value| {
                let field = fields.iter().find(|one| one["name"] == granted["name"]).unwrap();
                field["themes"].as_array().unwrap().contains(&theme)
            };
            annex["field"].as_array_mut().unwrap().retain(fits);
        }
        let annexes = self.proposal["annex"].as_array_mut().unwrap();
        annexes.retain(|annex| !annex["field"].as_array().unwrap().is_empty());
    }

    /// Changes the numbers of a clause in a second version of the covenant.
    pub(crate) fn amend_clause(&mut self, id: &str, params: Value) {
        let mut covenant = self.covenant.clone();
        covenant["covenant"]["version"] = json!(2);
        let mut clauses = covenant["clause"].as_array_mut().unwrap().iter_mut();
        clauses.find(|one| one["id"] == id).unwrap()["params"] = params;
        self.amended = Some(covenant);
    }

    /// The proposal with the conditions of the query, where a proposal may hold them.
    fn published(&self) -> Value {
        let mut proposal = self.proposal.clone();
        let targets = self.query["targets"].as_array().into_iter().flatten();
        let asked = targets.filter_map(|target| {
            let expression = target.get("predicate")?.as_str()?;
            let fields = expression.parse::<Predicate>().ok()?;
            let filterable = |name: &FieldName| self.filters(&target["dataset"], name);
            let fit = fields.fields().into_iter().all(filterable) && !spells_bsn(expression);
            fit.then(|| predicate(&target["dataset"], expression))
        });
        let asked: Vec<_> = asked.take(1).collect();
        if self.publish && !asked.is_empty() {
            proposal["predicate"] = json!(asked);
        }
        proposal
    }

    fn filters(&self, dataset: &Value, name: &FieldName) -> bool {
        let mut datasets = self.covenant["dataset"].as_array().unwrap().iter();
        let Some(dataset) = datasets.find(|one| one["id"] == *dataset) else { return false };
        let mut fields = dataset["field"].as_array().unwrap().iter();
        fields.any(|one| one["name"] == name.as_str() && one["filterable"] == true)
    }

    /// Suspends the project, or what one partner provides in it, from an instant on.
    pub(crate) fn suspend(&mut self, partner: Option<&str>, from: &str) {
        let mut suspension = json!({
            "document": "suspension", "project": self.proposal["project"], "from": from,
            "reason": "een fout in de gegevens",
        });
        if let Some(partner) = partner {
            suspension["partner"] = json!(partner);
        }
        self.suspension = Some(suspension);
    }

    /// Ends the suspension.
    pub(crate) fn resume(&mut self, from: &str) {
        self.resumption = Some(json!({
            "document": "resumption", "project": self.proposal["project"], "from": from,
            "reason": "hersteld",
        }));
    }

    fn resumed(&self) -> Option<Value> {
        let suspension = signed(DocumentKind::Suspension, self.suspension.as_ref()?);
        let mut resumption = self.resumption.clone()?;
        resumption["suspension"] = json!(suspension.payload_hash());
        Some(resumption)
    }

    /// The verdict on the first target.
    pub(crate) fn verdict(&self) -> Verdict {
        let (state, query) = self.admit().unwrap();
        self.verdict_with(&compile(&state), &state, &query)
    }

    /// The verdict on the first target, with rules that were compiled before.
    pub(crate) fn verdict_with(
        &self,
        rules: &Rules,
        state: &RegisterState,
        query: &Arc<Query>,
    ) -> Verdict {
        let oin = |text: &str| Oin::new(text).unwrap();
        let (party, peer) = (oin(UWV), oin(COORDINATOR));
        decide(rules, state, &self.request(query, &party, &peer), 0)
    }

    /// The verdicts on all targets.
    pub(crate) fn combined(&self) -> Combined {
        let (state, query) = self.admit().unwrap();
        let oin = |text: &str| Oin::new(text).unwrap();
        let (party, peer) = (oin(COORDINATOR), oin(ROTTERDAM));
        decide_all(&compile(&state), &state, &self.request(&query, &party, &peer))
    }

    /// The request for a query, as one party makes it.
    pub(crate) fn request<'a>(
        &'a self,
        query: &'a Arc<Query>,
        party: &'a Oin,
        peer: &'a Oin,
    ) -> Request<'a> {
        Request {
            query,
            signed_query: "e30.e30.e30",
            at: self.at.parse().unwrap(),
            party,
            peer,
            used: self.used,
            counted: &self.counted,
            register: RegisterPosition { size: 9, root: sha256(b"register") },
        }
    }
}

/// Compiles the rules of the covenant in force.
pub(crate) fn compile(state: &RegisterState) -> Rules {
    Rules::compile(state.covenant().unwrap(), sha256).unwrap()
}

/// Clause and code of each violation, or the problem, or `permit`.
pub(crate) fn codes(verdict: &Verdict) -> Vec<String> {
    let Entry::Decision(decision) = verdict.entry() else { panic!("not a decision") };
    match &decision.verdicts[0].verdict {
        RecordedVerdict::Permit { .. } => vec!["permit".to_owned()],
        RecordedVerdict::Problem { problem } => vec![problem.code().to_owned()],
        RecordedVerdict::Refuse { refusal } => {
            refusal.violations().iter().map(|one| format!("{}/{}", one.clause, one.code)).collect()
        }
    }
}

fn signed(kind: DocumentKind, document: &Value) -> Signed {
    Signed { kind, payload: serde_json::to_vec(document).unwrap() }
}

/// The example covenant, but for wages: of this project's theme too, so that it has a field for hits only.
fn covenant() -> Value {
    let text: CovenantText = from_toml("covenant.toml", COVENANT).unwrap();
    let mut covenant = serde_json::to_value(text).unwrap();
    let datasets = covenant["dataset"].as_array_mut().unwrap();
    let fields = datasets.iter_mut().flat_map(|one| one["field"].as_array_mut().unwrap());
    for field in fields.filter(|field| field["name"] == "loon_sv") {
        field["themes"].as_array_mut().unwrap().insert(0, json!("adresfraude"));
    }
    covenant
}

fn enrolments() -> Vec<Value> {
    let sealing = serde_json::to_value(SealingKey::new([9; 32])).unwrap();
    let parties = [
        (COORDINATOR, "coordinator", vec![]),
        (ROTTERDAM, "gemeente", vec!["gemeente/brp_persoon", "gemeente/brp_bewoning"]),
        (UWV, "uwv", vec!["uwv/polisadministratie_inkomstenverhouding"]),
        (TOESLAGEN, "toeslagen", vec!["toeslagen/toeslag_beschikking"]),
        (IND, "ind", vec!["ind/verblijfsrecht"]),
        (POLITIE, "politie", vec![]),
    ];
    let enrolment = |(oin, kind, datasets): (&str, &str, Vec<&str>)| {
        let mut enrolment = json!({
            "document": "enrolment", "partner": oin, "name": kind, "kind": kind,
            "valid_from": "2026-01-01", "valid_until": "2030-12-31",
            "signing_key": VerifyingKey::ed25519([2; 32]),
            "ledger_key": VerifyingKey::ed25519([3; 32]),
            "tls_pins": [sha256(oin.as_bytes())],
        });
        if !datasets.is_empty() {
            enrolment["node"] =
                json!({"address": "localhost:1", "sealing_key": sealing, "datasets": datasets});
        }
        enrolment
    };
    parties.into_iter().map(enrolment).collect()
}

fn proposal() -> Value {
    let participant = |oin: &str| json!({"partner": oin, "role": "deelnemer"});
    json!({
        "document": "proposal", "project": "P-2026-001", "version": 1, "title": "Adressen",
        "theme": "adresfraude", "goals": ["toeslagenfraude", "uitkeringsfraude"],
        "cause": "signalen",
        "earlier_measure": [{"means": "huisbezoek", "result": "te weinig", "date": "2025-06-01"}],
        "added_value": "samen weten we meer", "area": ["GM0599"],
        "participant": [participant(ROTTERDAM), participant(UWV), participant(TOESLAGEN)],
        "proposed_by": [ROTTERDAM], "responsible": ROTTERDAM,
        "start": "2026-01-01", "end": "2026-12-31", "capacity": "twee mensen per partner",
        "quota": {"queries": 10, "subjects": 100, "cells": 5},
        "annex": [
            annex(UWV, "uwv/polisadministratie_inkomstenverhouding", &[
                ("datum_aanvang_inkomstenverhouding", "a"),
                ("code_soort_inkomstenverhouding", "a"),
                ("code_leefvorm", "a"),
                ("loon_sv", "a"),
            ]),
            annex(TOESLAGEN, "toeslagen/toeslag_beschikking", &[("soort_toeslag", "o")]),
            annex(ROTTERDAM, "gemeente/brp_persoon", &[
                ("leeftijd", "h"),
                ("naam_geslachtsnaam", "h"),
                ("gemeente_van_inschrijving", "h"),
                ("burgerservicenummer", "h"),
            ]),
            annex(ROTTERDAM, "gemeente/brp_bewoning", &[("aantal_bewoners", "g")]),
        ],
    })
}

/// A condition as a proposal publishes it.
fn predicate(dataset: &Value, expression: &str) -> Value {
    json!({
        "id": "P1", "version": 1, "dataset": dataset, "expression": expression,
        "explanation": "wie opvalt", "expected_hits": {"least": 1, "most": 100},
        "false_positives": "wie net verhuisd is",
    })
}

/// The accession that goes before the enrolment of a municipality.
fn accession(enrolment: &Value) -> Value {
    json!({
        "document": "accession", "covenant": "lsi", "partner": enrolment["partner"],
        "name": enrolment["name"], "kind": enrolment["kind"], "from": "2026-01-01",
        "reference": "collegebesluit", "signing_key": enrolment["signing_key"],
    })
}

/// What a participant attests.
pub(crate) fn attestation(oin: &str) -> Value {
    let paper = |kind: &str| {
        json!({"kind": kind, "id": kind, "date": "2026-01-10", "hash": sha256(kind.as_bytes()),
               "conclusion": "in orde"})
    };
    let papers = ["dpia", "fg-advice", "security-plan", "risk-analysis", "communication-plan"];
    json!({
        "document": "attestation", "project": "P-2026-001", "partner": oin,
        "tested": {"necessity": "ja", "proportionality": "ja", "data_minimisation": "ja",
                   "no_milder_means": "ja"},
        "attachment": papers.map(paper),
    })
}

fn annex(provider: &str, dataset: &str, fields: &[(&str, &str)]) -> Value {
    let field = |(name, category): &(&str, &str)| json!({"name": name, "category": category, "necessity": "nodig"});
    json!({
        "provider": provider, "dataset": dataset, "kinds": ["lookup", "select", "count"],
        "basis_provider": "wet van de leverancier", "basis_receiver": "wet van de ontvanger",
        "retention_days": 60,
        "field": fields.iter().map(field).collect::<Vec<_>>(),
    })
}

/// A decision of the LSI with this outcome.
pub(crate) fn decision(outcome: &str) -> Value {
    json!({
        "document": "decision", "project": "P-2026-001", "outcome": outcome, "reason": "omdat",
        "decided_on": "2026-01-20",
        "valid_from": "2026-02-01", "valid_until": "2026-12-31",
    })
}

fn mandate() -> Value {
    json!({
        "document": "mandate", "project": "P-2026-001", "partner": ROTTERDAM,
        "valid_from": "2026-02-01", "valid_until": "2027-12-31", "max_subjects": 20,
        "holder": [{"function": "projectleider", "role": "leader",
                    "key": VerifyingKey::ed25519([4; 32])}],
    })
}

/// The sealed subjects of a target, as far as they are public.
pub(crate) fn subjects(key: &str, count: u32) -> Value {
    json!({"key": key, "count": count, "sealed": sha256(b"sealed")})
}

/// A target at UWV without subjects.
pub(crate) fn uwv(fields: &[&str]) -> Value {
    json!({"partner": UWV, "dataset": "uwv/polisadministratie_inkomstenverhouding",
           "fields": fields})
}

/// A target at Rotterdam with verified subjects.
pub(crate) fn brp(fields: &[&str]) -> Value {
    let mut subjects = subjects("burgerservicenummer", 3);
    subjects["verified_by"] = json!("geboorte_datum");
    json!({"partner": ROTTERDAM, "dataset": "gemeente/brp_persoon", "fields": fields,
           "subjects": subjects})
}

fn query() -> Value {
    let mut target = uwv(&["datum_aanvang_inkomstenverhouding"]);
    target["subjects"] = subjects("burgerservicenummer", 3);
    json!({
        "document": "query", "id": "01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b8c",
        "register": {"size": 9, "root": sha256(b"register")},
        "project": "P-2026-001", "proposal": null,
        "goal": "toeslagenfraude", "theme": "adresfraude", "kind": "lookup",
        "targets": [target],
        "retention_days": 30, "justification": "signaal van de wijkagent",
        "created": "2026-05-01T12:00:00.000Z", "expires": "2026-05-01T12:05:00.000Z",
        "requester": {"partner": ROTTERDAM, "key": VerifyingKey::ed25519([4; 32]),
                      "sealing_key": SealingKey::new([5; 32])},
    })
}
