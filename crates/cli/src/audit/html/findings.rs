//! What was found: on top each kind once, with a link to where every finding of it is told.

use std::collections::BTreeMap;

use convenant_audit::{Code, Finding, Question, Report, Severity};

use super::{Page, markup::Cell};
use crate::lang::Lang;

/// How many findings of one kind stand there at once. The others are behind a fold.
const AT_ONCE: usize = 10;

/// The findings of one kind in one ledger, in the order of the report.
struct Kind<'r> {
    /// Where they are told.
    id: String,
    severity: Severity,
    code: Code,
    ledger: &'r str,
    /// Those that are told of one by one.
    told: Vec<&'r Finding>,
    /// How many more there are.
    left_out: u64,
}

impl<'r> Kind<'r> {
    fn all(report: &'r Report) -> Vec<Self> {
        let mut kinds = BTreeMap::<_, (Vec<&Finding>, u64)>::new();
        for one in &report.findings {
            let kind = (one.severity, one.code, one.ledger.as_str());
            kinds.entry(kind).or_default().0.push(one);
        }
        for left in &report.left_out {
            let kind = (left.severity, left.code, left.ledger.as_str());
            kinds.entry(kind).or_default().1 += left.number;
        }
        let kinds = (0..).zip(kinds);
        let kind = |(index, ((severity, code, ledger), (told, left_out))): (u32, _)| {
            let id = format!("f{index}");
            Self { id, severity, code, ledger, told, left_out }
        };
        kinds.map(kind).collect()
    }

    fn number(&self) -> u64 {
        self.left_out.saturating_add(self.told.len() as u64)
    }
}

impl Page<'_> {
    /// What does not hold, what somebody should look into and what is worth knowing, each with the place where it is
    /// told.
    pub(super) fn found(&mut self) {
        let kinds = Kind::all(self.report);
        let (notes, others): (Vec<_>, Vec<_>) =
            kinds.iter().partition(|one| one.severity == Severity::Note);
        if others.is_empty() {
            self.say(
                "Er zijn geen bevindingen en geen waarschuwingen.",
                "There are no findings and no warnings.",
            );
        } else {
            let caption = self.of("Bevindingen en waarschuwingen", "Findings and warnings");
            self.kinds(caption, &others);
        }
        if !notes.is_empty() {
            let caption = self.of("Opmerkingen", "Notes");
            let number: u64 = notes.iter().map(|one| one.number()).sum();
            self.html.fold(&format!("{caption}: {number}"));
            self.kinds(caption, &notes);
            self.html.raw("</div>\n");
        }
    }

    fn kinds(&mut self, caption: &str, kinds: &[&Kind<'_>]) {
        let heads = [
            self.of("Ernst", "Severity"),
            self.of("Code", "Code"),
            self.of("Waar", "Where"),
            self.of("Aantal", "Count"),
            self.of("Uitleg", "Explanation"),
        ];
        let rows = kinds.iter().map(|one| {
            vec![
                Cell::text(severity_in(one.severity, self.lang)),
                Cell::Link { id: one.id.clone(), code: one.code.to_string() },
                Cell::text(self.ledger_of(one.ledger)),
                Cell::Number(one.number()),
                Cell::text(self.lang.of(one.code.in_dutch(), one.code.explanation())),
            ]
        });
        let rows = rows.collect();
        self.html.table(caption, &heads, rows);
    }

    /// The findings that bear on a question.
    pub(super) fn findings_of(&mut self, question: Question) {
        let mut kinds = Kind::all(self.report);
        kinds.retain(|one| Question::of(one.code) == question);
        if kinds.is_empty() {
            return self.say(
                "Hierover is er geen bevinding, geen waarschuwing en geen opmerking.",
                "About this there is no finding, no warning and no note.",
            );
        }
        let title = self.of("Wat hierover is gevonden", "What was found about this");
        self.html.element("h3", title);
        kinds.iter().for_each(|one| self.findings(one));
    }

    /// Every finding of one kind.
    fn findings(&mut self, kind: &Kind<'_>) {
        let Kind { id, code, ledger, told, left_out, .. } = kind;
        let (severity, whose) = (severity_in(kind.severity, self.lang), self.ledger_of(ledger));
        self.html.raw("<h4><code id=\"").text(id).raw("\">").text(code).raw("</code> ");
        self.html.text(format_args!("{severity}, {whose}: {}", kind.number())).raw("</h4>\n");
        self.html.element("p", self.lang.of(code.in_dutch(), code.explanation()));
        let shown = told.get(..AT_ONCE).unwrap_or(told);
        let rest = told.get(shown.len()..).unwrap_or_default();
        if !shown.is_empty() {
            self.one_by_one(&format!("{code}, {ledger}"), shown);
        }
        if !rest.is_empty() {
            let more = rest.len();
            let more = format!("{} {more}{}", self.of("nog", "and"), self.of("", " more"));
            self.html.fold(&more);
            self.one_by_one(&format!("{code}, {ledger}: {more}"), rest);
            self.html.raw("</div>\n");
        }
        if *left_out > 0 {
            let text = self.of(
                "Van dezelfde soort, alleen geteld omdat het er zo veel zijn",
                "Of the same kind, only counted because there are so many",
            );
            self.html.element("p", format_args!("{text}: {left_out}"));
        }
    }

    fn one_by_one(&mut self, caption: &str, findings: &[&Finding]) {
        let place = match findings.first() {
            Some(one) if one.ledger == "register" => self.of("Document", "Document"),
            _ => self.of("Regel", "Entry"),
        };
        let heads = [
            place,
            self.of("Vraag", "Query"),
            self.of("Verwacht", "Expected"),
            self.of("Vastgelegd", "On record"),
        ];
        let or_none = |told: Option<String>| Cell::text(told.as_deref().unwrap_or("–"));
        let rows = findings.iter().map(|one| {
            let whole = self.of("het geheel", "the whole").to_owned();
            let entry = one.entry.map_or(whole, |entry| entry.to_string());
            let [expected, found] = match self.lang {
                Lang::Nl => one.told_in_dutch(),
                Lang::En => one.told_in_english(),
            };
            let query = one.query.map(|query| query.to_string());
            vec![Cell::text(entry), or_none(query), or_none(expected), or_none(found)]
        });
        let rows = rows.collect();
        self.html.table(caption, &heads, rows);
    }
}

/// The word for a severity.
pub(super) const fn severity_in(severity: Severity, lang: Lang) -> &'static str {
    let english = match severity {
        Severity::Finding => "finding",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    lang.of(severity.in_dutch(), english)
}
