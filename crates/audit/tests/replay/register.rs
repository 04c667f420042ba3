//! Tampering with the register: its documents, its checkpoint, and rules that cannot be used.

use convenant_audit::{
    Code, Finding, LedgerKind, LedgerName, RegisterEvidence, Severity, Statement,
};
use convenant_model::{covenant::CovenantText, documents::DocumentKind, parse::from_toml};

use crate::{
    documents::COVENANT,
    world::{LSI, Ledgers, TOESLAGEN, World, found, oin},
};

fn only(evidence: &RegisterEvidence) -> &Finding {
    match evidence.findings() {
        [one] => one,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkpoint_that_the_documents_do_not_lead_to() {
    let world = World::new();
    let (all, size) = (world.documents(), world.documents().len() as u64);
    let signed = world.register_checkpoint();
    let fewer = world.evidence_with(all[..all.len() - 2].to_vec(), Some(&signed.to_string()));
    let finding = only(&fewer);
    assert_eq!(finding.code.as_str(), "REGISTER_CONTROLEPUNT");
    // The first that is missing, or the last of those of which one differs.
    assert_eq!(finding.entry, Some(size - 2));
    let root = signed.checkpoint().root;
    let other = world.register_checkpoint_of(size - 3, root).to_string();
    let other = world.evidence_with(all.clone(), Some(&other));
    assert_eq!((only(&other).code, only(&other).entry), (finding.code, Some(size - 4)));
    // One that another key signed.
    let foreign = World::new().register_checkpoint().to_string();
    let foreign = world.evidence_with(all, Some(&foreign));
    assert_eq!((only(&foreign).code, only(&foreign).entry), (finding.code, None));
}

#[test]
fn documents_that_no_checkpoint_covers() {
    let mut world = World::new();
    let signed = world.register_checkpoint().to_string();
    let size = world.documents().len() as u64;
    world.rotate(1);
    let longer = world.evidence_with(world.documents(), Some(&signed));
    assert_eq!(only(&longer).code.as_str(), "REGISTER_NIET_GEDEKT");
    assert_eq!(only(&longer).entry, Some(size));
    assert_eq!(only(&longer).severity, Severity::Warning, "a crash leaves them");
    let without = world.evidence_with(world.documents(), None);
    assert_eq!((only(&without).code, only(&without).entry), (Code::RegisterNoCheckpoint, None));
    assert_eq!(
        found(&world.audit_with(&without, &Ledgers::default()), Severity::Finding),
        ["REGISTER_CONTROLEPUNT_ONTBREEKT register"]
    );
}

/// The findings of the register, and what is warned of in the ledgers that decided with it.
fn after_one(world: &World, ledgers: &Ledgers, evidence: &RegisterEvidence) -> [Vec<String>; 2] {
    let report = world.audit_with(evidence, ledgers);
    let of = |severity, start: &str| {
        let found = found(&report, severity).into_iter();
        found.filter(|one| one.starts_with(start)).collect::<Vec<_>>()
    };
    for one in report.findings.iter().filter(|one| one.code == Code::NotMadeAgain) {
        assert_eq!(one.expected.as_deref(), Some("document=11 in register"));
    }
    [of(Severity::Finding, "REGISTER_"), of(Severity::Warning, "NIET_OVER_TE_DOEN")]
}

/// What cannot be made again because of one document is counted, and the document is named once.
#[test]
fn a_document_that_does_not_verify_or_is_missing_is_named_once() {
    let mut world = World::new();
    let ledgers = world.exchanges();
    let signed = world.register_checkpoint().to_string();
    world.rotate(1);
    let all = world.documents();
    let later = ["coordinator 1", "uwv 1", "toeslagen 1"]
        .map(|place| format!("NIET_OVER_TE_DOEN {place}"))
        .to_vec();
    let mut faulty = all.clone();
    let at = faulty[11].len() - 20;
    faulty[11][at] = if faulty[11][at] == b'A' { b'B' } else { b'A' };
    let faulty = world.evidence_with(faulty, Some(&signed));
    let fault = vec!["REGISTER_DOCUMENT register 11".to_owned()];
    assert_eq!(after_one(&world, &ledgers, &faulty), [fault.clone(), later.clone()]);
    let found = faulty.findings()[0].found.clone().unwrap();
    assert!(found.starts_with("mandate: "), "{found}");
    let report = world.audit_with(&faulty, &ledgers);
    assert!(report.to_string().contains("REGISTER_DOCUMENT: register, document 11\n"), "{report}");
    let decisions = report.findings.iter().filter(|one| one.code == Code::NotMadeAgain);
    let decisions: Vec<_> = decisions.map(|one| one.found.clone().unwrap()).collect();
    assert_eq!(decisions, ["decisions=3", "decisions=2", "decisions=3"]);

    let mut gap: Vec<_> = all.iter().cloned().map(Some).collect();
    gap[11] = None;
    let gap = world.evidence_with(gap, Some(&signed));
    assert_eq!(only(&gap).found.as_deref(), Some("document=missing"));
    assert_eq!(after_one(&world, &ledgers, &gap), [fault, later.clone()]);
    // Whoever holds a cosignature of the register knows no more than that.
    let mut witnessed = world.register_checkpoint();
    let by = LedgerName::new(LedgerKind::Node, oin(TOESLAGEN));
    world.signer(&by).cosign(&mut witnessed, world.now).unwrap();
    let statement = Statement { by, note: witnessed.to_string().into_bytes() };
    assert!(gap.check_statements(std::slice::from_ref(&statement)).is_empty());

    // The last one is missing, which the checkpoint tells.
    let short = world.evidence_with(all[..11].to_vec(), Some(&signed));
    let fault = vec!["REGISTER_CONTROLEPUNT register 11".to_owned()];
    assert_eq!(after_one(&world, &ledgers, &short), [fault, later]);
    let told = short.check_statements(&[statement]);
    assert_eq!(told.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::SetBack]);
    // Nothing tells of it: then each decision does.
    let older = world.register_checkpoint_of(11, world.older(2).root).to_string();
    let older = world.evidence_with(all[..11].to_vec(), Some(&older));
    let [found, later] = after_one(&world, &ledgers, &older);
    assert_eq!((found.len(), later.len()), (8, 0), "{found:?}");
    assert!(found.iter().all(|one| one.starts_with("REGISTER_TE_KORT ")), "{found:?}");
}

#[test]
fn a_covenant_of_which_the_rules_do_not_compile() {
    let mut world = World::new();
    let mut ledgers = Ledgers::default();
    world.exchange(&mut ledgers, &|_| {}, false);
    let text: CovenantText = from_toml("covenant.toml", COVENANT).unwrap();
    let mut covenant = serde_json::to_value(text).unwrap();
    covenant["covenant"]["version"] = 2.into();
    let clauses = covenant["clause"].as_array_mut().unwrap();
    let ruled = clauses.iter_mut().find(|clause| clause["rule"].is_array()).unwrap();
    ruled["rule"][0]["cedar"] =
        "forbid (principal, action, resource) when { nobody.knows };".into();
    let document = world.documents().len();
    world.submit(DocumentKind::Covenant, &covenant, &[LSI]);
    let report = world.audit(&ledgers);
    let expected = [format!("REGELS_ONBRUIKBAAR register {document}")];
    assert_eq!(found(&report, Severity::Finding), expected);
}
