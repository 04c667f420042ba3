//! Clause S10 where a dataset holds no area: it is asked about subjects of a key for which it takes vouchers,
//! and about nothing else. Whether vouchers hold, the node checks.

use convenant_model::{
    entry::{Entry, Recordable, RecordedVerdict},
    verdict::Obligations,
};
use serde_json::{Value, json};

use crate::world::{IND, World, brp, codes, subjects, uwv};

const KEY: &str = "burgerservicenummer";

/// A project in which the IND answers about whom Rotterdam vouches for.
fn world() -> World {
    let mut world = World::new();
    world.proposal["theme"] = json!("arbeidsmigranten");
    world.proposal["goals"] = json!(["overtreding-arbeidswetgeving"]);
    world.query["theme"] = json!("arbeidsmigranten");
    world.query["goal"] = json!("overtreding-arbeidswetgeving");
    let participants = world.proposal["participant"].as_array_mut().unwrap();
    participants.push(json!({"partner": IND, "role": "deelnemer"}));
    let granted = |name: &str| json!({"name": name, "category": "h", "necessity": "nodig"});
    let annexes = world.proposal["annex"].as_array_mut().unwrap();
    annexes.push(json!({
        "provider": IND, "dataset": "ind/verblijfsrecht", "kinds": ["lookup", "select", "count"],
        "basis_provider": "wet van de IND", "basis_receiver": "wet van de gemeente", "retention_days": 60,
        "field": [granted(KEY), granted("datum_ingang")],
    }));
    world.fit_theme();
    world
}

fn ind(fields: &[&str], key: Option<&str>) -> Value {
    let mut target = json!({"partner": IND, "dataset": "ind/verblijfsrecht", "fields": fields});
    if let Some(key) = key {
        // Enough of them to be counted (L4).
        target["subjects"] = subjects(key, 20);
    }
    target
}

fn asked(kind: &str, target: Value) -> World {
    let mut world = world();
    world.ask(kind, target);
    world.fit_theme();
    world
}

fn vouching(world: &mut World, field: &str) {
    let mut target = brp(&[KEY, "leeftijd", "gemeente_van_inschrijving"]);
    target["vouch"] = json!(field);
    world.ask("lookup", target);
}

fn obligations(world: &World) -> Obligations {
    let Entry::Decision(decision) = world.verdict().entry() else { panic!("not a decision") };
    match &decision.verdicts[0].verdict {
        RecordedVerdict::Permit { obligations } => obligations.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn vouched_subjects_take_the_place_of_an_area_and_it_is_recorded() {
    let world = asked("lookup", ind(&["datum_ingang"], Some(KEY)));
    let obliged = obligations(&world);
    assert_eq!(obliged.vouched.as_ref().unwrap().as_str(), KEY);
    assert!(obliged.scope.is_empty() && obliged.vouches.is_none());
    // Where the dataset holds the area, nothing changes, in the record neither.
    let mut world = self::world();
    world.ask("lookup", brp(&["leeftijd"]));
    let recorded = serde_json::to_value(obligations(&world)).unwrap();
    assert!(recorded.get("vouched").is_none() && recorded.get("vouches").is_none());
    assert_eq!(recorded["scope"].as_array().unwrap().len(), 1);
}

/// UWV knows municipalities, and no neighbourhoods.
#[test]
fn a_dataset_takes_vouchers_where_it_does_not_hold_the_projects_kind_of_area() {
    let mut world = World::new();
    let mut about = uwv(&["code_leefvorm"]);
    about["subjects"] = subjects(KEY, 3);
    world.ask("lookup", about);
    let own = obligations(&world);
    assert!(own.vouched.is_none() && own.scope.len() == 1);
    // One kind of two is not enough.
    for area in [json!(["BU05990101"]), json!(["BU05990101", "GM0518"])] {
        world.proposal["area"] = area;
        let vouched = obligations(&world);
        assert_eq!(vouched.vouched.unwrap().as_str(), KEY);
        assert!(vouched.scope.is_empty());
    }
    // What holds the neighbourhood itself is bound by that, and needs nobody.
    world.proposal["area"] = json!(["BU05990101"]);
    world.ask("lookup", brp(&["leeftijd"]));
    let own = obligations(&world);
    assert!(own.vouched.is_none());
    assert_eq!(own.scope[0].field.as_str(), "buurtcode");
    world.ask("count", uwv(&[]));
    assert_eq!(codes(&world.verdict()), ["S10/BUITEN_GEBIED"]);
}

#[test]
fn nothing_else_is_asked_of_a_dataset_without_an_area() {
    let mut select = ind(&["datum_ingang"], None);
    select["predicate"] = json!("datum_ingang = '20200101'");
    assert_eq!(codes(&asked("select", select).verdict()), ["S10/BUITEN_GEBIED"]);
    assert_eq!(codes(&asked("count", ind(&[], None)).verdict()), ["S10/BUITEN_GEBIED"]);
    let other = asked("lookup", ind(&["datum_ingang"], Some("vreemdelingennummer")));
    assert_eq!(codes(&other.verdict()), ["S10/BUITEN_GEBIED"]);
    assert_eq!(codes(&asked("count", ind(&[], Some(KEY))).verdict()), ["permit"]);
}

#[test]
fn a_covenant_without_the_rule_is_held_to_it_all_the_same() {
    let mut world = asked("count", ind(&[], None));
    let rules = world.clause("S10")["rule"].as_array_mut().unwrap();
    rules.retain(|rule| rule["code"] != "BUITEN_GEBIED");
    assert_eq!(codes(&world.verdict()), ["REGELFOUT"]);
}

#[test]
fn what_is_vouched_for_somebody_takes() {
    let mut world = self::world();
    vouching(&mut world, KEY);
    let vouches = obligations(&world).vouches.unwrap();
    assert_eq!((vouches.key.as_str(), vouches.days), (KEY, 7));
    vouching(&mut world, "gemeente_van_inschrijving");
    assert_eq!(codes(&world.verdict()), ["S10/GEEN_VOUCHER"]);
    // In a project without the IND there is nobody to take it.
    let mut alone = World::new();
    vouching(&mut alone, KEY);
    assert_eq!(codes(&alone.verdict()), ["S10/GEEN_VOUCHER"]);
    let mut bare = World::new();
    vouching(&mut bare, KEY);
    bare.covenant["clause"].as_array_mut().unwrap().retain(|clause| clause["id"] != "S10");
    assert_eq!(codes(&bare.verdict()), ["GEEN_VOUCHER"]);
}

#[test]
fn the_coordinator_records_that_vouchers_are_needed() {
    let world = asked("lookup", ind(&["datum_ingang"], Some(KEY)));
    let Entry::Decision(decision) = world.combined().entry() else { panic!("not a decision") };
    let recorded = serde_json::to_value(&decision.verdicts[0].verdict).unwrap();
    assert_eq!(recorded["obligations"]["vouched"], json!(KEY));
}
