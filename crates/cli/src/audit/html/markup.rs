//! HTML in which no text of the evidence can become markup: markup is what stands in this program, and everything
//! else is escaped.

use std::fmt::{self, Write as _};

/// A page under way.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of this program's own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text, escaped. It may stand between tags and in a quoted attribute.
    pub(super) fn text(&mut self, text: impl fmt::Display) -> &mut Self {
        // Writing to a `String` does not fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// An element without attributes that holds a text.
    pub(super) fn element(&mut self, tag: &'static str, text: impl fmt::Display) -> &mut Self {
        self.raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">\n")
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// Escapes what is written to it.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // Nor may it turn the order in which the text is read.
                c if c.is_control() || is_bidi(c) => self.0.push(' '),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A cell of a table.
pub(super) enum Cell {
    Text(String),
    Code(String),
    Number(u64),
    /// A text, and behind a fold all of what it begins.
    Folded {
        text: String,
        fold: String,
        all: String,
    },
    /// A code that links to where it is told.
    Link {
        id: String,
        code: String,
    },
}

impl Cell {
    pub(super) fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    pub(super) fn code(text: impl fmt::Display) -> Self {
        Self::Code(text.to_string())
    }
}

impl Html {
    /// A table; the first cell of each row heads it.
    pub(super) fn table(&mut self, caption: &str, heads: &[&str], rows: Vec<Vec<Cell>>) {
        self.raw("<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"").text(caption);
        self.raw("\"><table>\n").element("caption", caption).raw("<thead><tr>");
        for head in heads {
            self.raw("<th scope=\"col\">").text(head).raw("</th>");
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for (column, cell) in row.into_iter().enumerate() {
                self.cell(column == 0, cell);
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody></table></div>\n");
    }

    fn cell(&mut self, heads: bool, cell: Cell) {
        let (open, close) = match (heads, &cell) {
            (true, _) => ("<th scope=\"row\">", "</th>"),
            (false, Cell::Number(_)) => ("<td class=\"n\">", "</td>"),
            (false, _) => ("<td>", "</td>"),
        };
        self.raw(open);
        match cell {
            Cell::Text(text) => self.text(text),
            Cell::Code(text) => self.raw("<code>").text(text).raw("</code>"),
            Cell::Number(number) => self.text(number),
            Cell::Folded { text, fold, all } => {
                self.text(text).fold(&fold);
                self.text(all).raw("</div>")
            }
            Cell::Link { id, code } => {
                self.raw("<a href=\"#").text(id).raw("\"><code>").text(code).raw("</code></a>")
            }
        };
        self.raw(close);
    }

    /// Folds away what follows, up to the end of the division that this opens. It stands beside the element that
    /// opens it, not within: what is within shows on no paper while it is closed.
    pub(super) fn fold(&mut self, summary: &str) -> &mut Self {
        self.raw("<details><summary>").text(summary);
        self.raw("</summary></details>\n<div class=\"folded\">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut html = Html::default();
        html.text("<b a=\"1\" b='2'>&\u{7}\u{202e}");
        assert_eq!(html.into_string(), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;  ");
        let mut html = Html::default();
        let hostile = "\"><script>alert(1)</script>";
        let cells = vec![Cell::text(hostile), Cell::code(hostile), Cell::text(hostile)];
        html.table(hostile, &[hostile], vec![cells]);
        let table = html.into_string();
        assert!(!table.contains("<script") && table.matches("&lt;script&gt;").count() == 6);
    }
}
