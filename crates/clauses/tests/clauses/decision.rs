//! Every refusal code, with the clause that it belongs to, against the example covenant.

use crate::world::{IND, ROTTERDAM, TOESLAGEN, UWV, World, brp, codes, decision, subjects, uwv};
use convenant_clauses::Verdict;
use convenant_model::{
    documents::DocumentKind,
    entry::{Entry, Recordable, RecordedVerdict},
};
use serde_json::{Value, json};

const POLIS: &str = "uwv/polisadministratie_inkomstenverhouding";

/// The verdict on a world that differs from the permitted one in what `change` does.
fn refused(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::new();
    change(&mut world);
    codes(&world.verdict())
}

fn select(fields: &[&str], predicate: &str) -> Vec<String> {
    refused(|world| {
        let mut target = uwv(fields);
        target["predicate"] = json!(predicate);
        world.ask("select", target);
    })
}

#[test]
fn the_query_of_these_tests_is_permitted() {
    assert_eq!(refused(|_| {}), ["permit"]);
    assert_eq!(refused(|world| world.ask("lookup", brp(&["leeftijd"]))), ["permit"]);
    assert_eq!(select(&["code_leefvorm"], "code_soort_inkomstenverhouding = '15'"), ["permit"]);
    assert_eq!(refused(|world| world.ask("count", uwv(&[]))), ["permit"]);
}

#[test]
fn s1_a_partner_is_enrolled_today() {
    let until = |oin: &'static str| {
        refused(move |world| world.enrolment(oin)["valid_until"] = json!("2026-04-30"))
    };
    assert_eq!(until(UWV), ["S1/GEEN_PARTNER"]);
    assert_eq!(until(ROTTERDAM), ["S1/GEEN_PARTNER"]);
}

#[test]
fn s2_a_partner_takes_part_and_serves_the_dataset() {
    let no_node = refused(|world| {
        world.enrolment(UWV).as_object_mut().unwrap().remove("node");
    });
    assert_eq!(no_node, ["S2/GEEN_DEELNEMER"]);
    let outsider = refused(|world| world.query["targets"][0]["partner"] = json!(IND));
    assert_eq!(outsider, ["A3/GRONDSLAG", "L1/NIET_NOODZAKELIJK", "S2/GEEN_DEELNEMER"]);
}

#[test]
fn s3_a_goal_is_the_projects_and_designated_where_it_must_be() {
    let other = refused(|world| world.query["goal"] = json!("belasting-en-premiefraude"));
    assert_eq!(other, ["S3/DOEL"]);
    let until = |last: &'static str| {
        refused(move |world| {
            let designation = json!({
                "document": "designation", "goal": "verwante-misstanden", "title": "woonoverlast",
                "text": "hoort bij de doelen", "valid_from": "2026-01-01", "valid_until": last,
            });
            world.earlier.push((DocumentKind::Designation, designation));
            world.proposal["goals"] = json!(["verwante-misstanden"]);
            world.query["goal"] = json!("verwante-misstanden");
        })
    };
    assert_eq!(until("2026-05-01"), ["permit"]);
    assert_eq!(until("2026-04-30"), ["S3/DOEL"]);
}

#[test]
fn s4_the_lsi_decided_on_exactly_this_proposal() {
    let other = refused(|world| world.query["proposal"] = json!("0".repeat(64)));
    assert_eq!(other, ["S4/GEEN_LSI_BESLUIT"]);
    let rejected = refused(|world| world.overruled = Some(decision("rejected")));
    assert_eq!(rejected, ["S4/GEEN_LSI_BESLUIT"]);
    let undecided = refused(|world| {
        world.decision = None;
        world.mandate = None;
    });
    assert!(undecided.contains(&"S4/GEEN_LSI_BESLUIT".to_owned()), "{undecided:?}");
    assert!(undecided.contains(&"L1/NIET_NOODZAKELIJK".to_owned()), "{undecided:?}");
    let unknown = refused(|world| world.query["project"] = json!("P-2026-999"));
    assert!(unknown.contains(&"S4/GEEN_LSI_BESLUIT".to_owned()), "{unknown:?}");
}

