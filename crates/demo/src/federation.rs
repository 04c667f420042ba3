//! Writes a federation to disk.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use convenant_model::{
    DatasetId, Digest, Oin, covenant::Covenant, documents::Proposal, register::RootOfTrust,
};
use convenant_signing::{OpeningKey, PseudonymKey, SigningKey, SystemRandom};

use crate::{
    documents::{self, SignedDocument},
    error::{DemoError, Result},
    files,
    pki::{CertificateRequest, Issued, Pki},
    population::Population,
    readme,
    spec::{FederationSpec, PartnerSpec, ProjectSpec},
};

mod layout;

/// OIN of the example's coordinator.
const COORDINATOR: &str = "00000099000000001000";
/// OIN of the example's auditor.
const AUDITOR: &str = "00000099000000009000";
/// File names of the LSI's keys; two of the three make a quorum.
const LSI: [&str; 3] = ["one", "two", "three"];
const QUORUM: usize = 2;

/// A federation as it stands on disk, with the private keys that a test needs to write more documents.
/// It has no `Debug`.
pub struct Federation {
    /// Its folder.
    pub dir: PathBuf,
    /// What it was made from.
    pub spec: FederationSpec,
    /// The covenant.
    pub covenant: Covenant,
    /// The example PKI, able to issue and revoke.
    pub pki: Pki,
    /// The LSI's keys.
    pub lsi: Vec<SigningKey>,
    /// How many of them make a quorum.
    pub quorum: usize,
    /// The coordinator.
    pub coordinator: Party,
    /// The key with which the coordinator signs the register.
    pub register_key: SigningKey,
    /// The partners, in the order of the specification.
    pub partners: Vec<Party>,
    /// The project leader.
    pub leader: Leader,
    /// The auditor.
    pub auditor: Party,
    /// The register's documents, in the order of submission.
    pub documents: Vec<SignedDocument>,
    /// The people, where the example made them.
    pub population: Option<Population>,
}

/// An organisation of the federation.
pub struct Party {
    /// Short name: that of its folder.
    pub name: String,
    /// Name in its enrolment.
    pub title: String,
    /// Kind in its enrolment.
    pub kind: String,
    /// OIN.
    pub oin: Oin,
    /// Its folder.
    pub dir: PathBuf,
    /// Its configuration file: of a node, of the coordinator, or of a client.
    pub config: PathBuf,
    /// Where its daemon listens, if it has one.
    pub address: Option<SocketAddr>,
    /// The datasets that it serves.
    pub datasets: BTreeSet<DatasetId>,
    /// Its keys.
    pub keys: PartyKeys,
    /// Its TLS certificate.
    pub certificate: Issued,
}

/// The private keys of an organisation.
pub struct PartyKeys {
    /// Signs documents.
    pub signing: SigningKey,
    /// Signs outcomes and checkpoints.
    pub ledger: SigningKey,
    /// Opens subjects.
    pub sealing: OpeningKey,
    /// Makes the pseudonyms of a node's account of whom its answers are about.
    pub pseudonym: PseudonymKey,
    /// Opens the numbers in that account. In life it is not kept on the node's machine.
    pub subjects: OpeningKey,
}

/// The project leader: somebody in the organisation of a partner, with a key and a certificate of
/// their own.
pub struct Leader {
    /// The organisation.
    pub partner: Oin,
    /// The leader's folder.
    pub dir: PathBuf,
    /// The leader's configuration file.
    pub config: PathBuf,
    /// Signs queries.
    pub key: SigningKey,
    /// Opens the answers that the leader keeps.
    pub sealing: OpeningKey,
    /// TLS certificate, with the OIN of the organisation.
    pub certificate: Issued,
}

