//! What is on record late, out of its order in time, or before what it followed from; and what just is not. None
//! makes the evidence fall: clocks are off and answers take long.

use convenant_audit::{Code, LedgerKind, SLACK, Severity};
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    Timestamp,
    entry::{Entry, SignedOutcome},
};
use convenant_signing::peek_compact;

use crate::world::{Ledgers, UWV, World, found};

/// How long the queries of the world are valid.
const VALID: i64 = 300;

// Of the one exchange, each ledger of a decider holds 0 decision, 1 outcome; receipts 0 uwv, 1 toeslagen.

/// What is warned of once the ledgers of one exchange were changed.
fn after(change: impl FnOnce(&World, &mut Ledgers)) -> Vec<String> {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    change(&world, &mut ledgers);
    let report = world.audit(&ledgers);
    assert!(report.holds(), "{report}");
    found(&report, Severity::Warning)
}

fn time(entry: &mut Entry) -> &mut Timestamp {
    match entry {
        Entry::Decision(one) => &mut one.at,
        Entry::Outcome(one) => &mut one.at,
        Entry::Receipt(one) => &mut one.at,
        other => panic!("{other:?}"),
    }
}

fn shift(entries: &mut [Entry], seconds: i64) {
    for entry in entries {
        let at = time(entry);
        *at = at.plus_seconds(seconds);
    }
}

/// Has UWV sign its outcome anew, so many seconds later.
fn sign_later(world: &World, receipt: &mut Entry, seconds: i64) {
    let Entry::Receipt(receipt) = receipt else { panic!("not a receipt") };
    let text = receipt.outcome.take().unwrap();
    let payload = peek_compact(&text, OUTCOME_TYPE).unwrap().payload().to_vec();
    let mut outcome: SignedOutcome = serde_json::from_slice(&payload).unwrap();
    outcome.at = outcome.at.plus_seconds(seconds);
    receipt.outcome = Some(world.sign_outcome(UWV, &outcome));
}

#[test]
fn an_answer_may_take_as_long_as_its_query_is_valid_and_some() {
    // Everybody's clock but the requester's is behind, so the answer ends at the latest that it may.
    let ends = VALID + SLACK.late_seconds;
    let told = after(|world, ledgers| {
        shift(&mut ledgers.coordinator[1..], ends);
        shift(&mut ledgers.uwv[1..], ends);
        sign_later(world, &mut ledgers.receipts[0], ends);
        shift(&mut ledgers.receipts, ends);
    });
    assert_eq!(told, [""; 0]);
}

#[test]
fn what_ends_long_after_its_query_expired_is_named_in_each_ledger() {
    let ends = VALID + SLACK.late_seconds + 1;
    let coordinator = after(|_, ledgers| shift(&mut ledgers.coordinator[1..], ends));
    assert_eq!(coordinator, ["TE_LAAT_VASTGELEGD coordinator 1"]);
    let node = after(|_, ledgers| {
        shift(&mut ledgers.coordinator[1..], ends - 1);
        shift(&mut ledgers.uwv[1..], ends);
    });
    assert_eq!(node, ["TE_LAAT_VASTGELEGD uwv 1"]);
    let received = after(|_, ledgers| shift(&mut ledgers.receipts[1..], ends));
    assert_eq!(received, ["TE_LAAT_VASTGELEGD receipts 1"]);
    // What the partner signed counts where the requester says that it was earlier.
    let signed = after(|world, ledgers| sign_later(world, &mut ledgers.receipts[0], ends));
    assert_eq!(signed, ["TE_LAAT_VASTGELEGD receipts 0", "TIJDEN_STRIJDIG receipts 0"]);
}

#[test]
fn a_node_that_decided_before_the_coordinator_permitted() {
    let early = |seconds: i64| {
        after(|_, ledgers| {
            for ledger in [&mut ledgers.coordinator, &mut ledgers.toeslagen] {
                shift(ledger, seconds);
            }
            shift(&mut ledgers.receipts, seconds);
        })
    };
    // A node may decide long after the coordinator, and a little before it.
    assert_eq!(early(SLACK.skew_seconds), [""; 0]);
    assert_eq!(early(SLACK.skew_seconds + 1), ["TIJDEN_STRIJDIG uwv 0"]);
}

