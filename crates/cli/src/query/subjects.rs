//! The file with subjects. No error here repeats what is in it: it names file and line, and says what is expected
//! there.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _},
    path::Path,
};

use convenant_model::{
    DatasetId, FieldName,
    covenant::{Dataset, Field, Use},
    subjects::{Identifying, Subject},
    value::FieldType,
};
use zeroize::Zeroizing;

use crate::exit::{Named as _, usage};

/// Most pairs of lines that an error names.
const MOST_TOLD: usize = 5;

/// Subjects as they were read: every line has a second column, or none has.
pub(super) struct Listed {
    /// The file, as errors name it.
    file: String,
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
        let stdin = path == Path::new("-");
        let file = if stdin { "stdin".to_owned() } else { format!("`{}`", path.display()) };
        let mut text = Zeroizing::new(String::new());
        let read = if stdin {
            io::stdin().lock().read_to_string(&mut text).map(drop)
        } else {
            fs::read_to_string(path).map(|read| text = Zeroizing::new(read))
        };
        read.named(|| format!("the subjects in {file} cannot be read"))?;
        Self::parse(file, &text)
    }

    fn parse(file: String, text: &str) -> anyhow::Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let fault = |number, what| match header(text) {
            Some(line) => usage(format!("{file}, line {line}: {HEADER}")),
            None => usage(format!("{file}, line {number}: {what}")),
        };
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let mut cells = line.split(',').map(cell);
            let (key, verify) = (cells.next().unwrap_or_default(), cells.next());
            let whole = !key.is_empty() && verify.is_none_or(|verify| !verify.is_empty());
            if !whole || cells.next().is_some() {
                return Err(fault(number, "expected is `KEY` or `KEY,VERIFY`"));
            }
            let verified = verify.is_some();
            lines.push(Line { number, key: identifying(key), verify: verify.map(identifying) });
            let first = lines.first().is_some_and(|line: &Line| line.verify.is_some());
            if verified != first {
                return Err(fault(number, "every line has a second column, or none has"));
            }
        }
        if lines.is_empty() {
            return Err(usage(format!("there are no subjects in {file}: one a line is expected")));
        }
        Ok(Self { file, lines })
    }

    /// Whether the lines have a second column, to verify the first.
    pub(super) fn verified(&self) -> bool {
        self.lines.iter().any(|line| line.verify.is_some())
    }

    /// An error for lines without the second column that a dataset has to have of each.
    pub(super) fn lacks(&self, by: &FieldName, dataset: &DatasetId) -> anyhow::Error {
        usage(format!(
            "{}: each line needs a second column, after a comma, with `{by}`: `{dataset}` verifies every BSN by it \
             (clause L14)",
            self.file
        ))
    }

    /// The subjects for one dataset. The second column goes only where the covenant verifies by it.
    pub(super) fn of(&self, dataset: &Dataset, key: &Field) -> anyhow::Result<Vec<Subject>> {
        let by = dataset.verified_by.as_ref().and_then(|name| dataset.field(name));
        let mut list = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            self.admitted(key, &line.key, ("first", line.number))?;
            let verify = line.verify.as_ref().filter(|_| by.is_some());
            if let (Some(field), Some(value)) = (by, verify) {
                self.admitted(field, value, ("second", line.number))?;
            }
            list.push(Subject { key: line.key.clone(), verify: verify.cloned() });
        }
        self.distinct()?;
        Ok(list)
    }

    /// An error with the lines that ask about the same subject, whatever verifies it.
    fn distinct(&self) -> anyhow::Result<()> {
        let mut first = HashMap::new();
        let mut again = Vec::new();
        for Line { number, key, .. } in &self.lines {
            match first.get(key) {
                Some(before) => again.push(format!("lines {before} and {number}")),
                None => {
                    first.insert(key, number);
                }
            }
        }
        let (told, rest) = again.split_at(again.len().min(MOST_TOLD));
        if told.is_empty() {
            return Ok(());
        }
        let more = if rest.is_empty() { "" } else { ", and more" };
        let (file, lines) = (&self.file, told.join(", "));
        Err(usage(format!(
            "{file}: a query asks about a subject once, and {lines}{more} are about the same"
        )))
    }

    fn admitted(
        &self,
        field: &Field,
        value: &Identifying,
        (column, number): (&str, usize),
    ) -> anyhow::Result<()> {
        if field.kind.admits(value.expose()) {
            return Ok(());
        }
        let (file, name) = (&self.file, &field.name);
        let first = self.lines.first().is_some_and(|first| first.number == number);
        if first && is_wordy(value.expose()) {
            return Err(usage(format!("{file}, line {number}: {HEADER}")));
        }
        let comma = match value.expose().contains([';', '\t']) {
            true => ", and between two columns a comma",
            false => "",
        };
        let expected = expected(field);
        Err(usage(format!(
            "{file}, line {number}: in the {column} column is no `{name}`; expected is {expected}{comma}"
        )))
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

/// Where the names of columns stand above the subjects.
const HEADER: &str = "this is a line with names of columns; leave it out, each line is a subject";

/// The first line, if it holds no digit and one below it does.
fn header(text: &str) -> Option<usize> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (number, first) = lines.next()?;
    (is_wordy(first) && lines.any(|(_, line)| !is_wordy(line))).then_some(number)
}

