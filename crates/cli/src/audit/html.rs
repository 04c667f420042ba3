//! A report as one page of HTML that needs nothing else.

use std::fmt::Write as _;

use convenant_audit::{Finding, LedgerReport, Report, Severity};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
table{border-collapse:collapse;width:100%;margin:1rem 0}\
th,td{border-bottom:1px solid #ccc;padding:.4rem .6rem;text-align:left;vertical-align:top}\
td.n{text-align:right}code{font-size:.85em;overflow-wrap:anywhere}\
.holds{color:#0b6b2e}.fails,.finding{color:#a3160f}.warning{color:#8a5a00}";

/// The page, in Dutch.
pub(super) fn page(report: &Report) -> String {
    let (class, verdict) = if report.holds() {
        ("holds", "Het bewijs klopt")
    } else {
        ("fails", "Het bewijs klopt niet")
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\">\
         <title>Verslag van de controle</title><style>{STYLE}</style></head><body>\n\
         <h1>Verslag van de controle</h1>\n<p class=\"{class}\"><strong>{verdict}</strong>: \
         {} bevinding(en), {} waarschuwing(en), {} opmerking(en).</p>\n\
         <p>Register: {} documenten, wortel <code>{}</code></p>\n",
        report.number(Severity::Finding),
        report.number(Severity::Warning),
        report.number(Severity::Note),
        report.register.size,
        report.register.root,
    );
    page.push_str(
        "<h2>Logboeken</h2>\n<table><tr><th>Logboek</th><th>Regels</th><th>Gedekt</th>\
         <th>Toegestaan</th><th>Geweigerd</th><th>Beantwoord</th><th>Wortel</th></tr>\n",
    );
    report.ledgers.iter().for_each(|ledger| row(&mut page, ledger));
    page.push_str("</table>\n<h2>Bevindingen</h2>\n");
    if report.findings.is_empty() {
        page.push_str("<p>Geen.</p>\n");
    } else {
        page.push_str("<table><tr><th>Ernst</th><th>Code</th><th>Waar</th><th>Uitleg</th></tr>\n");
        report.findings.iter().for_each(|one| finding(&mut page, one));
        page.push_str("</table>\n");
    }
    page.push_str("</body></html>\n");
    page
}

fn row(page: &mut String, ledger: &LedgerReport) {
    let counts = &ledger.counts;
    let covered = ledger.covered.map_or_else(|| "geen".to_owned(), |size| size.to_string());
    // Writing to a `String` does not fail.
    let _ = writeln!(
        page,
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{covered}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td><code>{}</code></td></tr>",
        escaped(&ledger.name),
        counts.entries,
        counts.permits,
        counts.refusals,
        counts.answered,
        ledger.root,
    );
}

fn finding(page: &mut String, finding: &Finding) {
    let class = match finding.severity {
        Severity::Finding => "finding",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut place = escaped(&finding.ledger);
    if let Some(entry) = finding.entry {
        let _ = write!(place, ", regel {entry}");
    }
    if let Some(query) = finding.query {
        let _ = write!(place, ", vraag <code>{query}</code>");
    }
    let mut text = escaped(finding.uitleg);
    for (label, value) in [("Verwacht", &finding.expected), ("Vastgelegd", &finding.found)] {
        if let Some(value) = value {
            let _ = write!(text, "<br>{label}: <code>{}</code>", escaped(value));
        }
    }
    let _ = writeln!(
        page,
        "<tr><td class=\"{class}\">{}</td><td><code>{}</code></td><td>{place}</td><td>{text}</td></tr>",
        finding.severity.in_dutch(),
        finding.code,
    );
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_cannot_write_markup() {
        assert_eq!(escaped("<b a=\"1\">&\u{7}"), "&lt;b a=&quot;1&quot;&gt;&amp; ");
    }
}
