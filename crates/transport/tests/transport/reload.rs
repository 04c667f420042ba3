//! What a reload does to connections that are open.

use convenant_transport::{
    CertificateFault, ClientTls, ConnectError, Expected, Explanation, Limits, Line, Mismatch,
    Reload, explain,
};
use tonic::Code;
use tonic_health::{
    ServingStatus,
    pb::{HealthCheckRequest, health_client::HealthClient},
};

use crate::{
    pki::Request,
    world::{SERVER, Seen, TestClock, World, check, expected, within},
};

#[tokio::test]
async fn a_revocation_refuses_the_next_request_on_an_open_connection() {
    let world = World::start().await;
    let alice = world.alice();
    let mut client = world.client(&alice);
    check(&mut client).await.unwrap();

    world.server.revoke(&world.authority, &[1]);
    assert_eq!(world.tls.reload().unwrap(), Reload::Changed);
    // A new connection would be refused in the handshake; this is an answer on the open one.
    let status = check(&mut client).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(status.message(), CertificateFault::Revoked.to_string());

    world.server.revoke(&world.authority, &[]);
    world.tls.reload().unwrap();
    check(&mut client).await.unwrap();
}

#[tokio::test]
async fn a_list_that_runs_out_refuses_the_next_request_on_an_open_connection() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    check(&mut client).await.unwrap();
    world.clock.set("2026-07-02T00:00:00.000Z");
    let status = check(&mut client).await.unwrap_err();
    assert_eq!(status.message(), CertificateFault::RevocationListExpired.to_string());
}

#[tokio::test]
async fn a_withdrawn_enrolment_refuses_the_next_request_on_an_open_connection() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    check(&mut client).await.unwrap();
    world.policy.replace([]);
    assert_eq!(check(&mut client).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_an_equal_one_neither() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    check(&mut client).await.unwrap();
    assert_eq!(world.tls.reload().unwrap(), Reload::Unchanged);

    std::fs::write(&world.server.files.roots, "no PEM").unwrap();
    let error = world.tls.reload().unwrap_err().to_string();
    assert!(error.contains("roots.pem") && error.ends_with("holds no certificate"), "{error}");
    check(&mut client).await.unwrap();
}

#[tokio::test]
async fn a_renewed_server_certificate_serves_new_connections() {
    let world = World::start().await;
    let alice = world.alice();
    let renewed = world.authority.party(&Request { oin: SERVER, serial: 10, ..Default::default() });
    world.server.renew(&renewed);
    assert_eq!(world.tls.reload().unwrap(), Reload::Changed);
    check(&mut world.client_of(&alice, expected(&renewed.peer)).1).await.unwrap();

    let status = check(&mut world.client(&alice)).await.unwrap_err();
    let Explanation::NotConnected(ConnectError::Mismatch { source, .. }) = explain(&status) else {
        panic!("{}", explain(&status))
    };
    assert!(matches!(source, Mismatch::Pin { .. }));
}

#[tokio::test]
async fn the_next_call_shows_a_renewed_certificate_and_calls_under_way_go_on() {
    let world = World::start().await;
    let alice = world.alice();
    let renewed = world.authority.party(&Request { serial: 11, ..Default::default() });
    let pins = [alice.peer.pin, renewed.peer.pin].into();
    world.policy.replace([Expected { oin: alice.peer.oin.clone(), pins }]);
    let clock = TestClock::at("2026-06-01T00:00:00.000Z");
    let tls = ClientTls::load(alice.files.clone(), clock).unwrap();
    let address = world.address.to_string();
    let server = expected(&world.server.peer);
    let line = Line::new(server, &address, tls.clone(), &Limits::default()).unwrap();
    let request = HealthCheckRequest { service: String::new() };
    let watched = within(HealthClient::new(line.channel()).watch(request)).await;
    let mut under_way = watched.unwrap().into_inner();
    within(under_way.message()).await.unwrap().unwrap();

    alice.renew(&renewed);
    assert_eq!(tls.reload().unwrap(), Reload::Changed);
    check(&mut HealthClient::new(line.channel())).await.unwrap();
    let shown = |seen: &Seen| seen.peer.as_ref().unwrap().pin;
    let shown: Vec<_> = world.seen.lock().unwrap().iter().map(shown).collect();
    assert_eq!(shown, [alice.peer.pin, renewed.peer.pin]);
    // The channel that it began on is gone from the line; the call is not.
    world.health.set_service_status("", ServingStatus::NotServing).await;
    within(under_way.message()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_leaves_a_server_that_was_revoked() {
    let world = World::start().await;
    let alice = world.alice();
    let (tls, mut client) = world.client_of(&alice, expected(&world.server.peer));
    check(&mut client).await.unwrap();
    alice.revoke(&world.authority, &[9]);
    assert_eq!(tls.reload().unwrap(), Reload::Changed);
    // The first calls may still find the connection breaking; then there is none to be had.
    within(async {
        loop {
            let Err(status) = check(&mut client).await else {
                continue;
            };
            if let Explanation::NotConnected(ConnectError::Certificate { fault, .. }) =
                explain(&status)
            {
                return assert_eq!(*fault, CertificateFault::Revoked);
            }
        }
    })
    .await;
}
