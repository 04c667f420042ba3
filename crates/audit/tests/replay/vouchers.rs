//! Vouchers in the evidence (clause S10): a permit that needed them names the answers that they are of, and the
//! issuer's ledger holds those.

use convenant_audit::Severity;
use convenant_model::{
    entry::{Decision, Entry, RecordedVerdict, TargetVerdict},
    verdict::{Obligations, Vouches},
    vouching::VouchedBy,
};

use crate::world::{Ledgers, TOESLAGEN, World, found, oin};

/// What is found of vouchers, and in UWV's ledger only, once the ledgers were changed. The verdicts made
/// again differ as well, because nothing in this register is vouched.
fn after(change: impl FnOnce(&mut Ledgers)) -> Vec<String> {
    let mut world = World::new();
    let mut ledgers = world.exchanges();
    change(&mut ledgers);
    let found = found(&world.audit(&ledgers), Severity::Finding);
    found.into_iter().filter(|one| one.contains("VOUCHER")).collect()
}

/// The first decision of a ledger that begins with a start.
fn first(entries: &mut [Entry]) -> &mut Decision {
    decision(&mut entries[1])
}

fn decision(entry: &mut Entry) -> &mut Decision {
    match entry {
        Entry::Decision(decision) => decision,
        other => panic!("not a decision: {other:?}"),
    }
}

fn obligations(verdict: &mut TargetVerdict) -> &mut Obligations {
    match &mut verdict.verdict {
        RecordedVerdict::Permit { obligations } => obligations,
        other => panic!("not a permit: {other:?}"),
    }
}

/// UWV answered about subjects for whom, as it says, an answer of Toeslagen to the same query vouched.
fn vouched(ledgers: &mut Ledgers) {
    let decision = first(&mut ledgers.uwv);
    let by = VouchedBy { issuer: oin(TOESLAGEN), query: decision.query };
    let verdict = &mut decision.verdicts[0];
    verdict.vouched_by = [by].into();
    obligations(verdict).vouched = Some("burgerservicenummer".parse().unwrap());
}

/// Toeslagen undertook to vouch in that answer.
fn vouches(ledgers: &mut Ledgers) {
    let verdict = &mut first(&mut ledgers.toeslagen).verdicts[0];
    let key = "burgerservicenummer".parse().unwrap();
    obligations(verdict).vouches = Some(Vouches { key, days: 7 });
}

#[test]
fn a_permit_that_needed_vouchers_names_answers_that_were_given() {
    let nobody = after(|ledgers| {
        vouched(ledgers);
        first(&mut ledgers.uwv).verdicts[0].vouched_by.clear();
    });
    assert_eq!(nobody, ["TOESTEMMING_ZONDER_VOUCHER uwv 1"]);
    assert_eq!(after(vouched), ["VOUCHER_ZONDER_ANTWOORD uwv 1"], "nothing was vouched for");
    let honest = after(|ledgers| {
        vouched(ledgers);
        vouches(ledgers);
    });
    assert!(honest.is_empty(), "{honest:?}");
    let another = after(|ledgers| {
        vouched(ledgers);
        vouches(ledgers);
        let verdict = &mut first(&mut ledgers.uwv).verdicts[0];
        let query = "01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b8c".parse().unwrap();
        verdict.vouched_by = [VouchedBy { issuer: oin(TOESLAGEN), query }].into();
    });
    assert_eq!(another, ["VOUCHER_ZONDER_ANTWOORD uwv 1"], "no such answer");
}

/// Nothing else is kept of the answer that vouched, once its exchange is over.
#[test]
fn who_vouched_is_remembered() {
    let audit = |vouches: bool| {
        let (mut world, mut ledgers) = (World::new(), Ledgers::default());
        for _ in 0..4 {
            world.exchange(&mut ledgers, &|_| {}, false);
            world.now = world.now.plus_seconds(3600);
        }
        let earlier = decision(&mut ledgers.toeslagen[0]);
        let by = VouchedBy { issuer: oin(TOESLAGEN), query: earlier.query };
        if vouches {
            let key = "burgerservicenummer".parse().unwrap();
            obligations(&mut earlier.verdicts[0]).vouches = Some(Vouches { key, days: 7 });
        }
        let verdict = &mut decision(&mut ledgers.uwv[6]).verdicts[0];
        verdict.vouched_by = [by].into();
        obligations(verdict).vouched = Some("burgerservicenummer".parse().unwrap());
        let found = found(&world.audit(&ledgers), Severity::Finding);
        found.into_iter().filter(|one| one.contains("VOUCHER")).collect::<Vec<_>>()
    };
    assert_eq!(audit(true), [""; 0]);
    assert_eq!(audit(false), ["VOUCHER_ZONDER_ANTWOORD uwv 6"]);
}

/// What an issuer told before its ledger breaks off is no excuse, also where nothing else is kept of it.
#[test]
fn a_ledger_that_breaks_off_excuses_nothing_that_came_before() {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for _ in 0..4 {
        world.exchange(&mut ledgers, &|_| {}, false);
        world.now = world.now.plus_seconds(3600);
    }
    let by = VouchedBy { issuer: oin(TOESLAGEN), query: decision(&mut ledgers.toeslagen[0]).query };
    let verdict = &mut decision(&mut ledgers.uwv[6]).verdicts[0];
    verdict.vouched_by = [by].into();
    obligations(verdict).vouched = Some("burgerservicenummer".parse().unwrap());
    let named = ledgers.named().into_iter();
    let mut held: Vec<_> = named.map(|(name, entries)| world.held(name, entries)).collect();
    let issuer = held.iter_mut().find(|one| one.name.party == oin(TOESLAGEN)).unwrap();
    issuer.entries.pop();
    let report = world.audit_held(&world.evidence(), &held);
    let told = found(&report, Severity::Finding);
    assert!(told.contains(&"LOGBOEK_INGEKORT toeslagen 7".to_owned()), "{told:?}");
    assert!(told.contains(&"VOUCHER_ZONDER_ANTWOORD uwv 6".to_owned()), "{told:?}");
}
