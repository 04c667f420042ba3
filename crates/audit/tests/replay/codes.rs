//! Every code that an audit can tell is made to happen here, by tampering or by neglect: one that no test asserts
//! may not work, or cannot happen.

use std::{fs, path::Path};

use convenant_audit::Code;

#[test]
fn every_code_happens_in_a_test() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay");
    let sources = fs::read_dir(dir).unwrap().map(|file| fs::read_to_string(file.unwrap().path()));
    let sources = sources.collect::<Result<String, _>>().unwrap();
    let untested: Vec<_> = Code::ALL.iter().filter(|code| !is_asserted(code, &sources)).collect();
    assert!(untested.is_empty(), "no test asserts {untested:?}");
}

/// Whether a text begins with the code, as [`crate::world::found`] tells of a finding.
fn is_asserted(code: &Code, sources: &str) -> bool {
    let ends = ["\"", " "].map(|end| format!("\"{code}{end}"));
    ends.iter().any(|text| sources.contains(text))
}
