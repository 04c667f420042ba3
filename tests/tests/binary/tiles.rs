//! What a party publishes of its ledger, from which others make their proofs.

use std::{fs, path::Path, process::Output};

use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::Program;

use crate::{
    deployment::{shown, text},
    grown::Grown,
};

const TILES: [&str; 5] = [
    "tile/0/000",
    "tile/0/002.p/188",
    "tile/1/000.p/2",
    "tile/entries/000",
    "tile/entries/002.p/188",
];

#[tokio::test]
async fn a_published_tile_that_does_not_follow_from_the_entries_is_named() {
    let (dir, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let public = dir.path().join("ledger.pub.jwk");
    fs::write(&public, serde_json::to_string(key.verifying_key()).unwrap()).unwrap();
    let grown = Grown::new(&key.to_jwk());
    let copy = grown.to(700, "ours").await;
    let ledger = grown.ledger();
    let verify = |dir: &Path| -> Output {
        let key = text(&public);
        program.run(&["ledger", "verify", "--dir", text(dir), "--key", key]).unwrap()
    };
    let holds = |dir: &Path| {
        let verified = verify(dir);
        assert!(verified.status.success(), "{}", shown(&verified));
    };
    let fails = |dir: &Path, path: &str| {
        let verified = verify(dir);
        assert_eq!(verified.status.code(), Some(4), "{path}: {}", shown(&verified));
        assert!(shown(&verified).contains(path), "{path}: {}", shown(&verified));
    };
    holds(&ledger);
    holds(&copy);
    for path in TILES {
        let tile = ledger.join(path);
        let own = fs::read(&tile).unwrap();
        let mut other = own.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(&tile, other).unwrap();
        fails(&ledger, path);
        fs::remove_file(&tile).unwrap();
        fails(&ledger, path);
        fs::write(&tile, own).unwrap();
        holds(&ledger);
    }
    // A copy has its entries from tiles, and the hashes beside them.
    let tile = copy.join("tile/1/000.p/2");
    let mut other = fs::read(&tile).unwrap();
    other[0] ^= 1;
    fs::write(&tile, other).unwrap();
    fails(&copy, "tile/1/000.p/2");
    // No daemon makes the tiles of a copy again.
    let advice = |dir: &Path| shown(&verify(dir)).contains("export or fetch it again");
    assert!(advice(&copy), "{}", shown(&verify(&copy)));

    // The next start makes tiles again.
    let tile = ledger.join("tile/0/000");
    fs::write(&tile, b"").unwrap();
    fails(&ledger, "tile/0/000");
    assert!(!advice(&ledger), "{}", shown(&verify(&ledger)));
    grown.to(701, "ours").await;
    holds(&ledger);
}

#[test]
fn an_audit_finds_published_tiles_that_do_not_follow_from_the_entries() {
    let (dir, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
    let federation = dir.path().join("federation");
    let demo = ["demo", "--dir", text(&federation), "--keep", "--persons", "300"];
    let demo = program.run(&demo).unwrap();
    assert!(demo.status.success(), "{}", shown(&demo));
    let audit = |code: i32| {
        let replayed =
            program.run(&["audit", "replay", "--federation", text(&federation)]).unwrap();
        assert_eq!(replayed.status.code(), Some(code), "{}", shown(&replayed));
        String::from_utf8(replayed.stdout).unwrap()
    };
    assert!(!audit(0).contains("TEGEL_AFWIJKEND"));
    let tiles = federation.join("nodes/rotterdam/state/ledger/tile/0/000.p");
    let tile = fs::read_dir(tiles).unwrap().next().unwrap().unwrap().path();
    let mut other = fs::read(&tile).unwrap();
    other[0] ^= 1;
    fs::write(&tile, other).unwrap();
    // As `ledger verify` weighs it.
    let told = audit(4);
    assert_eq!(told.matches("TEGEL_AFWIJKEND").count(), 1, "{told}");
    let name = tile.file_name().unwrap().to_str().unwrap();
    assert!(told.contains(&format!("tegels: 1, tegel: tile/0/000.p/{name}")), "{told}");
    // One that cannot be read ends no audit of the others.
    fs::remove_file(&tile).unwrap();
    fs::create_dir(&tile).unwrap();
    assert_eq!(audit(4).matches("TEGEL_AFWIJKEND").count(), 1);
    // Nor does a folder of which all are gone take a line for each.
    fs::remove_dir_all(federation.join("nodes/rotterdam/state/ledger/tile")).unwrap();
    let told = audit(4);
    assert_eq!(told.matches("TEGEL_AFWIJKEND").count(), 1, "{told}");
    assert!(told.contains("tegels: 2, tegel: tile/"), "{told}");
}
