//! A letter as text, Markdown or one page of HTML. Names and titles are other people's texts: they are shown, and
//! nothing more comes of them.

use std::fmt::Write as _;

/// What a letter is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Plain text.
    Text,
    /// Markdown (CommonMark).
    Markdown,
    /// One page of HTML that needs nothing else.
    Html,
}

impl Format {
    /// The format for the ending of a file's name: `txt`, `md` or `html`.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "txt" => Some(Self::Text),
            "md" => Some(Self::Markdown),
            "html" => Some(Self::Html),
            _ => None,
        }
    }
}

/// A part of a letter.
#[derive(Debug)]
pub(super) enum Part {
    Title(String),
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
}

/// Columns of plain text.
const WIDTH: usize = 78;

const HEAD: &str = "<!doctype html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\">\n\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'\">\n";

pub(super) fn written(parts: &[Part], format: Format) -> String {
    let mut out = String::new();
    for part in parts {
        match format {
            Format::Text => text(&mut out, part),
            Format::Markdown => markdown(&mut out, part),
            Format::Html => html(&mut out, part),
        }
    }
    if format == Format::Html {
        out.push_str("</body></html>\n");
    }
    out
}

fn text(out: &mut String, part: &Part) {
    match part {
        Part::Title(title) | Part::Heading(title) => {
            let title = plain(title);
            let rule = if matches!(part, Part::Title(_)) { "=" } else { "-" };
            let rule = rule.repeat(title.chars().count());
            line(out, &format!("{title}\n{rule}\n"));
        }
        Part::Paragraph(words) => line(out, &format!("{}\n", wrapped(&plain(words), "", ""))),
        Part::List(items) => {
            items.iter().for_each(|item| line(out, &wrapped(&plain(item), "- ", "  ")));
            line(out, "");
        }
    }
}

fn markdown(out: &mut String, part: &Part) {
    match part {
        Part::Title(title) => line(out, &format!("# {}\n", escaped(title))),
        Part::Heading(title) => line(out, &format!("## {}\n", escaped(title))),
        Part::Paragraph(words) => line(out, &format!("{}\n", escaped(words))),
        Part::List(items) => {
            items.iter().for_each(|item| line(out, &format!("- {}", escaped(item))));
            line(out, "");
        }
    }
}

fn html(out: &mut String, part: &Part) {
    match part {
        Part::Title(title) => {
            let title = marked_up(title);
            line(out, &format!("{HEAD}<title>{title}</title></head><body>\n<h1>{title}</h1>"));
        }
        Part::Heading(title) => line(out, &format!("<h2>{}</h2>", marked_up(title))),
        Part::Paragraph(words) => line(out, &format!("<p>{}</p>", marked_up(words))),
        Part::List(items) => {
            line(out, "<ul>");
            items.iter().for_each(|item| line(out, &format!("<li>{}</li>", marked_up(item))));
            line(out, "</ul>");
        }
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a `String` does not fail.
    let _ = writeln!(out, "{text}");
}

/// Without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// With every character that means something in Markdown behind a backslash (CommonMark §2.4).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        if "\\`*_{}[]<>()#+!|~&".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn marked_up(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn wrapped(text: &str, first: &str, later: &str) -> String {
    let mut lines = vec![first.to_owned()];
    let mut bare = true;
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |last| last.chars().count());
        if !bare && length + 1 + word.chars().count() > WIDTH {
            lines.push(later.to_owned());
            bare = true;
        }
        if let Some(last) = lines.last_mut() {
            if !bare {
                last.push(' ');
            }
            last.push_str(word);
            bare = false;
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_texts() {
        let parts = [Part::Title("a".to_owned()), Part::List(vec!["<b>*x*</b>\u{1b}".to_owned()])];
        assert!(written(&parts, Format::Html).contains("<li>&lt;b&gt;*x*&lt;/b&gt; </li>"));
        assert!(written(&parts, Format::Markdown).contains("- \\<b\\>\\*x\\*\\</b\\> \n"));
        assert!(written(&parts, Format::Text).contains("- <b>*x*</b>\n"));
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        let text = wrapped(&"woord ".repeat(30), "- ", "  ");
        assert!(
            text.lines().count() == 3 && text.lines().all(|line| line.chars().count() <= WIDTH)
        );
    }
}
