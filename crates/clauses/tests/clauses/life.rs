//! The rules about where a project is in its life, who is in it, and what became of its answers.

use convenant_model::{documents::DocumentKind, keys::VerifyingKey};
use serde_json::{Value, json};

use crate::world::{IND, POLITIE, ROTTERDAM, TOESLAGEN, UWV, World, codes, subjects, uwv};

const NOON: &str = "2026-05-01T12:00:00.000Z";
const LATER: &str = "2026-05-01T12:00:00.001Z";

fn refused(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::new();
    change(&mut world);
    codes(&world.verdict())
}

fn after(kind: DocumentKind, document: Value) -> Vec<String> {
    refused(|world| world.later.push((kind, document)))
}

#[test]
fn s1_who_left_the_covenant_exchanges_nothing() {
    let left = |oin: &str, from: &str| {
        after(
            DocumentKind::Departure,
            json!({"document": "departure", "partner": oin, "from": from, "reason": "besluit"}),
        )
    };
    assert_eq!(left(UWV, NOON), ["S1/GEEN_PARTNER"]);
    assert_eq!(left(ROTTERDAM, NOON), ["S1/GEEN_PARTNER"]);
    assert_eq!(left(UWV, LATER), ["permit"]);
    assert_eq!(left(TOESLAGEN, NOON), ["permit"]);
}

#[test]
fn s1_and_s6_a_revoked_key_counts_no_more() {
    let revoked = |oin: &str, key: u8, from: &str| {
        let key = VerifyingKey::ed25519([key; 32]);
        after(
            DocumentKind::Revocation,
            json!({"document": "revocation", "partner": oin, "key": key, "from": from,
                   "reason": "laptop gestolen"}),
        )
    };
    // The leader's.
    assert_eq!(revoked(ROTTERDAM, 4, NOON), ["S6/MANDAAT"]);
    assert_eq!(revoked(ROTTERDAM, 4, LATER), ["permit"]);
    // A ledger's; in this world all organisations have the same.
    assert_eq!(revoked(UWV, 3, NOON), ["S1/GEEN_PARTNER"]);
}

#[test]
fn s6_whom_a_leader_named_asks_nothing_once_the_leader_s_key_is_revoked() {
    let analyst = |revoked: Option<(u8, &str)>| {
        refused(|world| {
            world.name_analyst(9);
            world.query["requester"]["key"] = json!(VerifyingKey::ed25519([9; 32]));
            let revocation = revoked.map(|(key, from)| {
                let key = VerifyingKey::ed25519([key; 32]);
                json!({"document": "revocation", "partner": ROTTERDAM, "key": key, "from": from,
                       "reason": "laptop gestolen"})
            });
            world.later.extend(revocation.map(|one| (DocumentKind::Revocation, one)));
        })
    };
    assert_eq!(analyst(None), ["permit"]);
    // The leader's key, and the analyst's own.
    assert_eq!(analyst(Some((4, NOON))), ["S6/MANDAAT"]);
    assert_eq!(analyst(Some((4, LATER))), ["permit"]);
    assert_eq!(analyst(Some((9, NOON))), ["S6/MANDAAT"]);
}

#[test]
fn s11_and_l6_terms_count_from_the_first_version_that_was_approved() {
    let ask = |first: bool, fed_back: bool, at: &'static str| {
        refused(|world| {
            if first {
                world.begin_on("2024-10-01");
            }
            world.proposal["end"] = json!("2026-09-30");
            let decision = world.decision.as_mut().unwrap();
            (decision["valid_until"], decision["extended"]) = (json!("2026-09-30"), json!(true));
            world.at = at;
            world.later.extend(fed_back.then(|| feedback(true)));
        })
    };
    // Feedback after twenty months, destruction after twenty-four: thirty days are asked for.
    let june = "2026-06-02T12:00:00.000Z";
    assert_eq!(ask(true, false, "2026-06-01T12:00:00.000Z"), ["permit"]);
    assert_eq!(ask(true, false, june), ["L6/BEWAARTERMIJN"]);
    assert_eq!(ask(false, false, june), ["permit"]);
    let september = "2026-09-02T12:00:00.000Z";
    assert_eq!(ask(true, true, "2026-09-01T12:00:00.000Z"), ["permit"]);
    assert_eq!(ask(true, true, september), ["L6/BEWAARTERMIJN"]);
    assert_eq!(ask(false, true, september), ["permit"]);
    // Month 25.
    let duration = "S11/DUUR".to_owned();
    assert!(ask(true, true, "2026-10-01T12:00:00.000Z").contains(&duration));
    assert!(!ask(false, true, "2026-10-01T12:00:00.000Z").contains(&duration));
}

