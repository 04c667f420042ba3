//! Properties over random projects and queries: nothing outside the grant is ever permitted, taking
//! something away never permits more, and what proofs and samples assume of requests holds.

use std::{collections::BTreeSet, sync::OnceLock};

use cedar_policy::{Authorizer, Decision, PolicySet};
use convenant_clauses::{Rules, Verdict, sample::ASSUMED};
use convenant_model::{
    Date, Oin, area::AreaCode, covenant::Use, documents::Ruling, entry::Usage, query::QueryKind,
    register::RegisterState,
};
use proptest::{prelude::*, sample::subsequence, strategy::ValueTree};
use serde_json::{Value, json};

use crate::world::{COORDINATOR, ROTTERDAM, TOESLAGEN, UWV, World, brp, compile, subjects, uwv};

const FIELDS: [&str; 7] = [
    "datum_aanvang_inkomstenverhouding",
    "code_soort_inkomstenverhouding",
    "code_leefvorm",
    "loon_sv",
    "sector",
    "nationaliteit",
    "onbekend",
];
const KINDS: [&str; 3] = ["lookup", "select", "count"];
const THEMES: [&str; 2] = ["adresfraude", "arbeidsmigranten"];
const PREDICATES: [&str; 5] = [
    "code_soort_inkomstenverhouding = '15'",
    "code_leefvorm in ('1', '2') and sector = '52'",
    "code_leefvorm != '1'",
    "loon_sv > 100 and code_leefvorm = '1'",
    "code_leefvorm = '999993653'",
];
const DAYS: [&str; 4] = [
    "2026-05-01T12:00:00.000Z",
    "2026-01-31T22:59:59.999Z",
    "2026-12-31T22:59:59.999Z",
    "2026-12-31T23:00:00.000Z",
];
const AREAS: [&[&str]; 3] = [&["GM0599"], &["GM0599", "GM0518"], &["BU05990101"]];

/// Every world here has the same covenant, and compiling it is the slow part.
fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| compile(&World::new().admit().unwrap().0))
}

/// The first choice about three times in four, so that much of what is tried is permitted.
fn mostly<T: Clone + std::fmt::Debug>(choices: &'static [T]) -> impl Strategy<Value = T> {
    prop_oneof![3 => Just(choices[0].clone()), 1 => prop::sample::select(choices)]
}

prop_compose! {
    /// A project that grants some fields and kinds, near the permitted one.
    fn project()(
        granted in subsequence(&FIELDS[..5], 3..=5),
        kinds in subsequence(&KINDS[..], 2..=3),
        theme in mostly(&THEMES),
        area in mostly(&AREAS),
        queries in 2_u64..5,
        approved in prop::bool::weighted(0.9),
    ) -> World {
        let mut world = World::new();
        world.proposal["theme"] = json!(theme);
        world.proposal["area"] = json!(area);
        world.proposal["quota"]["queries"] = json!(queries);
        let annex = world.annex("uwv/polisadministratie_inkomstenverhouding");
        annex["kinds"] = json!(kinds);
        let grant = |field| json!({"name": field, "category": "a", "necessity": "nodig"});
        // One field is for both themes, so that an annex is left.
        annex["field"] = granted.into_iter().map(grant).collect();
        world.fit_theme();
        if !approved {
            world.overruled = Some(crate::world::decision("rejected"));
        }
        world
    }
}

prop_compose! {
    /// A query in such a project.
    fn asked()(
        mut world in project(),
        fields in prop_oneof![
            3 => subsequence(&FIELDS[..3], 0..=2),
            1 => subsequence(&FIELDS[..], 0..=3),
        ],
        kind in prop::sample::select(&KINDS[..]),
        theme in mostly(&THEMES),
        predicate in prop::option::of(mostly(&PREDICATES)),
        count in prop::option::weighted(0.7, 0_u32..25),
        provider in mostly(&[UWV, TOESLAGEN]),
        requester in mostly(&[ROTTERDAM, TOESLAGEN]),
        at in mostly(&DAYS),
        days in 1_u16..70,
        used in 0_u64..4,
    ) -> World {
        let mut target = uwv(&fields);
        target["partner"] = json!(provider);
        if let Some(predicate) = predicate {
            target["predicate"] = json!(predicate);
        }
        if let Some(count) = count {
            target["subjects"] = subjects("burgerservicenummer", count);
        }
        world.ask(kind, target);
        world.query["theme"] = json!(theme);
        world.query["requester"]["partner"] = json!(requester);
        world.query["retention_days"] = json!(days);
        world.used.queries = used;
        world.at = at;
        world
    }
}

