//! Printing: data on stdout, everything else on stderr.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use thiserror::Error;

/// Stdout takes no more.
#[derive(Clone, Copy, Debug, Error)]
#[error("stdout cannot be written")]
pub(crate) struct Closed;

/// Prints a line of data.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}").context(Closed)
}

/// Prints bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context(Closed)
}

/// Prints a JSON document, indented.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Prints a line on stderr. That stderr is gone is no reason to stop.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A text of somebody else's, safe to print: without control characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A file as an argument of a command that people copy into a shell.
pub(crate) fn argument(path: &Path) -> String {
    let text = shown(&path.display().to_string());
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A number of things, in the singular or the plural.
pub(crate) fn number(number: u64, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}

/// Breaks a text into lines of at most `width` characters, each behind `indent` spaces.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in shown(text).split_whitespace() {
        let room = lines.last().map_or(0, |last| last.chars().count());
        if room > 0 && room + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    let indent = " ".repeat(indent);
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

/// Lines in columns: every column is as wide as its widest cell.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..count).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Something that turns while a person waits; nothing where no person does.
pub(crate) fn spinner(message: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// How far something got, in `unit`s; nothing where no person waits.
pub(crate) fn bar(unit: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(unit);
    match ProgressStyle::with_template("{bar:30} {human_pos} / {human_len} {msg} ({eta})") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a [2Jb");
        assert_eq!(wrapped("een twee drie", 2, 8), "  een twee\n  drie");
    }

    #[test]
    fn one_is_told_in_the_singular() {
        let told = [0, 1, 2].map(|rows| number(rows, "row", "rows"));
        assert_eq!(told, ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn a_file_is_one_argument_of_a_shell() {
        let shown = |path: &str| argument(Path::new(path));
        assert_eq!(shown("state/client.toml"), "state/client.toml");
        assert_eq!(shown("my files/it's"), r"'my files/it'\''s'");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a", "bb"], ["ccc", "d"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows), ["a    bb", "ccc  d"]);
    }
}