fn is_wordy(text: &str) -> bool {
    !text.chars().any(char::is_numeric)
}

/// What a value of a field looks like.
const fn expected(field: &Field) -> &'static str {
    match field.kind {
        FieldType::Bsn => "nine digits that pass the eleven-test, one a line",
        FieldType::BagObject => "sixteen digits, one a line",
        FieldType::Gemeentecode => "four digits",
        FieldType::CbsCode => "an area like `GM0599`",
        FieldType::Integer => "a whole number",
        FieldType::Date => "a date like `2026-01-31`",
        FieldType::PartialDate => "a date of eight digits, in which unknown parts are `0`",
        FieldType::Boolean => "`true` or `false`",
        FieldType::Text | FieldType::Code => "a text",
    }
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

    fn parse(text: &str) -> anyhow::Result<Listed> {
        Listed::parse("`people.csv`".to_owned(), text)
    }

    fn fault(text: &str) -> String {
        let fault = parse(text).err().unwrap().to_string();
        assert!(fault.contains("`people.csv`"), "{fault}");
        fault
    }

    #[test]
    fn lines_are_keys_with_or_without_a_second_column() {
        let plain = parse("\u{feff}999993653\r\n\n\"900000007\"\n").unwrap();
        assert!(!plain.verified() && plain.lines.len() == 2);
        assert_eq!(plain.lines[1].key.expose(), "900000007");
        assert!(parse("999993653,19850731").unwrap().verified());
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

    #[test]
    fn the_same_subject_twice_is_told_by_its_lines() {
        let fault = |text: &str| parse(text).unwrap().distinct().unwrap_err().to_string();
        let twice = fault("999993653,19850731\n900000007,19850731\n\n999993653,19850801");
        assert!(twice.contains("lines 1 and 4 are about the same"), "{twice}");
        assert!(!twice.contains("9999") && !twice.contains("1985"), "{twice}");
        assert!(fault(&"900000007\n".repeat(9)).contains("lines 1 and 6, and more are"));
        assert!(parse("999993653\n900000007\n").unwrap().distinct().is_ok());
    }

    #[test]
    fn a_line_with_names_of_columns_is_known_as_such() {
        for text in ["bsn\n999993653,19850731\n", "\nbsn,datum,naam\n999993653,19850731,x\n"] {
            let fault = fault(text);
            assert!(fault.contains("names of columns"), "{fault}");
        }
        assert!(!fault("a,b,c\nd,e,f\n").contains("names of columns"));
    }
}