#[test]
fn s2_who_left_the_project_is_not_asked_and_does_not_ask() {
    let left = |oin: Option<&str>, from: &str| {
        let mut document = json!({
            "document": "withdrawal", "project": "P-2026-001", "from": from, "reason": "besluit",
        });
        if let Some(oin) = oin {
            document["partner"] = json!(oin);
        }
        after(DocumentKind::Withdrawal, document)
    };
    assert_eq!(left(Some(UWV), NOON), ["S2/GEEN_DEELNEMER"]);
    assert_eq!(left(Some(ROTTERDAM), NOON), ["S2/GEEN_DEELNEMER"]);
    assert_eq!(left(Some(UWV), LATER), ["permit"]);
    assert_eq!(left(Some(TOESLAGEN), NOON), ["permit"]);
}

#[test]
fn s10_a_closed_project_asks_nothing() {
    let closed = |from: &str| {
        after(
            DocumentKind::Closure,
            json!({"document": "closure", "project": "P-2026-001", "from": from, "reason": "klaar"}),
        )
    };
    assert_eq!(closed(NOON), ["S10/VERLOPEN"]);
    assert_eq!(closed(LATER), ["permit"]);
}

#[test]
fn s11_an_extension_moves_the_last_day() {
    let ask = |extended: bool, at: &'static str| {
        refused(|world| {
            world.decision.as_mut().unwrap()["valid_until"] = json!("2026-06-30");
            world.at = at;
            if extended {
                let extension = json!({
                    "document": "extension", "project": "P-2026-001", "proposal": null,
                    "decided_on": "2026-06-30", "valid_until": "2027-12-31", "reason": "meer tijd",
                });
                world.later.push((DocumentKind::Extension, extension));
            }
        })
    };
    assert_eq!(ask(false, "2026-07-01T10:00:00.000Z"), ["S10/VERLOPEN"]);
    assert_eq!(ask(true, "2026-07-01T10:00:00.000Z"), ["permit"]);
    // Month 13 is within an extension; month 25 is in nothing.
    assert_eq!(ask(true, "2027-02-01T10:00:00.000Z"), ["permit"]);
    let late = ask(true, "2028-01-01T10:00:00.000Z");
    for code in ["S10/VERLOPEN", "S11/DUUR", "L6/BEWAARTERMIJN", "S6/MANDAAT"] {
        assert!(late.contains(&code.to_owned()), "{late:?}");
    }
}

#[test]
fn s12_only_conditions_that_the_project_published() {
    let select = |publish: bool| {
        refused(|world| {
            world.publish = publish;
            let mut target = uwv(&["code_leefvorm"]);
            target["predicate"] = json!("code_soort_inkomstenverhouding = '15'");
            world.ask("select", target);
        })
    };
    assert_eq!(select(true), ["permit"]);
    assert_eq!(select(false), ["S12/GEEN_PREDICAAT"]);
    // Published for another dataset, or with another value.
    let other = |change: fn(&mut Value)| {
        refused(move |world| {
            world.publish = false;
            let mut published = json!({
                "id": "P1", "version": 1, "dataset": "uwv/polisadministratie_inkomstenverhouding",
                "expression": "code_soort_inkomstenverhouding = '15'", "explanation": "x",
                "expected_hits": {"least": 0, "most": 1}, "false_positives": "x",
            });
            change(&mut published);
            world.proposal["predicate"] = json!([published]);
            let mut target = uwv(&["code_leefvorm"]);
            target["predicate"] = json!("code_soort_inkomstenverhouding = '15'");
            world.ask("select", target);
        })
    };
    assert_eq!(other(|_| {}), ["permit"]);
    let value = |one: &mut Value| one["expression"] = json!("code_soort_inkomstenverhouding = '1'");
    assert_eq!(other(value), ["S12/GEEN_PREDICAAT"]);
    let dataset = |one: &mut Value| {
        one["dataset"] = json!("toeslagen/toeslag_beschikking");
        one["expression"] = json!("soort_toeslag = 'huur'");
    };
    assert_eq!(other(dataset), ["S12/GEEN_PREDICAAT"]);
}