fn permitted(world: &World) -> bool {
    let (state, query) = world.admit().unwrap();
    matches!(world.verdict_with(rules(), &state, &query), Verdict::Permit(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_outside_the_grant_is_permitted(world in asked()) {
        let (state, query) = world.admit().unwrap();
        let Verdict::Permit(permit) = world.verdict_with(rules(), &state, &query) else {
            return Ok(());
        };
        let fault = outside(&world, &state, &permit);
        prop_assert_eq!(fault, None);
    }

    #[test]
    fn what_is_assumed_holds_of_every_request(world in asked()) {
        prop_assert!(is_as_assumed(&world), "{:?}", world.query);
    }

    #[test]
    fn what_is_kept_of_earlier_decisions_changes_none(
        world in asked(), used in prop::array::uniform4(0_u64..6), since in prop::option::of(0..400),
    ) {
        // Asked with another use of the quota before.
        let (state, query) = world.admit().unwrap();
        let _before = world.verdict_with(rules(), &state, &query);
        let mut world = world;
        let [queries, subjects, cells, overdue] = used;
        world.used = Usage { queries, subjects: 90 * subjects, cells: 10 * cells, overdue: overdue / 5 };
        let day = |days: i32| Date::new(2026, 4, 1).unwrap().plus_days(-days);
        world.counted = vec![since.map(day)];
        let said: BTreeSet<_> = match world.verdict_with(rules(), &state, &query) {
            Verdict::Permit(_) => BTreeSet::new(),
            Verdict::Refuse(refused) => {
                let violations = refused.refusal().unwrap().violations();
                violations.iter().map(|one| format!("{}/{}", one.clause, one.code)).collect()
            }
        };
        let (party, peer) = (Oin::new(UWV).unwrap(), Oin::new(COORDINATOR).unwrap());
        let bare = rules().bare(&state, &world.request(&query, &party, &peer), 0).unwrap().ask();
        let refusing = bare.diagnostics().reason().filter(|_| bare.decision() == Decision::Deny);
        // Further rules of one clause and code have a number.
        let code = |id: String| id.split('/').take(2).collect::<Vec<_>>().join("/");
        let refusing: BTreeSet<_> = refusing.map(|id| code(id.to_string())).collect();
        // Typed code beside the rules may refuse what they permit.
        let beside = refusing.is_empty() && said.len() == 1;
        prop_assert!(said == refusing || beside, "{said:?} {refusing:?}");
    }

    #[test]
    fn taking_away_never_permits_more(
        world in prop_oneof![asked(), project().prop_map(near)],
        what in 0_usize..REMOVALS.len(),
        index in any::<prop::sample::Index>(),
    ) {
        let mut less = world.clone();
        REMOVALS[what](&mut less, index);
        // A register that does not admit the poorer project permits nothing at all.
        prop_assume!(less.admit().is_ok());
        prop_assert!(permitted(&world) || !permitted(&less));
    }
}

fn is_as_assumed(world: &World) -> bool {
    let (state, query) = world.admit().unwrap();
    let (party, peer) = (Oin::new(UWV).unwrap(), Oin::new(COORDINATOR).unwrap());
    let request = world.request(&query, &party, &peer);
    let bare = rules().bare(&state, &request, 0).unwrap();
    let assumed: PolicySet = ASSUMED.parse().unwrap();
    let answer = Authorizer::new().is_authorized(bare.request(), &assumed, rules().entities());
    answer.diagnostics().errors().next().is_none() && answer.decision() == Decision::Allow
}

#[test]
fn the_random_queries_are_permitted_often_enough_to_matter() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let permits =
        (0..400).filter(|_| permitted(&asked().new_tree(&mut runner).unwrap().current())).count();
    assert!(permits >= 12, "{permits} of 400");
}

/// What of the permit lies outside the grant, computed from the documents without any rule.
fn outside(
    world: &World,
    state: &RegisterState,
    permit: &convenant_clauses::Permit,
) -> Option<&'static str> {
    let query = permit.query();
    let target = permit.asked().unwrap();
    let decided = state.project(&query.project).unwrap().decided().unwrap();
    let (proposal, decision) = (&decided.proposal, &decided.decision);
    let annexes = proposal.annex.iter();
    let annex = annexes
        .filter(|annex| annex.provider == target.partner && annex.dataset == target.dataset)
        .find(|annex| annex.kinds.contains(&query.kind));
    let Some(annex) = annex else {
        return Some("no annex");
    };
    let covenant = permit.covenant();
    let dataset = covenant.dataset(&target.dataset).unwrap();
    let granted: BTreeSet<_> = annex.field.iter().map(|field| &field.name).collect();
    let tested = target.predicate.iter().flat_map(|predicate| predicate.fields());
    let used: BTreeSet<_> = target.fields.iter().chain(tested).collect();
    let usable = |name| dataset.field(name).unwrap().themes.contains(&proposal.theme);
    let goes_along = |name| dataset.field(name).unwrap().usage == Use::Accompany;
    let obligations = permit.obligations();
    let day = world.at.parse::<convenant_model::Timestamp>().unwrap().date();
    let subjects = target.subjects.as_ref().map_or(0, |shape| shape.count);
    let held = |code: &AreaCode| dataset.area.iter().any(|area| area.kind == code.kind());
    let bound_by_area = proposal.area.iter().all(held);
    let checks = [
        ("field", used.is_subset(&granted)),
        ("field of another theme", used.iter().all(|name| usable(name))),
        ("column", obligations.columns.iter().all(|name| used.contains(name) || goes_along(name))),
        ("theme", query.theme == proposal.theme),
        ("goal", proposal.goals.contains(&query.goal)),
        ("ruling", decision.outcome == Ruling::Approved),
        ("day", (decision.valid_from..=decision.valid_until).contains(&day)),
        (
            "predicate",
            target
                .predicate
                .as_ref()
                .is_none_or(|asked| proposal.predicate.iter().any(|one| one.expression == *asked)),
        ),
        ("requester", query.requester.partner == proposal.responsible),
        ("retention", query.retention_days <= annex.retention_days),
        ("quota", world.used.queries < proposal.quota.queries),
        ("cap", subjects <= 20),
        ("bulk", query.kind != QueryKind::Lookup || subjects > 0),
        ("scope", obligations.scope.is_empty() != (bound_by_area && obligations.vouched.is_none())),
        ("vouched", obligations.vouched.is_none() || (subjects > 0 && !bound_by_area)),
        (
            "area",
            obligations.scope.iter().all(|one| one.codes.iter().all(|c| proposal.area.contains(c))),
        ),
    ];
    checks.into_iter().find_map(|(what, holds)| (!holds).then_some(what))
}

