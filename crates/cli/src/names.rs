//! Names that covenant or register do not know: wrong use, told with the names that they do know.

use convenant_model::subjects::{holds_bsn, spells_bsn};

use crate::{exit::usage, output};

/// Up to so many known names are all told.
const ALL: usize = 8;
/// Of more, so many are told that are nearest.
const NEAREST: usize = 4;

/// An error that says where a name stands, and which names can stand there. A name that holds a BSN, as one does
/// where a subject was put in its place, is not repeated.
pub(crate) fn unknown<'k>(
    place: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> anyhow::Error {
    let shown = shown(name);
    let known: Vec<_> = known.into_iter().collect();
    usage(format!("{place} {shown}; {}", choice(name, known)))
}

/// A name as an error may repeat it: one that holds a BSN, however it is spelled, is not.
pub(crate) fn shown(name: &str) -> String {
    if spells_bsn(name) || holds_bsn(name) {
        "of this name, which holds a BSN".to_owned()
    } else {
        format!("`{}`", output::shown(name))
    }
}

fn choice(name: &str, mut known: Vec<&str>) -> String {
    let quoted = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", output::shown(name))).collect();
        names.join(", ")
    };
    known.sort_by_cached_key(|known| distance(name, known));
    known.dedup();
    match known.get(..NEAREST) {
        Some(nearest) if known.len() > ALL => {
            format!("nearest of {} that are known: {}", known.len(), quoted(nearest))
        }
        _ if known.is_empty() => "none are known".to_owned(),
        _ => format!("known: {}", quoted(&known)),
    }
}

/// How far a name is from another, or from a word of it: those of which it is a part come first, then by the
/// letters that must change.
fn distance(name: &str, known: &str) -> (bool, usize, usize) {
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    let apart = !known.contains(&name) && !name.contains(&known);
    let whole = edits(&name, &known);
    let words = known.split(|c: char| !c.is_alphanumeric());
    let nearest = words.map(|word| edits(&name, word)).min().unwrap_or(whole);
    (apart, nearest.min(whole), whole)
}

/// Letters to put in, take out or replace (Levenshtein), one row of the table at a time.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<_> = to.chars().collect();
    let mut row: Vec<_> = (0..=to.len()).collect();
    for (line, letter) in (1..).zip(from.chars()) {
        let (mut left, mut next) = (line, vec![line]);
        for (pair, other) in row.windows(2).zip(&to) {
            let &[before, above] = pair else { continue };
            left = (before + usize::from(letter != *other)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_known_names_are_all_told_and_of_many_the_nearest() {
        let told = |name, known: &[&'static str]| {
            unknown("`--x`: there is no", name, known.iter().copied()).to_string()
        };
        assert_eq!(told("a", &[]), "`--x`: there is no `a`; none are known");
        assert_eq!(told("bb", &["aa", "bbb"]), "`--x`: there is no `bb`; known: `bbb`, `aa`");
        let many = [
            "naam_geslachtsnaam",
            "geboorte_datum",
            "datum_overlijden",
            "burgerservicenummer",
            "leeftijd",
            "postcode",
            "huisnummer",
            "huisletter",
            "geheimhouding",
        ];
        let near = told("geboortedatum", &many);
        assert!(near.contains("; nearest of 9 that are known: `geboorte_datum`, "), "{near}");
        let word = told("roterdam", &["UWV", "Gemeente Rotterdam"]);
        assert!(word.contains("known: `Gemeente Rotterdam`, "), "{word}");
        let part = told("naam", &many);
        assert!(part.contains("known: `naam_geslachtsnaam`, "), "{part}");
        let subject = told("999993653", &many);
        assert!(!subject.contains("9999"), "{subject}");
    }

    #[test]
    fn edits_are_counted_as_anybody_would() {
        for (from, to, count) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(edits(from, to), count, "{from} {to}");
        }
    }
}
