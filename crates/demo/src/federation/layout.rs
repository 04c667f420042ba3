//! Where everything of a federation stands:
//!
//! ```text
//! pki/            the authority's certificate, the list of revoked ones
//! lsi/            three keys, private and public
//! coordinator/    coordinator.toml, TLS, ledger and register keys
//! nodes/NAME/     node.toml, TLS, keys, data
//! leader/         client.toml, TLS, the leader's keys
//! auditor/        client.toml, TLS, the auditor's keys
//! documents/      NN-NAME.toml and NN-NAME.jws, in the order of submission; those with which the
//!                 register begins in founding/
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use convenant_model::Oin;
use convenant_signing::{OpeningKey, SigningKey, canonical};

use super::{Federation, LSI, Party};
use crate::{
    config::{self, Config},
    documents::SignedDocument,
    error::Result,
    files,
};

/// Writes everything but the PKI, which stands already, and the data, which nobody but its maker has.
pub(super) fn write(federation: &Federation) -> Result<()> {
    let lsi = federation.dir.join("lsi");
    files::folder(&lsi)?;
    for (name, key) in LSI.iter().zip(&federation.lsi) {
        write_signing(&lsi, name, key)?;
    }
    write_coordinator(federation)?;
    for party in &federation.partners {
        write_partner(federation, party)?;
    }
    write_leader(federation)?;
    write_auditor(federation)?;
    files::folder(&federation.dir.join("documents").join("founding"))?;
    for (i, document) in federation.documents.iter().enumerate() {
        document.write(&folder_of(federation, document), i + 1)?;
    }
    Ok(())
}

/// The covenant and the enrolments found the register; the rest is submitted to it.
fn folder_of(federation: &Federation, document: &SignedDocument) -> PathBuf {
    let documents = federation.dir.join("documents");
    if document.founds() { documents.join("founding") } else { documents }
}

fn founding(federation: &Federation) -> Vec<String> {
    let documents = federation.documents.iter().enumerate();
    let founding = documents.filter(|(_, document)| document.founds());
    founding
        .map(|(i, document)| format!("../documents/founding/{}.jws", document.stem(i + 1)))
        .collect()
}

fn write_coordinator(federation: &Federation) -> Result<()> {
    let party = &federation.coordinator;
    write_party(party)?;
    write_signing(&party.dir, "register", &federation.register_key)?;
    let config = Config {
        listen: party.address.map(|address| config::Listen { address }),
        register: register("..", "register.pub.jwk", None, federation.quorum),
        founding: Some(config::Founding { documents: founding(federation) }),
        ..base(
            federation,
            &party.oin,
            "..",
            &[("ledger", "ledger.jwk"), ("register", "register.jwk")],
        )
    };
    files::write(&party.config, config.text("The coordinator of an example federation.")?)
}

fn write_partner(federation: &Federation, party: &Party) -> Result<()> {
    write_party(party)?;
    let Some(address) = party.address else {
        return Ok(());
    };
    let mut specs = federation.spec.partners.iter();
    let spec = specs.find(|spec| spec.name == party.name);
    let datasets =
        spec.into_iter().flat_map(|spec| &spec.datasets).map(|dataset| config::Dataset {
            id: &dataset.id,
            absent: &dataset.absent,
            source: &dataset.source,
            columns: &dataset.columns,
        });
    let config = Config {
        listen: Some(config::Listen { address }),
        coordinator: coordinator(federation),
        register: polled(federation, "../.."),
        subjects: Some(config::Subjects::EXAMPLE),
        dataset: datasets.collect(),
        ..base(
            federation,
            &party.oin,
            "../..",
            &[("ledger", "ledger.jwk"), ("sealing", "sealing.jwk")],
        )
    };
    let purpose = format!("The node of {} in an example federation.", party.title);
    files::write(&party.config, config.text(&purpose)?)
}

