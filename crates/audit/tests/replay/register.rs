//! Tampering with the register: its documents, its checkpoint, and rules that cannot be used.

use convenant_audit::{Code, Finding, RegisterEvidence, Severity};
use convenant_model::{covenant::CovenantText, documents::DocumentKind, parse::from_toml};

use crate::{
    documents::COVENANT,
    world::{LSI, Ledgers, World, found},
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
    let without = world.evidence_with(world.documents(), None);
    assert_eq!((only(&without).code, only(&without).entry), (Code::RegisterUnsigned, None));
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
