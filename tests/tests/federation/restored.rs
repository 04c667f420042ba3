//! Coordinator and node are both set back to an old backup, as after a disaster or by agreement: with no
//! third party as witness, the leader's receipts tell.

use convenant_audit::{Code, Report};
use convenant_testkit::World;

use crate::{
    replay::audit,
    support::world,
    witnesses::{codes, copy, exchange, ledger, restore},
};

#[tokio::test(flavor = "multi_thread")]
async fn two_ledgers_from_an_old_backup_are_betrayed_by_the_receipts() {
    let mut world = world(&["rotterdam"]).await;
    exchange(&world).await;
    world.shut_down().await.unwrap();
    let both = [&world.federation.coordinator, world.partner("rotterdam").unwrap()].map(ledger);
    let backups = ["one", "two"].map(|name| world.path(name));
    both.iter().zip(&backups).for_each(|(ledger, backup)| copy(ledger, backup));
    start(&mut world).await;
    exchange(&world).await;
    world.shut_down().await.unwrap();
    both.iter().zip(&backups).for_each(|(ledger, backup)| restore(backup, ledger));
    assert_told(&audit(&world));

    // They start from what there is, and go on as if nothing had been; the audit does not.
    start(&mut world).await;
    exchange(&world).await;
    world.shut_down().await.unwrap();
    assert_told(&audit(&world));
}

async fn start(world: &mut World) {
    world.start_coordinator().await.unwrap();
    world.start_node("rotterdam").await.unwrap();
}

/// An answer that the leader holds a receipt of stands in neither ledger.
fn assert_told(report: &Report) {
    let told = |ledger, code| codes(report, ledger).iter().any(|(found, _)| *found == code);
    assert!(told("receipts/", Code::MissingAtNode), "{report}");
    assert!(told("receipts/", Code::MissingAtCoordinator), "{report}");
    assert!(!report.holds());
}
