//! Who is let in, from both sides.

use std::sync::Arc;

use convenant_transport::{
    CertificateFault, ConnectError, EXAMPLE_ORGANISATION, Explanation, Mismatch, ServerTls,
    TlsError, explain,
};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::TlsConnector;
use tonic::{Code, Status};

use crate::{
    pki::{Authority, Party, Request},
    world::{ALICE, BOB, World, check, expected, within},
};

#[tokio::test]
async fn an_enrolled_party_is_served_and_known_by_its_certificate() {
    let world = World::start().await;
    let alice = world.alice();
    check(&mut world.client(&alice)).await.unwrap();
    assert_eq!(world.seen.lock().unwrap()[0].peer, Some(alice.peer));
}

#[tokio::test]
async fn a_party_that_is_not_enrolled_is_refused() {
    let world = World::start().await;
    let bob = world.authority.party(&Request { oin: BOB, ..Default::default() });
    let status = check(&mut world.client(&bob)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(status.message().contains("is not enrolled here"), "{status}");
    assert!(world.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_right_party_with_another_key_is_refused() {
    let world = World::start().await;
    let _enrolled = world.alice();
    let other_key = world.authority.party(&Request { serial: 2, ..Default::default() });
    let status = check(&mut world.client(&other_key)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(status.message().contains("public key that is not enrolled"), "{status}");
}

#[tokio::test]
async fn a_certificate_of_a_foreign_authority_is_refused() {
    let world = World::start().await;
    let foreign = Authority::new("another authority").party(&Request::default());
    world.policy.replace([expected(&foreign.peer)]);
    // It trusts the server, so that the refusal is the server's.
    foreign.trust(&world.authority);
    foreign.revoke(&world.authority, &[]);
    assert_refused(&check(&mut world.client(&foreign)).await.unwrap_err(), "UnknownCA");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let world = World::start().await;
    let late = world.authority.party(&Request { expires: 2026, ..Default::default() });
    world.policy.replace([expected(&late.peer)]);
    assert_refused(&check(&mut world.client(&late)).await.unwrap_err(), "CertificateExpired");
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    let world = World::start().await;
    let alice = world.alice();
    world.server.revoke(&world.authority, &[1]);
    world.tls.reload().unwrap();
    assert_refused(&check(&mut world.client(&alice)).await.unwrap_err(), "CertificateRevoked");
}

#[tokio::test]
async fn an_outdated_revocation_list_refuses_everybody() {
    let world = World::start().await;
    let alice = world.alice();
    world.clock.set("2026-07-02T00:00:00.000Z");
    assert_refused(&check(&mut world.client(&alice)).await.unwrap_err(), "");
}

#[tokio::test]
async fn a_server_of_another_party_or_with_another_key_is_refused() {
    let world = World::start().await;
    let alice = world.alice();
    let right = expected(&world.server.peer);

    let mut other_party = right.clone();
    other_party.oin = BOB.parse().unwrap();
    let status = check(&mut world.client_of(&alice, other_party).1).await.unwrap_err();
    assert!(matches!(mismatch(&status), Mismatch::Oin { .. }), "{}", explain(&status));

    let mut other_key = right;
    other_key.pins = [alice.peer.pin].into();
    let status = check(&mut world.client_of(&alice, other_key).1).await.unwrap_err();
    assert!(matches!(mismatch(&status), Mismatch::Pin { .. }), "{}", explain(&status));
}

#[tokio::test]
async fn a_server_whose_certificate_is_revoked_is_refused() {
    let world = World::start().await;
    let alice = world.alice();
    alice.revoke(&world.authority, &[9]);
    let status = check(&mut world.client(&alice)).await.unwrap_err();
    let Explanation::NotConnected(ConnectError::Certificate { fault, .. }) = explain(&status)
    else {
        panic!("{}", explain(&status))
    };
    assert_eq!(*fault, CertificateFault::Revoked);
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let world = World::start().await;
    let error = raw(&world, None, &TLS13).await;
    assert!(error.contains("CertificateRequired"), "{error}");
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let world = World::start().await;
    let alice = world.alice();
    // The same client is let in with TLS 1.3, so that it is the version that is refused.
    assert_eq!(raw(&world, Some(&alice), &TLS13).await, "accepted");
    let error = raw(&world, Some(&alice), &TLS12).await;
    assert!(error.contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn example_certificates_need_leave() {
    let authority = Authority::new("the authority");
    let request = Request { organisation: EXAMPLE_ORGANISATION, ..Request::default() };
    let mut party = authority.party(&request);
    let load = |party: &Party| {
        let clock = crate::world::TestClock::at("2026-06-01T00:00:00.000Z");
        ServerTls::load(party.files.clone(), clock)
    };
    assert!(matches!(load(&party), Err(TlsError::Example { .. })));
    party.files.allow_example = true;
    assert_eq!(load(&party).unwrap().own().oin.as_str(), ALICE);
}

#[test]
fn a_key_of_another_certificate_is_named() {
    let authority = Authority::new("the authority");
    let (mut alice, bob) =
        (authority.party(&Request::default()), authority.party(&Request::default()));
    alice.files.key = bob.files.key.clone();
    let clock = crate::world::TestClock::at("2026-06-01T00:00:00.000Z");
    let error = ServerTls::load(alice.files, clock).unwrap_err();
    assert!(matches!(&error, TlsError::Pair { key, .. } if *key == bob.files.key), "{error}");
}

fn assert_refused(status: &Status, wanted: &str) {
    let explanation = explain(status);
    let Explanation::NotConnected(ConnectError::Refused { alert, .. }) = &explanation else {
        panic!("{explanation}")
    };
    assert!(alert.as_deref().unwrap_or_default().contains(wanted), "{explanation}");
    assert!(explanation.to_string().contains("revoked, expired or unknown there?"));
}

fn mismatch(status: &Status) -> &Mismatch {
    match explain(status) {
        Explanation::NotConnected(ConnectError::Mismatch { source, .. }) => source,
        other => panic!("{other}"),
    }
}

/// Connects with bare rustls and waits for the server's first byte: `accepted`, or why not.
async fn raw(
    world: &World,
    party: Option<&Party>,
    version: &'static SupportedProtocolVersion,
) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(world.authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let config = match party {
        None => builder.with_no_client_auth(),
        Some(party) => {
            let chain = vec![CertificateDer::from_pem_file(&party.files.certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_file(&party.files.key).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let tcp = TcpStream::connect(world.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let outcome = within(async {
        let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await?;
        stream.read_u8().await
    });
    outcome.await.map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}