#[test]
fn an_answer_that_was_relayed_before_it_ended() {
    let ends = |seconds| after(|_, ledgers| shift(&mut ledgers.uwv[1..], seconds));
    assert_eq!(ends(SLACK.skew_seconds), [""; 0]);
    assert_eq!(ends(SLACK.skew_seconds + 1), ["TIJDEN_STRIJDIG coordinator 1"]);
}

#[test]
fn an_answer_that_was_received_before_it_ended_or_was_permitted() {
    let signed =
        |seconds| after(|world, ledgers| sign_later(world, &mut ledgers.receipts[0], seconds));
    assert_eq!(signed(SLACK.skew_seconds), [""; 0]);
    assert_eq!(signed(SLACK.skew_seconds + 1), ["TIJDEN_STRIJDIG receipts 0"]);
    // The partner signed early as well: then the coordinator's time tells.
    let permitted = |seconds: i64| {
        after(|world, ledgers| {
            sign_later(world, &mut ledgers.receipts[0], -seconds);
            shift(&mut ledgers.receipts[..1], -seconds);
        })
    };
    assert_eq!(permitted(SLACK.skew_seconds), [""; 0]);
    assert_eq!(permitted(SLACK.skew_seconds + 1), ["TIJDEN_STRIJDIG receipts 0"]);
}

#[test]
fn the_time_of_the_other_party_is_told_with_its_place() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    shift(&mut ledgers.uwv[1..], 31);
    let report = world.audit(&ledgers);
    let told = report.findings.iter().find(|one| one.code == Code::TimesDisagree).unwrap();
    let later = world.now.plus_seconds(31);
    let place = format!("at>={later} as in node/{UWV}, entry=1");
    assert_eq!(told.expected.as_deref(), Some(place.as_str()));
    assert_eq!(told.found, Some(format!("at={}", world.now)));
    // Without the other's ledger nobody can tell.
    let alone = world.audit_without(&ledgers, LedgerKind::Node);
    assert!(alone.findings.iter().all(|one| one.code != Code::TimesDisagree), "{alone}");
}

/// In words as well, where each place is a ledger and an entry.
#[test]
fn the_entry_with_the_later_time_is_told_with_its_ledger() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    world.exchange(&mut ledgers, &|_| {}, false);
    let later = world.now;
    world.now = later.plus_seconds(-SLACK.late_seconds - 1);
    world.exchange(&mut ledgers, &|_| {}, false);
    let report = world.audit(&ledgers);
    let told = report
        .findings
        .iter()
        .find(|one| one.code == Code::WentBack && one.ledger == format!("node/{UWV}"));
    let told = told.unwrap();
    assert_eq!(told.expected, Some(format!("at>={later} as in node/{UWV}, entry=1")));
    let dutch = format!("tijd vanaf: {later} zoals in node/{UWV}, regel: 1");
    assert_eq!(told.told_in_dutch()[0], Some(dutch));
}

#[test]
fn an_entry_that_states_an_earlier_time_than_those_before_it() {
    let back = |seconds: i64| {
        let (mut world, mut ledgers) = (World::new(), Ledgers::default());
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(-seconds);
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(seconds);
        world.exchange(&mut ledgers, &|_| {}, false);
        let report = world.audit(&ledgers);
        assert!(report.holds(), "{report}");
        found(&report, Severity::Warning)
    };
    assert_eq!(back(SLACK.late_seconds), [""; 0]);
    let every = ["coordinator", "uwv", "toeslagen", "receipts"];
    // Once, whatever follows: which of the two times is false nobody can tell.
    let every = every.map(|ledger| format!("TIJD_TERUGGEZET {ledger} 2"));
    assert_eq!(back(SLACK.late_seconds + 1), every);
}

#[test]
fn the_slack_is_published() {
    let page = include_str!("../../../../docs/audit.md");
    for code in [Code::Late, Code::WentBack, Code::TimesDisagree] {
        let line = page.lines().find(|line| line.contains(&format!("`{code}`"))).unwrap();
        assert!(line.contains(code.in_dutch()), "{line}");
        assert_eq!(code.severity(), Severity::Warning);
    }
    let slack = serde_json::to_value(SLACK).unwrap();
    for (name, value) in slack.as_object().unwrap() {
        assert!(page.contains(&format!("`{name}` = {value}")), "{name} = {value}");
    }
    // As much as the protocol lets a query be early.
    assert_eq!(SLACK.skew_seconds, convenant_exchange::SKEW_SECONDS);
}