#[test]
fn s15_an_adviser_and_an_auditor_never_see_data() {
    let role = |role: &str| {
        refused(|world| world.mandate.as_mut().unwrap()["holder"][0]["role"] = json!(role))
    };
    assert_eq!(role("leader"), ["permit"]);
    assert_eq!(role("analyst"), ["permit"]);
    assert_eq!(role("adviser"), ["S15/ROL"]);
    assert_eq!(role("auditor"), ["S15/ROL"]);
}

#[test]
fn l6_what_is_overdue_blocks() {
    assert_eq!(refused(|world| world.used.overdue = 1), ["L6/BEWAARTERMIJN"]);
    // Nothing outlives the second year.
    let kept = |days: u16, at: &'static str| {
        refused(|world| {
            world.proposal["end"] = json!("2027-12-31");
            let decision = world.decision.as_mut().unwrap();
            (decision["valid_until"], decision["extended"]) = (json!("2027-12-31"), json!(true));
            world.query["retention_days"] = json!(days);
            world.at = at;
            world.later.push(feedback(true));
        })
    };
    assert_eq!(kept(31, "2027-12-01T12:00:00.000Z"), ["permit"]);
    assert_eq!(kept(32, "2027-12-01T12:00:00.000Z"), ["L6/BEWAARTERMIJN"]);
}

#[test]
fn people_are_told_at_the_latest_when_all_of_the_project_must_be_gone() {
    let told = |until: &str, reason: &str| {
        let delay = json!({"reason": reason, "until": until});
        refused(|world| world.query["delayed_disclosure"] = delay)
    };
    let reason = "een controle is nog niet geweest";
    assert_eq!(told("2026-05-01", reason), ["permit"]);
    assert_eq!(told("2028-01-01", reason), ["permit"]);
    assert_eq!(told("2028-01-02", reason), ["L6/BEWAARTERMIJN"]);
    // The reason stands in every ledger.
    assert_eq!(told("2026-05-01", "over 9999.93.653"), ["L14/BSN"]);
}

#[test]
fn l6_feedback_is_due_in_twenty_months() {
    let ask = |complete: Option<bool>, at: &'static str| {
        refused(|world| {
            world.proposal["end"] = json!("2027-12-31");
            let decision = world.decision.as_mut().unwrap();
            (decision["valid_until"], decision["extended"]) = (json!("2027-12-31"), json!(true));
            world.at = at;
            world.later.extend(complete.map(feedback));
        })
    };
    assert_eq!(ask(None, "2027-09-01T12:00:00.000Z"), ["permit"]);
    assert_eq!(ask(None, "2027-09-02T12:00:00.000Z"), ["L6/BEWAARTERMIJN"]);
    assert_eq!(ask(Some(false), "2027-09-02T12:00:00.000Z"), ["L6/BEWAARTERMIJN"]);
    assert_eq!(ask(Some(true), "2027-09-02T12:00:00.000Z"), ["permit"]);
}

fn feedback(complete: bool) -> (DocumentKind, Value) {
    let item = json!({
        "query": "01890a5d-ac96-7b2a-9d1f-3c4e5f6a7b8c", "provider": UWV, "hits": 2, "usable": 1,
        "followed_up": 2, "assessor": "inspecteur", "result": "een gesprek",
    });
    let document = json!({
        "document": "feedback", "project": "P-2026-001", "partner": ROTTERDAM,
        "complete": complete, "item": [item],
    });
    (DocumentKind::Feedback, document)
}