#[test]
fn s4_nothing_is_exchanged_in_a_suspended_project() {
    const NOON: &str = "2026-05-01T12:00:00.000Z";
    let before = refused(|world| {
        world.suspend(None, "2026-05-01T12:00:00.001Z");
    });
    assert_eq!(before, ["permit"]);
    assert_eq!(refused(|world| world.suspend(None, NOON)), ["S4/GEEN_LSI_BESLUIT"]);
    let resumed = |from: &'static str| {
        refused(|world| {
            world.suspend(None, "2026-04-30T00:00:00.000Z");
            world.resume(from);
        })
    };
    assert_eq!(resumed(NOON), ["permit"]);
    assert_eq!(resumed("2026-05-01T12:00:00.001Z"), ["S4/GEEN_LSI_BESLUIT"]);
    // Another decision does not lift it.
    let overruled = refused(|world| {
        world.overruled = world.decision.clone();
        world.overruled.as_mut().unwrap()["reason"] = json!("opnieuw bekeken");
        world.suspend(None, NOON);
    });
    assert_eq!(overruled, ["S4/GEEN_LSI_BESLUIT"]);
}

#[test]
fn s2_a_partner_suspends_what_it_provides_itself() {
    let from = "2026-05-01T11:00:00.000Z";
    assert_eq!(refused(|world| world.suspend(Some(UWV), from)), ["S2/GEEN_DEELNEMER"]);
    // UWV is asked; what Toeslagen or the requester provides is another matter.
    assert_eq!(refused(|world| world.suspend(Some(TOESLAGEN), from)), ["permit"]);
    assert_eq!(refused(|world| world.suspend(Some(ROTTERDAM), from)), ["permit"]);
}

#[test]
fn s6_a_mandate_names_the_key_today() {
    let key = convenant_model::keys::VerifyingKey::ed25519([8; 32]);
    let stranger = refused(|world| world.query["requester"]["key"] = json!(key));
    assert_eq!(stranger, ["S6/MANDAAT"]);
    let ended = refused(|world| {
        world.mandate.as_mut().unwrap()["valid_until"] = json!("2026-04-30");
    });
    assert_eq!(ended, ["S6/MANDAAT"]);
    let colleague = refused(|world| world.query["requester"]["partner"] = json!(TOESLAGEN));
    assert_eq!(colleague, ["S6/MANDAAT"]);
}

#[test]
fn s7_a_field_is_used_for_its_themes_only() {
    let other = refused(|world| world.query["theme"] = json!("leefbaarheid"));
    assert_eq!(other, ["S7/THEMA"]);
    let field = refused(|world| {
        world.amend(
            POLIS,
            "datum_aanvang_inkomstenverhouding",
            "themes",
            json!(["arbeidsmigranten"]),
        );
    });
    assert_eq!(field, ["S7/THEMA"]);
    let key = refused(|world| {
        world.query["targets"][0]["subjects"] = subjects("loonheffingennummer", 1);
    });
    assert_eq!(key, ["S7/THEMA"]);
}

#[test]
fn s10_area_time_and_effort_are_bounded() {
    let dataset = refused(|world| {
        world.ask(
            "lookup",
            json!({"partner": ROTTERDAM, "dataset": "gemeente/brp_bewoning",
                   "fields": ["aantal_bewoners"],
                   "subjects": subjects("adresseerbaar_object_identificatie", 1)}),
        );
    });
    assert_eq!(dataset, ["S10/BUITEN_GEBIED"]);
    assert_eq!(
        refused(|world| world.at = "2026-01-31T22:59:59.999Z"),
        ["S10/VERLOPEN", "S6/MANDAAT"]
    );
    let ended = refused(|world| {
        world.decision.as_mut().unwrap()["valid_until"] = json!("2026-06-30");
        // Midnight in the Netherlands.
        world.at = "2026-06-30T22:00:00.000Z";
    });
    assert_eq!(ended, ["S10/VERLOPEN"]);
    let nearly = refused(|world| {
        world.decision.as_mut().unwrap()["valid_until"] = json!("2026-06-30");
        world.at = "2026-06-30T21:59:59.999Z";
    });
    assert_eq!(nearly, ["permit"]);
}