impl Federation {
    /// Writes a federation into a new or empty folder: keys and certificates with mode 0600, folders
    /// with mode 0700. It runs nothing and opens no socket.
    ///
    /// # Errors
    /// When the folder holds something, a file cannot be written, or the specification names what the
    /// covenant does not have.
    pub fn build(dir: &Path, spec: FederationSpec, random: &SystemRandom) -> Result<Self> {
        files::empty_folder(dir)?;
        let covenant = spec.covenant()?;
        let mut maker =
            Maker { dir, spec: &spec, pki: Pki::create(&dir.join("pki"), spec.today)?, random };
        let nodes = spec.partners.iter().filter(|partner| partner.has_node()).count();
        let mut addresses = spec.ports.addresses(nodes + 1)?.into_iter();
        let coordinator = maker.servant("coordinator", COORDINATOR, addresses.next())?;
        let partner = |partner: &PartnerSpec| {
            let address = partner.has_node().then(|| addresses.next()).flatten();
            maker.partner(partner, address)
        };
        let partners = spec.partners.iter().map(partner);
        let partners = partners.collect::<Result<Vec<_>>>()?;
        let auditor = maker.servant("auditor", AUDITOR, None)?;
        let leader = maker.leader(&partners)?;
        let pki = maker.pki;
        let lsi = LSI.iter().map(|_| SigningKey::generate(random));
        let mut federation = Self {
            dir: dir.to_owned(),
            covenant,
            pki,
            lsi: lsi.collect::<Result<_, _>>()?,
            quorum: QUORUM,
            coordinator,
            register_key: SigningKey::generate(random)?,
            partners,
            leader,
            auditor,
            documents: Vec::new(),
            population: None,
            spec,
        };
        federation.documents = federation.documents()?;
        layout::write(&federation)?;
        files::write(&dir.join("README.md"), readme::federation(&federation))?;
        Ok(federation)
    }

    /// The partner with this short name.
    #[must_use]
    pub fn partner(&self, name: &str) -> Option<&Party> {
        self.partners.iter().find(|party| party.name == name)
    }

    /// What a party is given from outside to trust the register.
    #[must_use]
    pub fn root_of_trust(&self) -> RootOfTrust {
        let keys = self.lsi.iter().map(|key| key.verifying_key().clone());
        RootOfTrust { lsi: keys.collect(), quorum: self.quorum }
    }

    /// As many of the LSI's keys as make a quorum.
    pub fn quorum_keys(&self) -> impl Iterator<Item = &SigningKey> {
        self.lsi.iter().take(self.quorum)
    }

    /// Signs a proposal for everybody who must.
    ///
    /// # Errors
    /// When one of them is no partner of this federation.
    pub fn sign_proposal(&self, proposal: &Proposal) -> Result<SignedDocument> {
        let keys = proposal.signers().into_iter().map(|oin| self.signing_key(oin));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        SignedDocument::new(&named("proposal", proposal), proposal, keys)
    }

    /// What every participant attests of a proposal with this hash.
    ///
    /// # Errors
    /// When one of them is no partner of this federation.
    pub fn attestations(&self, proposal: &Proposal, hash: Digest) -> Result<Vec<SignedDocument>> {
        let attest = |oin: &Oin| {
            let attestation = documents::attestation(proposal, hash, oin)?;
            let party = self.partners.iter().find(|party| party.oin == *oin);
            let name = party.map_or_else(String::new, |party| format!("-{}", party.name));
            let name = format!("{}{name}", named("attestation", proposal));
            SignedDocument::new(&name, &attestation, [self.signing_key(oin)?])
        };
        proposal.participants().into_iter().map(attest).collect()
    }

    /// The proposal with what follows from it, each after what it refers to: attestations, the LSI's
    /// decision and the leader's mandate, as far as the project has come.
    ///
    /// # Errors
    /// When a participant is no partner of this federation.
    pub fn project_documents(&self, project: &ProjectSpec) -> Result<Vec<SignedDocument>> {
        let proposal = &project.proposal;
        let signed = self.sign_proposal(proposal)?;
        let hash = signed.hash();
        let mut documents = vec![signed];
        if let Some(terms) = &project.decision {
            let attestations = self.attestations(proposal, hash)?;
            let hashes = attestations.iter().map(SignedDocument::hash).collect();
            documents.extend(attestations);
            let decision = documents::decision(proposal, hash, hashes, terms)?;
            let name = named("decision", proposal);
            documents.push(SignedDocument::new(&name, &decision, self.quorum_keys())?);
        }
        if let Some(terms) = &project.mandate {
            let leader = self.leader.key.verifying_key();
            let mandate = documents::mandate(proposal, hash, terms, leader)?;
            let key = self.signing_key(&proposal.responsible)?;
            documents.push(SignedDocument::new(&named("mandate", proposal), &mandate, [key])?);
        }
        Ok(documents)
    }

