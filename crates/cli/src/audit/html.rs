//! A report as one page of HTML that needs nothing else: no script, no network, and nothing of it can be made to
//! run, because the page itself says that nothing may.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convenant_audit::{Question, Report};

use crate::lang::Lang;

mod activity;
mod behind;
mod chart;
mod counted;
mod evidence;
mod findings;
mod given;
mod head;
mod markup;
mod project;
mod style;
#[cfg(test)]
mod tests;
mod validity;
mod words;

use self::{markup::Html, style::STYLE};

/// The page.
pub(super) fn page(report: &Report, lang: Lang) -> String {
    let mut page = Page { html: Html::default(), report, lang };
    page.head();
    page.summary();
    for (number, question) in (1..).zip(Question::ALL) {
        page.section(number, *question);
    }
    page.footer();
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
        if question.counts_by_coordinator() {
            self.counted_by();
        }
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
}

const fn asked(question: Question, lang: Lang) -> &'static str {
    lang.of(question.in_dutch(), question.in_english())
}