#[test]
fn s10_the_quota_counts_this_query() {
    assert_eq!(refused(|world| world.used.queries = 9), ["permit"]);
    assert_eq!(refused(|world| world.used.queries = 10), ["S10/QUOTUM"]);
    assert_eq!(refused(|world| world.used.subjects = 97), ["permit"]);
    assert_eq!(refused(|world| world.used.subjects = 98), ["S10/QUOTUM"]);
    assert_eq!(refused(|world| world.used.subjects = u64::MAX), ["S10/QUOTUM"]);
    let capped =
        |count: u32| refused(|world| world.query["targets"][0]["subjects"]["count"] = json!(count));
    assert_eq!(capped(20), ["permit"]);
    assert_eq!(capped(21), ["S10/QUOTUM"]);
}

#[test]
fn s11_a_lawyer_changes_the_months_as_data() {
    let months = |months: i64, months_extended: i64, extended: bool| {
        refused(|world| {
            let params = json!({"months": months, "months_extended": months_extended});
            world.amend_clause("S11", params);
            world.decision.as_mut().unwrap()["extended"] = json!(extended);
        })
    };
    // The first of May is four whole months after the first of January.
    assert_eq!(months(5, 24, false), ["permit"]);
    assert_eq!(months(4, 24, false), ["S11/DUUR"]);
    assert_eq!(months(4, 24, true), ["permit"]);
    assert_eq!(months(4, 4, true), ["S11/DUUR"]);
}

#[test]
fn s12_only_predicates_that_the_covenant_allows() {
    let anchored = |test: &str| {
        let predicate = format!("code_soort_inkomstenverhouding = '15' and {test}");
        select(&["code_leefvorm"], &predicate)
    };
    assert_eq!(anchored("loon_sv > 1"), ["S12/GEEN_PREDICAAT"]);
    let ill_typed = anchored("datum_aanvang_inkomstenverhouding > 'gisteren'");
    assert_eq!(ill_typed, ["S12/GEEN_PREDICAAT"]);
    assert_eq!(
        select(&["loon_sv"], "code_soort_inkomstenverhouding = '15'"),
        ["S12/GEEN_PREDICAAT"]
    );
}

#[test]
fn s12_nothing_in_bulk() {
    assert_eq!(refused(|world| world.ask("select", uwv(&["code_leefvorm"]))), ["S12/BULK"]);
    assert_eq!(select(&["code_leefvorm"], "code_leefvorm != 'x'"), ["S12/BULK"]);
    assert_eq!(refused(|world| world.ask("lookup", uwv(&["code_leefvorm"]))), ["S12/BULK"]);
    let municipality = refused(|world| {
        let mut target = brp(&["leeftijd"]);
        target.as_object_mut().unwrap().remove("subjects");
        target["predicate"] = json!("gemeente_van_inschrijving = '0599'");
        world.ask("select", target);
    });
    assert_eq!(municipality, ["S12/BULK"], "a whole municipality is bulk");
    let key = refused(|world| world.query["targets"][0]["subjects"] = subjects("code_leefvorm", 1));
    assert_eq!(key, ["S12/BULK"]);
}

#[test]
fn l1_only_what_the_annex_grants() {
    let ask = |fields: Value| refused(|world| world.query["targets"][0]["fields"] = fields);
    assert_eq!(ask(json!(["straatadres_postcode"])), ["L1/NIET_NOODZAKELIJK"]);
    assert_eq!(
        select(
            &["code_leefvorm"],
            "code_soort_inkomstenverhouding = '1' and datum_einde_inkomstenverhouding is null"
        ),
        ["L1/NIET_NOODZAKELIJK"]
    );
    assert_eq!(
        refused(|world| world.query["retention_days"] = json!(61)),
        ["L1/NIET_NOODZAKELIJK"]
    );
    let kind = refused(|world| world.annex(POLIS)["kinds"] = json!(["count"]));
    assert_eq!(kind, ["L1/NIET_NOODZAKELIJK"]);
    let since = refused(|world| {
        world.amend(POLIS, "datum_aanvang_inkomstenverhouding", "use", json!("hit-only"));
    });
    assert_eq!(since, ["permit"]);
}

#[test]
fn l3_a_category_is_the_covenants() {
    let recategorised = refused(|world| {
        world.amend(POLIS, "datum_aanvang_inkomstenverhouding", "category", json!("o"));
    });
    assert_eq!(recategorised, ["L3/CATEGORIE"]);
}

