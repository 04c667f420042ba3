//! A report as one page of HTML that needs nothing else: no script, no network, and nothing of it can be made to
//! run, because the page itself says that nothing may.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convenant_audit::{Finding, Question, Report, Severity};

use crate::lang::Lang;

mod activity;
mod behind;
mod chart;
mod evidence;
mod given;
mod head;
mod markup;
mod project;
mod style;
#[cfg(test)]
mod tests;
mod words;

use self::{
    head::{listed, target},
    markup::{Cell, Html},
    style::STYLE,
};

/// How many findings one section lists.
const LISTED: usize = 50;

/// The page.
pub(super) fn page(report: &Report, lang: Lang) -> String {
    let mut page = Page { html: Html::default(), report, lang };
    page.footer();
    page.head();
    page.summary();
    for (number, question) in (1..).zip(Question::ALL) {
        page.section(number, *question);
    }
    page.html.raw("</main>\n</body></html>\n");
    page.html.into_string()
}

/// A page under way.
struct Page<'a> {
    html: Html,
    report: &'a Report,
    lang: Lang,
}

impl Page<'_> {
    /// One of two texts.
    const fn of(&self, dutch: &'static str, english: &'static str) -> &'static str {
        self.lang.of(dutch, english)
    }

    fn say(&mut self, dutch: &'static str, english: &'static str) {
        self.html.element("p", self.lang.of(dutch, english));
    }

    /// Says what the evidence cannot tell.
    fn cannot(&mut self, dutch: &'static str, english: &'static str) {
        self.html.raw("<p class=\"cannot\">").text(self.lang.of(dutch, english)).raw("</p>\n");
    }

    fn head(&mut self) {
        let title = self.of("Verslag van de controle", "Report of the audit");
        let hash = STANDARD.encode(convenant_signing::sha256(STYLE.as_bytes()).as_bytes());
        let lang = self.of("nl", "en");
        self.html.raw("<!doctype html>\n<html lang=\"").raw(lang);
        self.html.raw("\"><head><meta charset=\"utf-8\">\n");
        self.html
            .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        self.html.raw("base-uri 'none'; form-action 'none'; style-src 'sha256-");
        self.html.text(hash).raw("'\">\n");
        self.html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.html
            .element("title", title)
            .raw("<style>")
            .raw(STYLE)
            .raw("</style></head>\n<body>\n");
    /// Where a reader finds more.
    fn footer(&mut self) {
        self.html.raw("<footer>");
        self.say(
            "Wat elke code betekent, welke onschuldige verklaring er kan zijn en wat u daarna doet staat in \
             docs/codes.md bij de software, in het Engels met deze Nederlandse teksten; hoe dit verslag is \
             gemaakt staat in docs/audit.md.",
            "What each code means, which innocent cause it may have and what to do next stands in \
             docs/codes.md of the software; how this report is made stands in docs/audit.md.",
        );
        self.html.raw("</footer>\n");
    }

        let skip = self.of("Naar de inhoud", "To the content");
        self.html.raw("<a class=\"skip\" href=\"#main\">").raw(skip).raw("</a>\n");
        self.html.raw("<main id=\"main\">\n").element("h1", title);
    }

    fn contents(&mut self) {
        let label = self.of("Vragen", "Questions");
        self.html.raw("<nav aria-label=\"").raw(label).raw("\"><ol>\n");
        for (number, question) in (1..).zip(Question::ALL) {
            self.html.raw("<li><a href=\"#q").text(number).raw("\">");
            self.html.raw(asked(*question, self.lang)).raw("</a></li>\n");
        }
        self.html.raw("</ol></nav>\n");
    }

    fn section(&mut self, number: u32, question: Question) {
        self.html.raw("<section id=\"q").text(number).raw("\"><h2>").text(number).raw(". ");
        self.html.raw(asked(question, self.lang)).raw("</h2>\n");
        match question {
            Question::Asked => self.who_asked(),
            Question::Lawful => self.was_lawful(),
            Question::Refused => self.why_refused(),
            Question::Fields => self.which_fields(),
            Question::People => self.how_many(),
            Question::Log => self.is_whole(),
            Question::Prepared => self.was_prepared(),
            Question::Destroyed => self.was_destroyed(),
            Question::Hits => self.what_became(),
            Question::Unusual => self.was_unusual(),
            Question::Readers => self.who_read(),
        }
        self.findings_of(question);
        self.html.raw("</section>\n");
    }

    /// The findings that bear on a question.
    fn findings_of(&mut self, question: Question) {
        let all = self.report.findings.iter().enumerate();
        let these: Vec<_> = all.filter(|(_, one)| Question::of(one.code) == question).collect();
        if these.is_empty() {
            return;
        }
        let listed = listed(&these, LISTED);
        let heads = [
            self.of("Code", "Code"),
            self.of("Ernst", "Severity"),
            self.of("Waar", "Where"),
            self.of("Uitleg", "Explanation"),
        ];
        let rows = listed.iter().map(|(index, one)| self.finding(*index, one)).collect();
        let caption = self.of("Wat hierover is gevonden", "What was found about this");
        self.html.table(caption, &heads, rows);
        let more = (these.len() - listed.len()) as u64;
        if more > 0 {
            let text = self.of(
                "Niet getoond, maar wel in het verslag als JSON (--report VERSLAG.json)",
                "Not shown, but in the report as JSON (--report REPORT.json)",
            );
            self.html.element("p", format_args!("{text}: {more}"));
        }
        let left = self.report.left_out.iter().filter(|one| Question::of(one.code) == question);
        let left: u64 = left.map(|one| one.number).sum();
        if left > 0 {
            let text = self.of(
                "Van dezelfde soort, alleen geteld omdat het er zo veel zijn",
                "Of the same kinds, only counted because there are so many",
            );
            self.html.element("p", format_args!("{text}: {left}"));
        }
    }

    fn finding(&self, index: usize, finding: &Finding) -> Vec<Cell> {
        let mut place = finding.ledger.clone();
        if let Some(entry) = finding.entry {
            place.push_str(&format!(", {} {entry}", self.of("regel", "entry")));
        }
        if let Some(query) = finding.query {
            place.push_str(&format!(", {} {query}", self.of("vraag", "query")));
        }
        let mut text = self.lang.of(finding.uitleg, finding.explanation).to_owned();
        let [expected, found] = match self.lang {
            Lang::Nl => finding.told_in_dutch(),
            Lang::En => finding.told_in_english(),
        };
        let told = [
            (self.of("Verwacht", "Expected"), expected),
            (self.of("Vastgelegd", "On record"), found),
        ];
        for (label, value) in told {
            if let Some(value) = value {
                text.push_str(&format!(" {label}: {value}."));
            }
        }
        let severity = Cell::text(severity_in(finding.severity, self.lang));
        let code = Cell::Target { id: target(index), code: finding.code.to_string() };
        vec![code, severity, Cell::text(place), Cell::text(text)]
    }
}

const fn asked(question: Question, lang: Lang) -> &'static str {
    lang.of(question.in_dutch(), question.in_english())
}

const fn severity_in(severity: Severity, lang: Lang) -> &'static str {
    let english = match severity {
        Severity::Finding => "finding",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    lang.of(severity.in_dutch(), english)
}
