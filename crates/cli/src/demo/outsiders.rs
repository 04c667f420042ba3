//! Parties that try what they have no business with: an organisation that is not enrolled, a
//! certificate of a foreign authority, and a coordinator that is curious itself.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use convenant_client::compose::Question;
use convenant_coordinator::CoordinatorConfig;
use convenant_demo::pki::{CertificateRequest, Pki};
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    Oin,
    entry::SignedOutcome,
    query::{Query, QueryKind},
};
use convenant_signing::{key_id, parse_canonical, verify_compact};
use convenant_transport::{
    ClientTls, Expected, Explanation, Limits, SystemClock, TlsFiles, connect, explain,
};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{
        AnswerRequest, QueryRequest, answer_frame::Body, broker_client::BrokerClient,
        exchange_client::ExchangeClient,
    },
};
use tonic::{Status, transport::Channel};

use super::{
    ask::{About, Ask, Composed, bend, question},
    cast::Cast,
    seen::{By, Reason, Seen},
    stage::Stage,
};

/// An OIN of the example's prefix that no enrolment names: the police's, in the example covenant.
const OUTSIDER: &str = "00000099000000008000";

/// Code of a refusal during the handshake, where there is no protocol yet that could carry one.
pub(super) const HANDSHAKE: &str = "TLS";

/// An organisation with a certificate of the right authority, but no enrolment, sends a query that the
/// leader signed.
pub(super) async fn not_enrolled(stage: &mut Stage, cast: &Cast) -> Result<Seen> {
    let dir = stage.federation.dir.join("outsider");
    let oin = Oin::new(OUTSIDER)?;
    let request = CertificateRequest::new(&oin, "outsider", stage.federation.spec.today);
    stage.federation.pki.issue(&request)?.write(&made(&dir)?, "tls")?;
    knock(stage, cast, &dir).await
}

/// The same with the OIN of the leader's own organisation, and a certificate that was home-made.
pub(super) async fn foreign_authority(stage: &mut Stage, cast: &Cast) -> Result<Seen> {
    let dir = stage.federation.dir.join("forger");
    let today = stage.federation.spec.today;
    let mut pki = Pki::create(&made(&dir)?.join("pki"), today)?;
    let request = CertificateRequest::new(&stage.federation.leader.partner, "leader", today);
    pki.issue(&request)?.write(&dir, "tls")?;
    knock(stage, cast, &dir).await
}

/// The coordinator asks a node on its own behalf: over its own connection, which the node expects, but
/// with a query that only the coordinator signed.
pub(super) async fn curious_coordinator(stage: &Stage, cast: &Cast) -> Result<Seen> {
    let coordinator = &stage.federation.coordinator;
    let key = &coordinator.keys.signing;
    let composed =
        bend(stage.client.compose(innocent(stage, cast)?)?, key, |query: &mut Query| {
            query.requester.partner = coordinator.oin.clone();
            query.requester.key = key.verifying_key().clone();
            Ok(())
        })?;
    let config: CoordinatorConfig = convenant_setup::load(&coordinator.config)?;
    let node = stage.partner("toeslagen")?;
    let expected = Expected { oin: node.oin.clone(), pins: [node.certificate.pin].into() };
    let address = node.address.context("a partner without a node")?;
    let channel = channel(expected, &address.to_string(), config.tls)?;
    let sealed = composed.sealed.into_iter().next().map(|(_, sealed)| sealed);
    let request = AnswerRequest {
        signed_query: composed.signed,
        target: 0,
        sealed_subjects: sealed.unwrap_or_default().into(),
    };
    let mut frames = ExchangeClient::new(channel).answer(request).await?.into_inner();
    let first = frames.message().await?.and_then(|frame| frame.body);
    let Some(Body::SignedOutcome(signed)) = first else {
        bail!("the node began to answer the coordinator");
    };
    let own = node.keys.ledger.verifying_key();
    let key_of = |id: &_| (*id == key_id(own)).then(|| own.clone());
    let verified = verify_compact(&signed, OUTCOME_TYPE, key_of)?;
    let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome")?;
    Seen::answered(&outcome.status)
}

/// Sends a query of the leader to the coordinator with the certificate that stands in a folder.
async fn knock(stage: &Stage, cast: &Cast, dir: &Path) -> Result<Seen> {
    let composed = stage.client.compose(innocent(stage, cast)?)?;
    let coordinator = &stage.federation.coordinator;
    let pins = [coordinator.certificate.pin].into();
    let expected = Expected { oin: coordinator.oin.clone(), pins };
    let address = coordinator.address.context("a coordinator without an address")?;
    let files = TlsFiles {
        certificate: dir.join("tls.pem"),
        key: dir.join("tls.key"),
        roots: stage.federation.pki.roots().to_owned(),
        revocation_lists: vec![stage.federation.pki.crl().to_owned()],
        allow_example: true,
        reload_seconds: 60,
    };
    let channel = channel(expected, &address.to_string(), files)?;
    match BrokerClient::new(channel).query(request(composed)).await {
        Ok(_) => bail!("the coordinator took a query from an outsider"),
        Err(status) => turned_away(&status),
    }
}

fn turned_away(status: &Status) -> Result<Seen> {
    match (read(status), explain(status)) {
        (PeerProblem::Problem(problem), _) => {
            Ok(Seen::problem(By::Coordinator, problem, status.message().to_owned()))
        }
        (_, explanation @ (Explanation::NotConnected(_) | Explanation::ConnectionLost)) => {
            let reason = Reason {
                clause: String::new(),
                code: HANDSHAKE.to_owned(),
                detail: explanation.to_string(),
                text: "There is no connection, so nothing could be asked.".to_owned(),
            };
            Ok(Seen { by: By::Coordinator, reasons: vec![reason] })
        }
        (_, explanation) => bail!("the outsider was answered: {explanation}"),
    }
}

/// A question that the leader might ask.
fn innocent(stage: &Stage, cast: &Cast) -> Result<Question> {
    let fields = &["aantal_medebewoners_opgegeven"];
    let about = About::People(cast.residents.clone());
    let ask = Ask { partner: "toeslagen", fields, about, ..Ask::default() };
    question(stage, QueryKind::Lookup, &[ask])
}

fn request(composed: Composed) -> QueryRequest {
    let subjects = composed.sealed.into_iter();
    let subjects = subjects.map(|(target, sealed)| convenant_wire::v1::SealedSubjects {
        target,
        sealed: sealed.into(),
    });
    QueryRequest { signed_query: composed.signed, subjects: subjects.collect() }
}

fn channel(expected: Expected, address: &str, files: TlsFiles) -> Result<Channel> {
    let tls = ClientTls::load(files, Arc::new(SystemClock))?;
    Ok(connect(expected, address, tls, &Limits::default())?)
}

fn made(dir: &Path) -> Result<std::path::PathBuf> {
    std::fs::create_dir_all(dir)?;
    Ok(dir.to_owned())
}