    /// The register's documents, each after those that it refers to.
    fn documents(&self) -> Result<Vec<SignedDocument>> {
        let mut documents =
            vec![SignedDocument::covenant(&self.spec.covenant, self.quorum_keys())?];
        let servants = [&self.coordinator, &self.auditor];
        for party in servants.into_iter().chain(&self.partners) {
            if self.covenant.is_open_to(&party.kind) {
                let accession = documents::accession(party, &self.covenant, self.spec.today)?;
                let name = format!("accession-{}", party.name);
                documents.push(SignedDocument::new(&name, &accession, [&party.keys.signing])?);
            }
            documents.push(self.enrolment(party)?);
        }
        for project in &self.spec.projects {
            documents.extend(self.project_documents(project)?);
        }
        Ok(documents)
    }

    /// The enrolment of a party, signed by the LSI's quorum and by the party.
    fn enrolment(&self, party: &Party) -> Result<SignedDocument> {
        let leads = party.oin == self.leader.partner;
        let more: &[Digest] = if leads { &[self.leader.certificate.pin] } else { &[] };
        let enrolment = documents::enrolment(party, more, self.spec.today)?;
        let signers = self.quorum_keys().chain([&party.keys.signing]);
        let name = format!("enrolment-{}", party.name);
        SignedDocument::new(&name, &enrolment, signers)
    }

    fn signing_key(&self, oin: &Oin) -> Result<&SigningKey> {
        let party = self.partners.iter().find(|party| party.oin == *oin);
        let key = party.map(|party| &party.keys.signing);
        key.ok_or_else(|| DemoError::Partner(oin.clone()))
    }
}

impl PartnerSpec {
    const fn has_node(&self) -> bool {
        !self.datasets.is_empty()
    }
}

impl PartyKeys {
    fn generate(random: &SystemRandom) -> Result<Self> {
        Ok(Self {
            signing: SigningKey::generate(random)?,
            ledger: SigningKey::generate(random)?,
            sealing: OpeningKey::generate(random)?,
            pseudonym: PseudonymKey::generate(random)?,
            subjects: OpeningKey::generate(random)?,
        })
    }
}

fn named(kind: &str, proposal: &Proposal) -> String {
    format!("{kind}-{}", proposal.project)
}

/// Makes parties with keys and certificates.
struct Maker<'a> {
    dir: &'a Path,
    spec: &'a FederationSpec,
    pki: Pki,
    random: &'a SystemRandom,
}

impl Maker<'_> {
    fn servant(&mut self, name: &str, oin: &str, address: Option<SocketAddr>) -> Result<Party> {
        let file = if address.is_some() { "coordinator.toml" } else { "client.toml" };
        let dir = self.dir.join(name);
        let oin = Oin::new(oin)?;
        Ok(Party {
            name: name.to_owned(),
            title: format!("Voorbeeld: {name}"),
            kind: name.to_owned(),
            config: dir.join(file),
            dir,
            address,
            datasets: BTreeSet::new(),
            keys: PartyKeys::generate(self.random)?,
            certificate: self.certificate(&oin, name)?,
            oin,
        })
    }

    fn partner(&mut self, spec: &PartnerSpec, address: Option<SocketAddr>) -> Result<Party> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if spec.name.is_empty() || !spec.name.chars().all(plain) {
            return Err(DemoError::Name(spec.name.clone()));
        }
        let dir = self.dir.join("nodes").join(&spec.name);
        Ok(Party {
            name: spec.name.clone(),
            title: spec.title.clone(),
            kind: spec.kind.clone(),
            oin: spec.oin.clone(),
            config: dir.join("node.toml"),
            dir,
            address,
            datasets: spec.datasets.iter().map(|one| one.id.clone()).collect(),
            keys: PartyKeys::generate(self.random)?,
            certificate: self.certificate(&spec.oin, &spec.name)?,
        })
    }

    fn leader(&mut self, partners: &[Party]) -> Result<Leader> {
        let name = &self.spec.leader;
        let partner = partners.iter().find(|party| party.name == *name);
        let oin = &partner.ok_or_else(|| DemoError::Name(name.clone()))?.oin;
        let dir = self.dir.join("leader");
        Ok(Leader {
            partner: oin.clone(),
            config: dir.join("client.toml"),
            dir,
            key: SigningKey::generate(self.random)?,
            sealing: OpeningKey::generate(self.random)?,
            certificate: self.certificate(oin, "leader")?,
        })
    }

    fn certificate(&mut self, oin: &Oin, name: &str) -> Result<Issued> {
        let request = CertificateRequest::new(oin, name, self.spec.today);
        self.pki.issue(&request)
    }
}

#[cfg(test)]
mod tests;