#[test]
fn l10_tax_secrecy_is_lifted_for_some() {
    let asked_by = |oin: &'static str| {
        refused(|world| {
            let participants = world.proposal["participant"].as_array_mut().unwrap();
            participants.push(json!({"partner": IND, "role": "deelnemer"}));
            world.proposal["responsible"] = json!(oin);
            world.mandate.as_mut().unwrap()["partner"] = json!(oin);
            world.query["requester"]["partner"] = json!(oin);
            world.ask(
                "lookup",
                json!({"partner": TOESLAGEN, "dataset": "toeslagen/toeslag_beschikking",
                       "fields": ["soort_toeslag"],
                       "subjects": subjects("burgerservicenummer", 1)}),
            );
        })
    };
    assert_eq!(asked_by(ROTTERDAM), ["permit"]);
    assert_eq!(asked_by(IND), ["L10/FISCAAL_GEHEIM"]);
}

#[test]
fn l13_special_and_criminal_data_are_refused() {
    let became = |class: &str| {
        refused(|world| {
            world.query["targets"][0]["fields"] = json!(["code_leefvorm"]);
            world.amend(POLIS, "code_leefvorm", "class", json!(class));
        })
    };
    assert_eq!(became("special"), ["L13/ART9"]);
    assert_eq!(became("criminal"), ["L13/ART10"]);
    assert_eq!(became("sensitive"), ["permit"]);
    let nationality = select(&["code_leefvorm"], "code_leefvorm = '1' and nationaliteit = '0001'");
    assert_eq!(nationality, ["L1/NIET_NOODZAKELIJK", "L13/ART9", "S12/GEEN_PREDICAAT", "S7/THEMA"]);
}

#[test]
fn l14_no_bsn_is_ever_readable() {
    assert_eq!(
        select(&["code_leefvorm"], "code_soort_inkomstenverhouding = '999993653'"),
        ["L14/BSN", "S12/GEEN_PREDICAAT"]
    );
    let on_key = refused(|world| {
        let mut target = brp(&["leeftijd"]);
        target["predicate"] = json!("burgerservicenummer = '999993653'");
        world.ask("lookup", target);
    });
    assert_eq!(on_key, ["L14/BSN", "S12/GEEN_PREDICAAT"]);
    let justified = refused(|world| world.query["justification"] = json!("over 9999.93.653"));
    assert_eq!(justified, ["L14/BSN"]);
}

#[test]
fn l14_a_bsn_is_verified_where_it_can_be() {
    let verified = |by: Value| {
        refused(|world| {
            let mut target = brp(&["leeftijd"]);
            target["subjects"]["verified_by"] = by;
            world.ask("lookup", target);
        })
    };
    assert_eq!(verified(Value::Null), ["L14/BSN"]);
    // Whoever may choose the field learns its value by trying.
    assert_eq!(verified(json!("nationaliteiten")), ["L14/BSN"]);
    let elsewhere = refused(|world| {
        world.query["targets"][0]["subjects"]["verified_by"] = json!("loon_sv");
    });
    assert_eq!(elsewhere, ["L14/BSN"]);
}

#[test]
fn every_violated_clause_is_reported_with_the_covenants_text() {
    let mut world = World::new();
    world.query["goal"] = json!("belasting-en-premiefraude");
    world.query["theme"] = json!("recreatieterrein");
    world.query["targets"][0]["fields"] = json!(["nationaliteit", "leeftyd", "900000007"]);
    world.used.queries = 10;
    let verdict = world.verdict();
    let codes = codes(&verdict);
    assert_eq!(codes, ["L1/NIET_NOODZAKELIJK", "S10/QUOTUM", "S3/DOEL", "S7/THEMA"]);
    let Verdict::Refuse(refused) = verdict else { panic!("permitted") };
    let [necessity, quota, ..] = refused.refusal().unwrap().violations() else { panic!("fewer") };
    assert!(necessity.text.starts_with("Alleen gegevens die voor het project noodzakelijk zijn"));
    assert_eq!(
        necessity.detail,
        "niet in de gegevensbijlage: `leeftyd` (onbekend), 1 onbekend veld; door het convenant geweigerd: \
         `nationaliteit`"
    );
    assert_eq!(quota.detail, "11 vragen binnen het project, ten hoogste 10");
}

