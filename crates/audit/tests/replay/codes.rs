//! Every code that an audit can tell is made to happen here, by tampering or by neglect: one that no test asserts
//! may not work, or cannot happen.

use std::{fs, path::Path};

use convenant_audit::Code;
use convenant_model::Problem;

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

/// The page on which people look codes up says of each what the program says, and besides what may be innocent in it
/// and what to do.
#[test]
fn the_page_of_codes_is_complete_and_says_what_the_program_says() {
    let page = include_str!("../../../../docs/codes.md");
    let rows =
        page.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 7);
    let rows: Vec<_> = rows.collect();
    for (code, row) in Code::ALL.iter().zip(&rows) {
        let severity = code.severity().in_dutch();
        let (dutch, english) = (code.in_dutch(), code.explanation());
        let own = format!("| `{code}` | {severity} | {dutch} | {english} | ");
        let rest = row.strip_prefix(&own);
        let rest = rest.unwrap_or_else(|| panic!("expected\n{own}\nand there is\n{row}"));
        let [cause, next] = rest.strip_suffix(" |").unwrap().split(" | ").collect::<Vec<_>>()[..]
        else {
            panic!("{row}")
        };
        assert!(cause.ends_with('.') && next.ends_with('.'), "{row}");
    }
    assert_eq!(rows.len(), Code::ALL.len(), "one row for each code");
    // What else it mentions is a code, too.
    let known = |name: &str| {
        Code::ALL.iter().any(|code| code.as_str() == name) || Problem::from_code(name).is_some()
    };
    let is_code = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    for name in page.split('`').skip(1).step_by(2).filter(is_code) {
        assert!(known(name), "`{name}` is no code");
    }
}

#[test]
fn the_page_of_codes_is_found() {
    let (page, readme) =
        (include_str!("../../../../docs/audit.md"), include_str!("../../../../README.md"));
    assert!(page.contains("](codes.md)") && readme.contains("](docs/codes.md)"));
}
