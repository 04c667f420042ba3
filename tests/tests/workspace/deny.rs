//! `deny.toml`, as far as it can be checked without cargo-deny and without a network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use toml::{Table, Value};

/// What `deny.toml` says.
pub(crate) struct Deny {
    licences: BTreeSet<String>,
    bans: BTreeSet<String>,
    /// Advisories that are passed over, with the reason.
    pub(crate) exceptions: BTreeMap<String, String>,
}

impl Deny {
    pub(crate) fn read(path: &Path) -> Self {
        let table: Table = fs::read_to_string(path).unwrap().parse().unwrap();
        let member = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();
        let list = |section: &str, key: &str| table[section][key].as_array().unwrap().iter();
        Self {
            licences: list("licenses", "allow").map(|one| one.as_str().unwrap().into()).collect(),
            bans: list("bans", "deny").map(|one| member(one, "crate")).collect(),
            exceptions: list("advisories", "ignore")
                .map(|one| (member(one, "id"), member(one, "reason")))
                .collect(),
        }
    }

    pub(crate) fn banned(&self, name: &str) -> bool {
        self.bans.contains(name)
    }

    /// Whether an SPDX expression can be met with the licences of the list. Older crates write `/` for
    /// `OR`.
    pub(crate) fn allows(&self, expression: &str) -> bool {
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<_> = spaced.split_whitespace().collect();
        let mut words = words.as_slice();
        let allowed = self.either(&mut words);
        assert!(words.is_empty(), "`{expression}` is no SPDX expression");
        allowed
    }

    fn either(&self, words: &mut &[&str]) -> bool {
        let mut allowed = self.both(words);
        while take(words, "OR") {
            // Not short-circuited: the words have to be read in any case.
            allowed |= self.both(words);
        }
        allowed
    }

    fn both(&self, words: &mut &[&str]) -> bool {
        let mut allowed = self.one(words);
        while take(words, "AND") {
            allowed &= self.one(words);
        }
        allowed
    }

    fn one(&self, words: &mut &[&str]) -> bool {
        if take(words, "(") {
            let allowed = self.either(words);
            assert!(take(words, ")"), "a parenthesis is not closed");
            return allowed;
        }
        let mut licence = words[0].to_owned();
        *words = &words[1..];
        if take(words, "WITH") {
            licence = format!("{licence} WITH {}", words[0]);
            *words = &words[1..];
        }
        self.licences.contains(&licence)
    }
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let found = words.first() == Some(&word);
    if found {
        *words = &words[1..];
    }
    found
}

#[test]
fn a_choice_needs_one_licence_and_a_combination_all() {
    let licences = ["MIT", "ISC", "A WITH B"].map(str::to_owned).into();
    let deny = Deny { licences, bans: BTreeSet::new(), exceptions: BTreeMap::new() };
    for allowed in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "MIT AND ISC", "A WITH B"] {
        assert!(deny.allows(allowed), "{allowed}");
    }
    for refused in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR X) AND Y", "A", "MIT WITH B"] {
        assert!(!deny.allows(refused), "{refused}");
    }
}
