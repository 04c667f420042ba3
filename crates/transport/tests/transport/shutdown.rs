//! Stopping without breaking what is under way.

use std::time::Duration;

use convenant_transport::Limits;
use tokio::net::TcpStream;
use tonic_health::{ServingStatus, pb::HealthCheckRequest};

use crate::world::{World, within};

#[tokio::test]
async fn a_stream_under_way_is_finished_at_shutdown() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    let mut stream =
        within(client.watch(HealthCheckRequest::default())).await.unwrap().into_inner();
    assert_eq!(within(stream.message()).await.unwrap().unwrap().status, 1);

    world.stop.send(()).unwrap();
    // The listening socket closes as soon as the signal is seen.
    within(async { while TcpStream::connect(world.address).await.is_ok() {} }).await;

    world.health.set_service_status("", ServingStatus::NotServing).await;
    assert_eq!(within(stream.message()).await.unwrap().unwrap().status, 2);
    assert!(!world.done.is_finished());
    drop(stream);
    within(world.done).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_cut_after_the_grace_period() {
    let shutdown_grace = Duration::from_millis(100);
    let world = World::start_with(Limits { shutdown_grace, ..Limits::default() }).await;
    let mut client = world.client(&world.alice());
    let mut stream =
        within(client.watch(HealthCheckRequest::default())).await.unwrap().into_inner();
    within(stream.message()).await.unwrap();
    world.stop.send(()).unwrap();
    within(world.done).await.unwrap().unwrap();
    within(stream.message()).await.unwrap_err();
}