#[test]
fn l9_police_receives_on_request_only() {
    let asked_by_police = |own_task: bool| {
        refused(|world| {
            let participants = world.proposal["participant"].as_array_mut().unwrap();
            participants.push(json!({"partner": POLITIE, "role": "deelnemer"}));
            world.proposal["responsible"] = json!(POLITIE);
            world.mandate.as_mut().unwrap()["partner"] = json!(POLITIE);
            world.query["requester"]["partner"] = json!(POLITIE);
            if own_task {
                let annex = world.annex("uwv/polisadministratie_inkomstenverhouding");
                annex["own_task"] = json!("verzoek 2026-1");
            }
        })
    };
    assert_eq!(asked_by_police(false), ["L9/DOORVERSTREKKING"]);
    assert_eq!(asked_by_police(true), ["permit"]);
}

#[test]
fn l11_l12_and_a3_police_and_prosecutor_give_nothing_unasked() {
    let ask = |provider: &str, dataset: &str| {
        refused(|world| {
            world.ask(
                "lookup",
                json!({"partner": provider, "dataset": dataset,
                       "fields": ["burgerservicenummer"],
                       "subjects": subjects("burgerservicenummer", 1)}),
            );
        })
    };
    let police = ask(POLITIE, "politie/wpg_verstrekking");
    assert!(police.contains(&"L11/WPG".to_owned()), "{police:?}");
    assert!(police.contains(&"A3/GRONDSLAG".to_owned()), "{police:?}");
    let prosecutor = ask(IND, "om/wjsg_verstrekking");
    assert!(prosecutor.contains(&"L12/WJSG".to_owned()), "{prosecutor:?}");
    assert!(!prosecutor.contains(&"L11/WPG".to_owned()), "{prosecutor:?}");
}

/// A count at UWV of people with a condition, after the same was counted on a day.
fn count(
    about: Option<u32>,
    counted: Option<&str>,
    change: impl FnOnce(&mut World),
) -> Vec<String> {
    refused(|world| {
        let mut target = uwv(&[]);
        target["predicate"] = json!("code_soort_inkomstenverhouding = '15'");
        if let Some(number) = about {
            target["subjects"] = subjects("burgerservicenummer", number);
        }
        world.ask("count", target);
        world.counted = vec![counted.map(|day| day.parse().unwrap())];
        change(world);
    })
}

#[test]
fn l4_no_two_numbers_are_subtracted_to_find_a_person() {
    assert_eq!(count(None, None, |_| {}), ["permit"]);
    // The same of the whole area, a day later and four weeks later.
    assert_eq!(count(None, Some("2026-04-30"), |_| {}), ["L4/AFLEIDBAAR"]);
    assert_eq!(count(None, Some("2026-04-04"), |_| {}), ["L4/AFLEIDBAAR"]);
    assert_eq!(count(None, Some("2026-04-03"), |_| {}), ["permit"]);
    // Of given people: enough of them, and never twice, because the second group may differ by one.
    assert_eq!(count(Some(20), None, |_| {}), ["permit"]);
    assert_eq!(count(Some(19), None, |_| {}), ["L4/AFLEIDBAAR"]);
    assert_eq!(count(Some(20), Some("2026-01-01"), |_| {}), ["L4/AFLEIDBAAR"]);
}

#[test]
fn s10_numbers_have_a_quota_of_their_own() {
    assert_eq!(count(None, None, |world| world.used.cells = 4), ["permit"]);
    assert_eq!(count(None, None, |world| world.used.cells = 5), ["S10/QUOTUM"]);
    let none = |world: &mut World| {
        world.proposal["quota"].as_object_mut().unwrap().remove("cells");
    };
    assert_eq!(count(None, None, none), ["S10/QUOTUM"]);
    // Whoever looks up needs none.
    assert_eq!(refused(|world| world.used.cells = 5), ["permit"]);
}