#[test]
fn no_detail_repeats_a_number_that_could_be_somebody_s() {
    let mut world = World::new();
    for member in ["goal", "theme", "project"] {
        world.query[member] = json!("900000007");
    }
    world.query["targets"][0] = json!({
        "partner": "00000000000900000007", "dataset": "uwv/900000007", "fields": ["900000007"],
        "predicate": "900000007 = '900000007'",
        "subjects": subjects("900000007", 21),
    });
    let Verdict::Refuse(refused) = world.verdict() else { panic!("permitted") };
    for violation in refused.refusal().unwrap().violations() {
        assert!(!violation.detail.contains("900000007"), "{violation:?}");
        assert!(!violation.detail.is_empty(), "{violation:?}");
    }
}

#[test]
fn a_permit_obliges_to_columns_scope_and_limits() {
    let mut world = World::new();
    world.ask("lookup", brp(&["leeftijd", "leeftijd"]));
    let Verdict::Permit(permit) = world.verdict() else { panic!("refused") };
    let obligations = serde_json::to_value(permit.obligations()).unwrap();
    assert_eq!(
        obligations,
        json!({
            "dataset": "gemeente/brp_persoon",
            "columns": ["leeftijd", "geheimhouding_persoonsgegevens", "in_onderzoek", "adresmarkering"],
            "scope": [{"field": "gemeente_van_inschrijving", "codes": ["GM0599"]}],
            "alarm_percent": 10,
            "max_rows": 10_000,
            "count": null,
            "retention_days": 30,
        })
    );
    world.ask("count", uwv(&["code_leefvorm"]));
    let Verdict::Permit(permit) = world.verdict() else { panic!("refused") };
    let limits = permit.obligations().count.unwrap();
    assert_eq!((limits.minimum_cell, limits.rounding), (10, 5));
    assert!(permit.obligations().columns.is_empty(), "a count discloses no column");
}

#[test]
fn subjects_found_wrong_after_unsealing_are_refused_under_l14() {
    let Verdict::Permit(permit) = World::new().verdict() else { panic!("refused") };
    let refused = permit.refuse_subjects("1 van de 3 waarden is geen BSN".to_owned());
    let [violation] = refused.refusal().unwrap().violations() else { panic!("not one violation") };
    assert_eq!((violation.clause.as_str(), violation.code.as_str()), ("L14", "BSN"));
    assert!(violation.text.contains("elfproef"));
}

#[test]
fn a_refused_target_does_not_spoil_the_others() {
    let mut world = World::new();
    world.used.subjects = 90;
    let good = world.query["targets"][0].clone();
    let mut bad = good.clone();
    bad["fields"] = json!(["nationaliteit"]);
    let mut large = good.clone();
    large["subjects"]["count"] = json!(5);
    // Three subjects, then five, are within the ten that are left; three more are not.
    world.query["targets"] = json!([good, bad, large, good]);
    let combined = world.combined();
    let permitted: Vec<_> = combined.permits().map(|permit| permit.target()).collect();
    assert_eq!(permitted, [0, 2]);
    let Entry::Decision(decision) = combined.entry() else { panic!("not a decision") };
    assert_eq!(decision.verdicts.len(), 4);
    let [_, bad, _, last] = decision.verdicts.as_slice() else { panic!("fewer") };
    let refused_under = |verdict: &RecordedVerdict, code: &str| {
        matches!(verdict, RecordedVerdict::Refuse { refusal }
            if refusal.violations().iter().any(|one| one.code == code))
    };
    assert!(refused_under(&bad.verdict, "NIET_NOODZAKELIJK"));
    assert!(refused_under(&last.verdict, "QUOTUM"));
    assert!(decision.engine.starts_with("cedar-policy 4."), "{}", decision.engine);
    assert!(decision.engine.ends_with(", edition 2"), "{}", decision.engine);
}

#[test]
fn the_slice_is_a_function_of_what_the_rules_saw() {
    let slice = |change: fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        let Entry::Decision(decision) = world.verdict().entry() else { panic!("not a decision") };
        decision.verdicts[0].slice
    };
    assert_eq!(slice(|_| {}), slice(|_| {}));
    assert_ne!(slice(|_| {}), slice(|world| world.used.queries = 1));
}
