//! Plain text for people, on standard output. With `--json` it says nothing.

use std::io::{self, IsTerminal as _};

use anyhow::Result;

use crate::output;

/// Columns of the terminal that text is wrapped to.
const WIDTH: usize = 86;

/// How a piece of text looks on a terminal. Without a terminal there is no difference.
#[derive(Clone, Copy, Debug)]
pub(super) enum Style {
    Plain,
    Heading,
    Good,
    Bad,
    Quiet,
}

/// Tells the story.
#[derive(Debug)]
pub(super) struct Teller {
    json: bool,
    colour: bool,
    sections: u32,
}

impl Teller {
    pub(super) fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, colour: wanted && io::stdout().is_terminal(), sections: 0 }
    }

    /// Whether only the summary is wanted.
    pub(super) const fn is_silent(&self) -> bool {
        self.json
    }

    /// Begins a numbered section.
    pub(super) fn section(&mut self, title: &str) -> Result<()> {
        self.sections += 1;
        let title = format!("{}. {title}", self.sections);
        self.line("")?;
        self.styled(0, Style::Heading, &title)?;
        self.line("")
    }

    /// Says something in whole lines.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        self.styled(0, Style::Plain, text)
    }

    /// Says something under what was said before, `indent` columns in.
    pub(super) fn styled(&self, indent: usize, style: Style, text: &str) -> Result<()> {
        for line in wrapped(text, WIDTH.saturating_sub(indent)) {
            self.line(&format!("{:indent$}{}", "", self.paint(style, &line)))?;
        }
        Ok(())
    }

    /// Begins something numbered.
    pub(super) fn item(&self, number: usize, text: &str) -> Result<()> {
        let mut mark = format!("{number}.");
        for line in wrapped(text, WIDTH.saturating_sub(4)) {
            self.line(&self.paint(Style::Heading, &format!("{mark:<4}{line}")))?;
            mark.clear();
        }
        Ok(())
    }

    /// A name and what there is to say of it, in two columns.
    pub(super) fn pair(&self, name: &str, text: &str) -> Result<()> {
        const NAMES: usize = 20;
        let lines = wrapped(text, WIDTH.saturating_sub(NAMES + 3));
        for (i, line) in lines.iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            self.line(&format!("   {name:<NAMES$}{line}"))?;
        }
        Ok(())
    }

    /// One line exactly as it is.
    pub(super) fn line(&self, line: &str) -> Result<()> {
        if self.json {
            return Ok(());
        }
        output::line(line.trim_end())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            _ if !self.colour => return text.to_owned(),
            Style::Plain => return text.to_owned(),
            Style::Heading => "1",
            Style::Good => "32",
            Style::Bad => "31",
            Style::Quiet => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The lines of a text, none of them wider than this unless one word is.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let wrapped = text.split('\n').map(|paragraph| output::wrapped(paragraph, 0, width));
    let wrapped: Vec<_> = wrapped.collect();
    wrapped.iter().flat_map(|paragraph| paragraph.split('\n')).map(str::to_owned).collect()
}
