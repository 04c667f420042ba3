//! The summary as a page: Markdown, or HTML that needs nothing else. Nothing in a document of somebody else's becomes
//! markup.

use std::fmt::Write as _;

use crate::lang::Lang;

/// A block of the summary.
pub(super) enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

pub(super) fn markdown(title: &str, blocks: &[Block]) -> String {
    let mut text = format!("# {}\n", escaped_md(title));
    for block in blocks {
        // Writing to a `String` does not fail.
        let _ = match block {
            Block::Heading(heading) => write!(text, "\n## {}\n", escaped_md(heading)),
            Block::Paragraph(paragraph) => write!(text, "\n{}\n", escaped_md(paragraph)),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("- {}\n", escaped_md(item)));
                write!(text, "\n{}", items.collect::<String>())
            }
            Block::Table(head, rows) => {
                let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
                let rule = line(head.iter().map(|_| "---".to_owned()).collect());
                let head = line(head.iter().map(|cell| (*cell).to_owned()).collect());
                let rows =
                    rows.iter().map(|row| line(row.iter().map(|one| escaped_md(one)).collect()));
                write!(text, "\n{head}{rule}{}", rows.collect::<String>())
            }
        };
    }
    text
}

/// So that nothing in a document of somebody else's becomes markup.
fn escaped_md(text: &str) -> String {
    let special = |c: char| "\\`*_{}[]<>#|~!&".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

const STYLE: &str = "\
body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
table{border-collapse:collapse;width:100%}th,td{border-bottom:1px solid #767676;padding:.4rem .6rem;\
text-align:left;vertical-align:top}";

pub(super) fn html(title: &str, blocks: &[Block], lang: Lang) -> String {
    let title = escaped_html(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><main>\n\
         <h1>{title}</h1>\n",
        lang.of("nl", "en"),
    );
    for block in blocks {
        // Writing to a `String` does not fail.
        let _ = match block {
            Block::Heading(text) => writeln!(page, "<h2>{}</h2>", escaped_html(text)),
            Block::Paragraph(text) => writeln!(page, "<p>{}</p>", escaped_html(text)),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("<li>{}</li>", escaped_html(item)));
                writeln!(page, "<ul>{}</ul>", items.collect::<String>())
            }
            Block::Table(head, rows) => {
                let head = head.iter().map(|one| format!("<th scope=\"col\">{one}</th>"));
                let row = |row: &Vec<String>| {
                    let cells = row.iter().map(|one| format!("<td>{}</td>", escaped_html(one)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let rows: String = rows.iter().map(row).collect();
                writeln!(page, "<table><tr>{}</tr>{rows}</table>", head.collect::<String>())
            }
        };
    }
    page.push_str("</main></body></html>\n");
    page
}

fn escaped_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// On one line, without control characters.
pub(super) fn flat(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).collect()
}
