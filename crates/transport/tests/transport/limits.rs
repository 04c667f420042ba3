//! What nobody may take from the others.

use std::time::Duration;

use convenant_transport::{ConnectError, Explanation, Limits, explain};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

use crate::world::{World, check, within};

#[tokio::test]
async fn a_silent_client_is_dropped_and_keeps_nobody_waiting() {
    let handshake_timeout = Duration::from_millis(300);
    let world = World::start_with(Limits { handshake_timeout, ..Limits::default() }).await;
    let mut silent = TcpStream::connect(world.address).await.unwrap();
    check(&mut world.client(&world.alice())).await.unwrap();
    assert_eq!(within(silent.read(&mut [0; 1])).await.unwrap(), 0, "not dropped");
}

#[tokio::test]
async fn handshakes_beyond_the_limit_are_dropped_at_once() {
    let world = World::start_with(Limits { max_handshakes: 1, ..Limits::default() }).await;
    let _first = TcpStream::connect(world.address).await.unwrap();
    let mut second = TcpStream::connect(world.address).await.unwrap();
    assert_eq!(within(second.read(&mut [0; 1])).await.unwrap(), 0, "not dropped");
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    for limits in [
        Limits { max_connections: 1, ..Limits::default() },
        Limits { max_connections_per_peer: 1, ..Limits::default() },
    ] {
        let world = World::start_with(limits).await;
        let alice = world.alice();
        let mut first = world.client(&alice);
        check(&mut first).await.unwrap();
        let status = check(&mut world.client(&alice)).await.unwrap_err();
        let explanation = explain(&status);
        let refused =
            matches!(&explanation, Explanation::NotConnected(ConnectError::Refused { .. }));
        assert!(refused, "{explanation}");
        check(&mut first).await.unwrap();
    }
}

#[tokio::test]
async fn an_oversized_message_is_refused_and_the_connection_lives() {
    let world = World::start_with(Limits { max_message: 1024, ..Limits::default() }).await;
    let mut client = world.client(&world.alice());
    let oversized = HealthCheckRequest { service: "x".repeat(2000) };
    let status = within(client.check(oversized)).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    check(&mut client).await.unwrap();
}

#[tokio::test]
async fn oversized_headers_are_refused_before_any_handler() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("x-long", "x".repeat(20_000).parse().unwrap());
    within(client.check(request)).await.unwrap_err();
    assert!(world.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_connection_ends_at_its_greatest_age_whatever_its_streams_do() {
    let world = World::start_with(Limits {
        connection_age: Duration::from_millis(100),
        connection_grace: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let mut client = world.client(&world.alice());
    let mut stream =
        within(client.watch(HealthCheckRequest::default())).await.unwrap().into_inner();
    assert!(within(stream.message()).await.unwrap().is_some());
    let status = within(stream.message()).await.unwrap_err();
    assert!(matches!(explain(&status), Explanation::ConnectionLost), "{}", explain(&status));
    check(&mut client).await.unwrap();
}
