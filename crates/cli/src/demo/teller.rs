//! Plain text for people, on standard output. With `--json` it says nothing.

use std::io::{self, IsTerminal as _, Write as _};

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
    pub(super) fn section(&mut self, title: &str) -> io::Result<()> {
        self.sections += 1;
        let title = format!("{}. {title}", self.sections);
        self.line("")?;
        self.styled(0, Style::Heading, &title)?;
        self.line("")
    }

    /// Says something in whole lines.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        self.styled(0, Style::Plain, text)
    }

    /// Says something under what was said before, `indent` columns in.
    pub(super) fn styled(&self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        for line in wrapped(text, WIDTH.saturating_sub(indent)) {
            self.line(&format!("{:indent$}{}", "", self.paint(style, &line)))?;
        }
        Ok(())
    }

    /// A name and what there is to say of it, in two columns.
    pub(super) fn pair(&self, name: &str, text: &str) -> io::Result<()> {
        const NAMES: usize = 20;
        let lines = wrapped(text, WIDTH.saturating_sub(NAMES + 3));
        for (i, line) in lines.iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            self.line(&format!("   {name:<NAMES$}{line}"))?;
        }
        Ok(())
    }

    /// One line exactly as it is.
    pub(super) fn line(&self, line: &str) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        writeln!(io::stdout(), "{}", line.trim_end())
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

/// Breaks a text at its spaces. A word that is too long stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let needed = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && needed > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces_only() {
        assert_eq!(wrapped("een twee drie", 8), ["een twee", "drie"]);
        assert_eq!(wrapped("aaneengeschreven x", 5), ["aaneengeschreven", "x"]);
        assert_eq!(wrapped("a\n\nb", 5), ["a", "", "b"]);
    }
}
