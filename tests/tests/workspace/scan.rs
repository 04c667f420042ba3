//! What a core crate must not name in its sources, because it is to be passed in: a ban in
//! `clippy.toml` would hold for the shells as well (docs/adr/0009).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Names that reach for a clock, a runtime or a source of randomness.
const NAMES: [&str; 6] =
    ["SystemTime::now", "Instant::now", "tokio::", "OsRng", "thread_rng", "SystemRandom::new"];

/// Modules of the standard library that reach outside.
const MODULES: [&str; 4] = ["env", "fs", "net", "process"];

/// Every Rust file under a folder but those that hold tests alone.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "tests" || name == "tests.rs" {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

/// What the code before the tests, comments aside, takes from its surroundings.
pub(crate) fn ambient(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let names = NAMES.iter().filter(|name| code.contains(**name)).map(|name| (*name).to_owned());
    let modules = std_modules(&code).into_iter().filter(|one| MODULES.contains(&one.as_str()));
    names.chain(modules.map(|module| format!("std::{module}"))).collect()
}

/// The modules that follow `std::`, also within the braces of a `use`.
fn std_modules(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, matched) in code.match_indices("std::") {
        let rest = &code[at + matched.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let mut depth = 0_usize;
        let mut starts = true;
        for (i, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                _ if starts && character.is_alphabetic() => {
                    found.insert(word(&group[i..]));
                    starts = false;
                }
                _ => {}
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect()
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let found = |source: &str| ambient(source).into_iter().collect::<Vec<_>>();
    assert_eq!(found("use std::fs;"), ["std::fs"]);
    assert_eq!(
        found("use std::{\n    fmt::{self, Debug},\n    env, net::IpAddr,\n};"),
        ["std::env", "std::net"]
    );
    assert_eq!(found("let now = std::time::Instant::now();"), ["Instant::now"]);
    assert_eq!(found("fn f() { SystemRandom::new() }"), ["SystemRandom::new"]);
    assert!(found("use std::{fmt, io::{self, fs}};\n// std::fs\n/// tokio::spawn").is_empty());
    assert!(found("struct X;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}").is_empty());
}
