//! The file with subjects. No error here repeats what is in it: it names the line.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use convenant_model::{
    covenant::{Dataset, Field, Use},
    subjects::{Identifying, Subject},
    value::FieldType,
};
use zeroize::Zeroizing;

use crate::exit::{Named as _, usage};

/// Subjects as they were read: every line has a second column, or none has.
pub(super) struct Listed {
    lines: Vec<Line>,
}

/// A subject with the number of its line.
struct Line {
    number: usize,
    key: Identifying,
    verify: Option<Identifying>,
}

impl Listed {
    /// Reads a file, or stdin for `-`.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut text = Zeroizing::new(String::new());
        let read = if path == Path::new("-") {
            io::stdin().lock().read_to_string(&mut text).map(drop)
        } else {
            fs::read_to_string(path).map(|read| text = Zeroizing::new(read))
        };
        read.named(|| format!("the subjects in `{}` cannot be read", path.display()))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let mut cells = line.split(',').map(cell);
            let (key, verify) = (cells.next().unwrap_or_default(), cells.next());
            let whole = !key.is_empty() && verify.is_none_or(|verify| !verify.is_empty());
            if !whole || cells.next().is_some() {
                return Err(usage(format!("subjects, line {number}: not `KEY` or `KEY,VERIFY`")));
            }
            let verified = verify.is_some();
            lines.push(Line { number, key: identifying(key), verify: verify.map(identifying) });
            let first = lines.first().is_some_and(|line: &Line| line.verify.is_some());
            if verified != first {
                let fault = "every line has a second column, or none has";
                return Err(usage(format!("subjects, line {number}: {fault}")));
            }
        }
        if lines.is_empty() {
            return Err(usage("there are no subjects"));
        }
        Ok(Self { lines })
    }

    /// Whether the lines have a second column, to verify the first.
    pub(super) fn verified(&self) -> bool {
        self.lines.iter().any(|line| line.verify.is_some())
    }

    /// The subjects for one dataset. The second column goes only where the covenant verifies by it.
    pub(super) fn of(&self, dataset: &Dataset, key: &Field) -> anyhow::Result<Vec<Subject>> {
        let by = dataset.verified_by.as_ref().and_then(|name| dataset.field(name));
        let mut list = Vec::with_capacity(self.lines.len());
        for (number, line) in (1..).zip(&self.lines) {
            admitted(key, &line.key, number)?;
            let verify = line.verify.as_ref().filter(|_| by.is_some());
            if let (Some(field), Some(value)) = (by, verify) {
                admitted(field, value, number)?;
            }
            list.push(Subject { key: line.key.clone(), verify: verify.cloned() });
        }
        Ok(list)
    }

    /// The lines of some subjects, by their place in the list.
    pub(super) fn lines_of(&self, places: &[usize]) -> Vec<usize> {
        places.iter().filter_map(|place| self.lines.get(*place)).map(|line| line.number).collect()
    }
}

/// The dataset's only BSN that is a key.
pub(super) fn person_key(dataset: &Dataset) -> Option<&Field> {
    let is_key = |field: &&Field| field.usage == Use::Key && field.kind == FieldType::Bsn;
    let mut keys = dataset.field.iter().filter(is_key);
    keys.next().filter(|_| keys.next().is_none())
}

fn admitted(field: &Field, value: &Identifying, number: usize) -> anyhow::Result<()> {
    if field.kind.admits(value.expose()) {
        return Ok(());
    }
    let (name, kind) = (&field.name, field.kind.as_str());
    Err(usage(format!("subject {number}: not a value of `{name}` (type `{kind}`)")))
}

fn cell(text: &str) -> &str {
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    quoted.unwrap_or(text)
}

fn identifying(text: &str) -> Identifying {
    Identifying::new(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Listed::parse(text).err().unwrap().to_string()
    }

    #[test]
    fn lines_are_keys_with_or_without_a_second_column() {
        let plain = Listed::parse("\u{feff}999993653\r\n\n\"900000007\"\n").unwrap();
        assert!(!plain.verified() && plain.lines.len() == 2);
        assert_eq!(plain.lines[1].key.expose(), "900000007");
        assert!(Listed::parse("999993653,19850731").unwrap().verified());
    }

    #[test]
    fn a_fault_names_the_line_and_never_the_subject() {
        for (text, line) in [
            ("999993653,19850731\n900000007", "line 2"),
            ("999993653\n900000007,", "line 2"),
            ("999993653,19850731,x", "line 1"),
        ] {
            let fault = fault(text);
            assert!(fault.contains(line), "{fault}");
            assert!(!fault.contains("9999") && !fault.contains("9000"), "{fault}");
        }
        assert!(fault("\n").contains("no subjects"));
    }
}
