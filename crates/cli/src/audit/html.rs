//! A report as one page of HTML that needs nothing else: no script, no network, and nothing of it can be made to
//! run, because the page itself says that nothing may.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convenant_audit::{Finding, LeftOut, Question, Report, Severity};

use crate::lang::Lang;

mod activity;
mod behind;
mod chart;
mod evidence;
mod given;
mod markup;
mod project;
mod style;
#[cfg(test)]
mod tests;

use self::{
    chart::{Bar, Chart},
    markup::{Cell, Html},
    style::STYLE,
};

/// How many findings one section lists.
const LISTED: usize = 50;

/// The page.
pub(super) fn page(report: &Report, lang: Lang) -> String {
    let mut page = Page { html: Html::default(), report, lang };
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
        let skip = self.of("Naar de inhoud", "To the content");
        self.html.raw("<a class=\"skip\" href=\"#main\">").raw(skip).raw("</a>\n");
        self.html.raw("<main id=\"main\">\n").element("h1", title);
    }

    fn summary(&mut self) {
        let (report, holds) = (self.report, self.report.holds());
        self.html.raw(if holds {
            "<p class=\"verdict holds\"><strong>"
        } else {
            "<p class=\"verdict fails\"><strong>"
        });
        let verdict = if holds {
            self.of("Het bewijs klopt.", "The evidence holds.")
        } else {
            self.of("Het bewijs klopt NIET.", "The evidence does NOT hold.")
        };
        self.html.raw(verdict).raw("</strong></p>\n");
        let severities = [Severity::Finding, Severity::Warning, Severity::Note];
        let numbers = severities.map(|severity| {
            vec![
                Cell::text(severity_in(severity, self.lang)),
                Cell::Number(report.number(severity)),
            ]
        });
        let heads = [self.of("Ernst", "Severity"), self.of("Aantal", "Number")];
        self.html.table(self.of("Samenvatting", "Summary"), &heads, numbers.into());
        let bars = severities.map(|severity| {
            let value = report.number(severity);
            let marked = if severity == Severity::Finding { value } else { 0 };
            Bar { label: severity_in(severity, self.lang).to_owned(), value, marked }
        });
        let title = self.of(
            "Wat is gevonden, naar ernst; bruin is wat niet klopt",
            "What was found, by severity; brown is what does not hold",
        );
        self.lying(&Chart { title, heads, marked: None }, &bars);
        let first: Vec<_> = report.first_of_each().collect();
        if !first.is_empty() {
            let caption = self.of(
                "De eerste van elke soort die niet klopt",
                "The first of each kind that does not hold",
            );
            self.findings(caption, &first);
        }
        if report.answers.left_out > 0 {
            self.say(
                "Niet alles heeft in dit verslag een eigen rij, omdat het er te veel zijn.",
                "Not everything has a row of its own in this report, because there is too much.",
            );
        }
        self.contents();
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
        let bears = |one: &&Finding| Question::of(one.code) == question;
        let these: Vec<_> = self.report.findings.iter().filter(bears).collect();
        if these.is_empty() {
            return;
        }
        let more = these.len().saturating_sub(LISTED) as u64;
        let left = self.report.left_out.iter().filter(|one| Question::of(one.code) == question);
        let more = more + left.map(|one: &LeftOut| one.number).sum::<u64>();
        let listed = these.get(..LISTED).unwrap_or(&these);
        self.findings(self.of("Wat hierover is gevonden", "What was found about this"), listed);
        if more > 0 {
            let text = self.of("Niet getoond", "Not shown");
            self.html.element("p", format_args!("{text}: {more}"));
        }
    }

    fn findings(&mut self, caption: &'static str, findings: &[&Finding]) {
        let heads = [
            self.of("Code", "Code"),
            self.of("Ernst", "Severity"),
            self.of("Waar", "Where"),
            self.of("Uitleg", "Explanation"),
        ];
        let rows = findings.iter().map(|one| self.finding(one)).collect();
        self.html.table(caption, &heads, rows);
    }

    fn finding(&self, finding: &Finding) -> Vec<Cell> {
        let mut place = finding.ledger.clone();
        if let Some(entry) = finding.entry {
            place.push_str(&format!(", {} {entry}", self.of("regel", "entry")));
        }
        if let Some(query) = finding.query {
            place.push_str(&format!(", {} {query}", self.of("vraag", "query")));
        }
        let mut text = self.lang.of(finding.uitleg, finding.explanation).to_owned();
        let told = [
            (self.of("Verwacht", "Expected"), &finding.expected),
            (self.of("Vastgelegd", "On record"), &finding.found),
        ];
        for (label, value) in told {
            if let Some(value) = value {
                text.push_str(&format!(" {label}: {value}."));
            }
        }
        let severity = Cell::text(severity_in(finding.severity, self.lang));
        vec![Cell::code(finding.code), severity, Cell::text(place), Cell::text(text)]
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