/// The permitted query in a random project, so that removals often meet a permit.
fn near(mut world: World) -> World {
    let theme = world.proposal["theme"].clone();
    world.query["theme"] = theme;
    world
}

type Removal = fn(&mut World, prop::sample::Index);

/// What can be taken from a project, a mandate or an organisation.
const REMOVALS: [Removal; 13] = [
    |world, at| drop_one(&mut world.proposal["annex"][0]["field"], at),
    |world, at| drop_one(&mut world.proposal["annex"][0]["kinds"], at),
    |world, at| drop_one(&mut world.proposal["annex"], at),
    |world, at| drop_one(&mut world.proposal["goals"], at),
    |world, at| drop_one(&mut world.proposal["participant"], at),
    |world, at| drop_one(&mut world.proposal["area"], at),
    |world, _| world.proposal["annex"][0]["retention_days"] = json!(20),
    |world, _| world.proposal["quota"] = json!({"queries": 1, "subjects": 0, "cells": 0}),
    |world, _| world.publish = false,
    |world, _| world.mandate = None,
    |world, _| world.mandate.as_mut().unwrap()["max_subjects"] = json!(1),
    |world, _| world.decision.as_mut().unwrap()["valid_until"] = json!("2026-03-31"),
    |world, _| {
        let node = world.enrolment(UWV).as_object_mut().unwrap();
        node.remove("node");
    },
];

fn drop_one(list: &mut Value, at: prop::sample::Index) {
    let list = list.as_array_mut().unwrap();
    if !list.is_empty() {
        list.remove(at.index(list.len()));
    }
}

#[test]
fn a_second_annex_for_the_same_dataset_only_adds() {
    let mut world = World::new();
    let mut shorter = world.proposal["annex"][0].clone();
    shorter["retention_days"] = json!(10);
    world.proposal["annex"].as_array_mut().unwrap().push(shorter);
    assert!(permitted(&world));
    world.ask("lookup", brp(&["leeftijd"]));
    assert!(permitted(&world));
}
