//! A new party comes by the register in parts.

use std::time::Duration;

use convenant_model::{entry::Status, query::QueryKind};
use convenant_register::{FollowError, Limits};
use convenant_testkit::{
    Cut, Plan, Shown, World,
    question::{about, question, target},
};

use super::Turned;
use crate::support::{BRP_FIELDS, Results, in_rotterdam};

#[tokio::test]
async fn a_new_party_catches_up_over_streams_that_break_off_and_a_restart() {
    let turned = Turned::start().await;
    let all = Shown::all_of(turned.documents.clone());
    let copy = turned.copy("copy");
    assert!(!copy.is_trusted(&turned));
    let begins = [(Cut::Broken(5), 5), (Cut::Ended(4), 9), (Cut::Broken(0), 9)];
    for (cut, came) in begins {
        turned.coordinator.show(all.clone().cut(cut));
        let error = copy.refresh().await.unwrap_err();
        match cut {
            Cut::Ended(_) => {
                let FollowError::Unfinished { came: told, shown } = error else {
                    panic!("{error}")
                };
                assert_eq!((told, shown), (came, turned.size()));
            }
            _ => assert!(matches!(error, FollowError::Unavailable(_)), "{error}"),
        }
        // The covenant is among what came, and nothing is decided with it.
        assert_eq!(copy.size(), 0);
        assert!(copy.follower.current().rules().is_none() && !copy.is_trusted(&turned));
        assert!(copy.files().is_empty());
        assert_eq!(copy.incoming().len() as u64, came);
    }
    let copy = copy.restarted(&turned);
    assert_eq!((copy.size(), copy.is_trusted(&turned)), (0, false));
    turned.coordinator.show(all.clone().cut(Cut::Ended(3)));
    copy.refresh().await.unwrap_err();
    assert_eq!(turned.coordinator.asked_from(), 9);
    turned.coordinator.show(all);
    copy.refresh().await.unwrap();
    assert_eq!(turned.coordinator.asked_from(), 12);
    assert_eq!(copy.size(), turned.size());
    assert!(copy.is_trusted(&turned) && copy.incoming().is_empty());
    let position = copy.position();
    let copy = copy.restarted(&turned);
    assert_eq!(copy.position(), position);
    assert!(copy.is_trusted(&turned));
}

#[tokio::test]
async fn what_came_before_the_time_is_up_is_kept() {
    let turned = Turned::start().await;
    let all = Shown::all_of(turned.documents.clone());
    let limits = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let copy = turned.copy("copy").within(limits);
    turned.coordinator.show(all.clone().cut(Cut::Stalled(6)));
    let error = copy.refresh().await.unwrap_err();
    assert!(matches!(error, FollowError::Unavailable(_)), "{error}");
    assert_eq!((copy.size(), copy.incoming().len()), (0, 6));
    turned.coordinator.show(all);
    copy.refresh().await.unwrap();
    assert_eq!((turned.coordinator.asked_from(), copy.size()), (6, turned.size()));
}

#[tokio::test]
async fn a_register_that_grows_between_the_parts_is_followed_to_its_new_end() {
    let turned = Turned::start().await;
    let copy = turned.copy("copy");
    turned.coordinator.show(Shown::all_of(turned.first(10)).cut(Cut::Ended(7)));
    copy.refresh().await.unwrap_err();
    turned.show_all();
    copy.refresh().await.unwrap();
    assert_eq!((turned.coordinator.asked_from(), copy.size()), (7, turned.size()));
}

#[tokio::test]
async fn parts_that_lead_to_no_signed_root_are_fetched_anew_before_a_fork_is_spoken_of() {
    let turned = Turned::start().await;
    let at = turned.swappable();
    let mut other = turned.documents.clone();
    other.swap(at, at + 1);
    // A whole history of its own, of which the end was never shown.
    let unfinished = Shown::all_of(other).cut(Cut::Ended(at + 2));
    let copy = turned.copy("copy");
    turned.coordinator.show(unfinished.clone());
    copy.refresh().await.unwrap_err();
    assert_eq!(copy.incoming().len(), at + 2);
    turned.show_all();
    copy.refresh().await.unwrap();
    assert_eq!(turned.coordinator.asked_from(), 0);
    assert_eq!(copy.size(), turned.size());
    assert!(copy.is_trusted(&turned) && copy.incoming().is_empty());
    // The same where it goes no further than the parts do.
    let copy = turned.copy("shorter");
    turned.coordinator.show(unfinished);
    copy.refresh().await.unwrap_err();
    turned.coordinator.show(Shown::all_of(turned.first(at)));
    copy.refresh().await.unwrap();
    assert_eq!((turned.coordinator.asked_from(), copy.size()), (0, at as u64));
    assert!(copy.is_trusted(&turned));
}

#[tokio::test]
async fn a_coordinator_that_feeds_without_end_fills_neither_memory_nor_disk() {
    let turned = Turned::start().await;
    let copy = turned.copy("many").within(Limits { documents: 10, ..Limits::default() });
    turned.show_all();
    let error = copy.refresh().await.unwrap_err();
    assert!(matches!(error, FollowError::Malformed(_)), "{error}");
    assert_eq!((copy.size(), copy.incoming().len()), (0, 0));
    // The bytes count over several refreshes, and over a restart.
    let bytes: usize = turned.documents.iter().take(10).map(Vec::len).sum();
    let limits = Limits { bytes: bytes as u64, ..Limits::default() };
    let copy = turned.copy("large").within(limits);
    turned.coordinator.show(Shown::all_of(turned.documents.clone()).cut(Cut::Ended(10)));
    let error = copy.refresh().await.unwrap_err();
    assert!(matches!(error, FollowError::Unfinished { came: 10, .. }), "{error}");
    let copy = copy.restarted(&turned).within(limits);
    let error = copy.refresh().await.unwrap_err();
    assert!(matches!(error, FollowError::Malformed(_)), "{error}");
    assert_eq!((copy.size(), copy.incoming().len()), (0, 0));
    // Within the limits it is taken, and what was agreed on counts no more.
    turned.coordinator.show(Shown::all_of(turned.first(10)));
    copy.refresh().await.unwrap();
    turned.coordinator.show(Shown::all_of(turned.first(12)));
    copy.refresh().await.unwrap();
    assert_eq!(copy.size(), 12);
}

#[tokio::test]
async fn a_new_node_serves_once_it_has_caught_up_in_parts() {
    let mut world = World::start(&Plan::nodes(&[])).await.unwrap();
    let client = world.client().await.unwrap();
    let hostile = world.turn_coordinator().await.unwrap();
    let documents = hostile.register();
    let part = documents.len() / 3 + 1;
    hostile.show(Shown::all_of(documents).cut(Cut::Ended(part)));
    world.start_node("rotterdam").await.unwrap();
    assert!(hostile.follows() >= 3);
    let asked = target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap();
    let asked = about(asked, in_rotterdam(&world, 2)).unwrap();
    let composed = client.compose(question(QueryKind::Lookup, vec![asked]).unwrap()).unwrap();
    let results = Results::of(&world, "parts");
    let answered = results.ask(&client, &composed).await.unwrap();
    assert_eq!(answered[0].status, Status::Answered, "{answered:?}");
    assert_eq!(results.rows(0).len(), 2);
}
