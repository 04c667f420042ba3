//! What travels along with a request: trace context and deadline.

use std::time::Duration;

use convenant_transport::{Deadline, trace};
use tonic::Request;
use tonic_health::pb::HealthCheckRequest;
use tracing::Instrument as _;

use crate::world::{World, check, within};

#[tokio::test]
async fn one_trace_spans_both_sides() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());

    let call = async {
        let mut request = Request::new(HealthCheckRequest::default());
        trace::inject(&mut request);
        client.check(request).await.unwrap();
        trace::current().unwrap()
    };
    let sent = within(call.instrument(tracing::info_span!("caller"))).await;
    let seen = world.seen.lock().unwrap()[0].trace.clone().unwrap();
    // version - trace id - span id - flags: the same trace, a span of its own.
    let part = |text: &str, n| text.split('-').nth(n).map(str::to_owned).unwrap();
    assert_eq!(part(&seen, 1), part(&sent, 1));
    assert_ne!(part(&seen, 2), part(&sent, 2));
}

#[tokio::test]
async fn a_broken_trace_context_is_no_parent_and_no_harm() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    for broken in ["00-zz-zz-00", "", "00-00000000000000000000000000000000-0000000000000000-01"] {
        let mut request = Request::new(HealthCheckRequest::default());
        request.metadata_mut().insert("traceparent", broken.parse().unwrap());
        within(client.check(request)).await.unwrap();
        let seen = world.seen.lock().unwrap().pop().unwrap().trace.unwrap();
        assert!(!seen.contains("00000000000000000000000000000000"), "{seen}");
    }
}

#[tokio::test]
async fn a_handler_knows_the_time_that_its_caller_gives() {
    let world = World::start().await;
    let mut client = world.client(&world.alice());
    check(&mut client).await.unwrap();
    let mut request = Request::new(HealthCheckRequest::default());
    Deadline::after(Duration::from_secs(60)).pass_on(&mut request).unwrap();
    within(client.check(request)).await.unwrap();

    let seen = world.seen.lock().unwrap();
    assert_eq!(seen[0].deadline, None);
    let left = seen[1].deadline.unwrap().left().unwrap();
    assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(30), "{left:?}");
}