fn write_leader(federation: &Federation) -> Result<()> {
    let leader = &federation.leader;
    files::folder(&leader.dir)?;
    leader.certificate.write(&leader.dir, "tls")?;
    write_signing(&leader.dir, "leader", &leader.key)?;
    write_sealing(&leader.dir, "leader-sealing", &leader.sealing)?;
    let keys = [("signing", "leader.jwk"), ("sealing", "leader-sealing.jwk")];
    let config = client(federation, &leader.partner, &keys);
    files::write(&leader.config, config.text("The client of an example project leader.")?)
}

fn write_auditor(federation: &Federation) -> Result<()> {
    let auditor = &federation.auditor;
    write_party(auditor)?;
    let config = client(federation, &auditor.oin, &[("signing", "signing.jwk")]);
    files::write(&auditor.config, config.text("The client of an example auditor.")?)
}

fn client<'a>(
    federation: &'a Federation,
    oin: &'a Oin,
    keys: &[(&'static str, &str)],
) -> Config<'a> {
    Config {
        coordinator: coordinator(federation),
        register: polled(federation, ".."),
        ..base(federation, oin, "..", keys)
    }
}

/// What every configuration has; `up` is the way from the file's folder to the federation's.
fn base<'a>(
    federation: &'a Federation,
    oin: &'a Oin,
    up: &str,
    keys: &[(&'static str, &str)],
) -> Config<'a> {
    let keys = keys.iter().map(|(name, file)| (*name, (*file).to_owned()));
    Config {
        party: config::Party { oin },
        listen: None,
        tls: config::Tls::new(up),
        coordinator: None,
        register: polled(federation, up),
        keys: keys.collect::<BTreeMap<_, _>>(),
        data: config::Data { dir: "state" },
        telemetry: config::Telemetry { otlp: federation.spec.otlp.as_deref(), log: "info" },
        subjects: None,
        dataset: Vec::new(),
        founding: None,
    }
}

fn polled(federation: &Federation, up: &str) -> config::Register {
    let key = format!("{up}/coordinator/register.pub.jwk");
    let seconds = Some(federation.spec.poll_seconds);
    register(up, &key, seconds, federation.quorum)
}

fn register(up: &str, key: &str, poll_seconds: Option<u32>, quorum: usize) -> config::Register {
    let lsi_keys = LSI.iter().map(|name| format!("{up}/lsi/{name}.pub.jwk"));
    config::Register { lsi_keys: lsi_keys.collect(), quorum, key: key.to_owned(), poll_seconds }
}

fn coordinator(federation: &Federation) -> Option<config::Coordinator<'_>> {
    let party = &federation.coordinator;
    let coordinator = |address| config::Coordinator {
        address,
        oin: &party.oin,
        pins: std::slice::from_ref(&party.certificate.pin),
    };
    party.address.map(coordinator)
}

/// Folder, certificate and keys of a party.
fn write_party(party: &Party) -> Result<()> {
    files::folder(&party.dir)?;
    party.certificate.write(&party.dir, "tls")?;
    write_signing(&party.dir, "signing", &party.keys.signing)?;
    write_signing(&party.dir, "ledger", &party.keys.ledger)?;
    if party.address.is_some() && !party.datasets.is_empty() {
        write_sealing(&party.dir, "sealing", &party.keys.sealing)?;
        write_sealing(&party.dir, "subjects", &party.keys.subjects)?;
        let pseudonym = party.keys.pseudonym.to_jwk();
        files::write(&party.dir.join("pseudonym.jwk"), pseudonym.as_bytes())?;
    }
    Ok(())
}

fn write_signing(dir: &Path, stem: &str, key: &SigningKey) -> Result<()> {
    let public = canonical(key.verifying_key())?;
    files::write(&dir.join(format!("{stem}.jwk")), key.to_jwk().as_bytes())?;
    files::write(&dir.join(format!("{stem}.pub.jwk")), public)
}

fn write_sealing(dir: &Path, stem: &str, key: &OpeningKey) -> Result<()> {
    let public = canonical(key.sealing_key())?;
    files::write(&dir.join(format!("{stem}.jwk")), key.to_jwk().as_bytes())?;
    files::write(&dir.join(format!("{stem}.pub.jwk")), public)
}
