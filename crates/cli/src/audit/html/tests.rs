//! The page holds against whoever wrote the evidence, and can be read by everybody.

use std::collections::{BTreeMap, BTreeSet};

use convenant_audit::{
    Answers, AskerReport, Code, Cosigned, Counts, Documents, Entries, FeedbackReport, Finding,
    KeptReport, LedgerKind, LedgerName, LedgerReport, LeftOut, Paper, Place, ProjectReport,
    ReaderReport, RefusalReport, Report, Severity, SourceReport, THRESHOLDS,
};
use convenant_model::{
    Date, KeyId, Oin, QueryId, Timestamp,
    query::{QueryKind, RegisterPosition},
    register::ProjectState,
};
use convenant_signing::sha256;

use super::page;
use crate::lang::Lang;

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\u{202e}";

fn oin() -> Oin {
    Oin::new("00000099000000002000").unwrap()
}

fn entries(number: u64) -> Entries {
    let ledger = LedgerName::new(LedgerKind::Node, oin());
    let place = |entry| Place { ledger: ledger.clone(), entry };
    Entries { number, first: (0..number.min(10)).map(place).collect() }
}

fn finding(code: Code, ledger: &str) -> Finding {
    Finding {
        code,
        severity: code.severity(),
        ledger: ledger.to_owned(),
        entry: Some(7),
        query: Some(QueryId::from_parts(1_777_000_000_000, &[7; 10])),
        expected: Some(HOSTILE.to_owned()),
        found: Some(HOSTILE.to_owned()),
        explanation: code.explanation(),
        uitleg: code.in_dutch(),
    }
}

fn answers() -> Answers {
    let at: Timestamp = "2026-05-01T12:00:00.000Z".parse().unwrap();
    let paper = |documents| Paper {
        number: 1,
        last: Some(at.date().plus_days(3)),
        in_time: false,
        documents: Documents::from_iter(documents),
    };
    Answers {
        until: Some(at),
        by_coordinator: false,
        parties: BTreeMap::from([(oin(), HOSTILE.to_owned())]),
        askers: vec![AskerReport {
            project: "P-1".parse().unwrap(),
            goal: "doel".parse().unwrap(),
            partner: oin(),
            key: KeyId::new("k".repeat(43)).unwrap(),
            function: Some(HOSTILE.to_owned()),
            leader: true,
            permitted: 11,
            first: Some(at),
            last: Some(at),
            entries: entries(12),
        }],
        sources: vec![SourceReport {
            project: "P-1".parse().unwrap(),
            provider: oin(),
            dataset: "uwv/dataset".parse().unwrap(),
            kind: QueryKind::Lookup,
            permitted: entries(3),
            answered: entries(2),
            subjects: 4,
            rows: u64::MAX,
            received: entries(13),
            columns: BTreeSet::from(["veld".parse().unwrap()]),
            entries: entries(3),
        }],
        refusals: vec![RefusalReport {
            code: HOSTILE.to_owned(),
            title: Some(HOSTILE.to_owned()),
            entries: entries(1),
        }],
        kept: vec![KeptReport {
            project: "P-1".parse().unwrap(),
            in_time: entries(1),
            late: entries(0),
            overdue: entries(11),
            waiting: entries(2),
        }],
        projects: vec![ProjectReport {
            project: "P-1".parse().unwrap(),
            title: HOSTILE.to_owned(),
            state: Some(ProjectState::Active),
            decided_on: at.date(),
            decisions: [31].into_iter().collect(),
            first_question: Some(at),
            terms: None,
            measures: paper(21..22),
            dpia: paper(22..24),
            communication: paper(24..26),
            participants: 2,
            feedback: FeedbackReport {
                documents: (100..115).collect(),
                final_reports: [120].into_iter().collect(),
                hits: 8,
                followed_up: 2,
                ..FeedbackReport::default()
            },
            destructions: [90, 91].into_iter().collect(),
            emptied: None,
        }],
        days: BTreeMap::from([(at.date(), 3), (Date::new(2027, 1, 1).unwrap(), u64::MAX)]),
        refused_days: BTreeMap::from([(at.date(), 1)]),
        hours: std::array::from_fn(|hour| hour as u64),
        readers: vec![ReaderReport {
            ledger: LedgerName::new(LedgerKind::Node, oin()),
            reader: oin(),
            pin: sha256(b""),
            from: 5,
            until: 77,
            first: Some(at),
            last: Some(at),
            entries: entries(14),
        }],
        thresholds: THRESHOLDS,
        left_out: 1,
    }
}

fn report() -> Report {
    let mut findings: Vec<_> = Code::ALL.iter().map(|code| finding(*code, HOSTILE)).collect();
    findings.extend((0..60).map(|_| finding(Code::Verdict, "node/1")));
    let cosigned = Cosigned { by: HOSTILE.to_owned(), entries: 1, at: Timestamp::LAST };
    Report {
        register: RegisterPosition { size: 1, root: sha256(b"") },
        ledgers: vec![LedgerReport {
            name: HOSTILE.to_owned(),
            root: sha256(b""),
            covered: Some(7),
            cosigned: vec![cosigned],
            counts: Counts {
                entries: 9,
                decisions: 1,
                permits: 3,
                refusals: 1,
                ..Counts::default()
            },
        }],
        findings,
        left_out: vec![LeftOut {
            code: Code::Verdict,
            severity: Severity::Finding,
            ledger: HOSTILE.to_owned(),
            number: 40,
        }],
        answers: answers(),
    }
}

/// A tag as it stands in the page.
struct Tag<'p> {
    name: &'p str,
    text: &'p str,
}

fn tags(page: &str) -> Vec<Tag<'_>> {
    let tag = |part: &'_ str| part.find('>').map(|end| part.get(..end).unwrap().to_owned());
    assert!(page.split('<').skip(1).all(|part| tag(part).is_some()));
    let parts = page.split('<').skip(1).map(|part| part.split('>').next().unwrap());
    parts
        .map(|text| Tag { name: text.split([' ', '/']).find(|one| !one.is_empty()).unwrap(), text })
        .collect()
}

#[test]
fn no_text_of_the_evidence_becomes_markup() {
    for lang in [Lang::Nl, Lang::En] {
        let page = page(&report(), lang);
        let known = [
            "!doctype",
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "a",
            "main",
            "h1",
            "h2",
            "p",
            "strong",
            "nav",
            "ol",
            "li",
            "section",
            "div",
            "table",
            "caption",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "code",
            "figure",
            "figcaption",
            "svg",
            "rect",
            "text",
            "details",
            "summary",
        ];
        for Tag { name, text } in tags(&page) {
            assert!(known.contains(&name), "{text}");
            assert!(!text.contains("onerror=a") || text.contains("&lt;img"), "{text}");
        }
        assert!(!page.contains("<script") && !page.contains('\u{202e}'));
        // It is all there, though, as text.
        let told = page.matches("&lt;script&gt;alert(1)").count();
        assert!(told > 100, "{told}");
    }
}

#[test]
fn the_page_needs_nothing_else_and_lets_nothing_run() {
    let page = page(&report(), Lang::Nl);
    assert!(
        page.contains(
            "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
        )
    );
    for Tag { text, .. } in tags(&page) {
        for attribute in [" style=", " src=\"", " onload", " onclick", "http:", "https:"] {
            assert!(!text.contains(attribute), "{text}");
        }
        assert!(!text.contains("href=") || text.contains("href=\"#"), "{text}");
    }
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        sha256(style.as_bytes()).as_bytes(),
    );
    assert!(page.contains(&format!("'sha256-{hash}'")) && !style.contains("url("));
}

#[test]
fn everybody_can_read_it() {
    for (lang, code) in [(Lang::Nl, "nl"), (Lang::En, "en")] {
        let page = page(&report(), lang);
        assert!(page.starts_with(&format!("<!doctype html>\n<html lang=\"{code}\">")));
        let number =
            |name: &str| tags(&page).iter().filter(|one| one.text.starts_with(name)).count();
        assert_eq!((number("h1"), number("h2"), number("main")), (1, 11, 1));
        assert_eq!(number("table"), number("caption"));
        assert_eq!(
            number("svg"),
            tags(&page).iter().filter(|one| one.text.contains("role=\"img\"")).count()
        );
        for Tag { name, text } in tags(&page) {
            assert!(name != "th" || text.starts_with('/') || text.contains("scope="), "{text}");
        }
        // Every tag that opens is closed, in its order.
        let mut open = Vec::new();
        for Tag { name, text } in tags(&page) {
            if text.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !text.ends_with('/') && !["!doctype", "meta"].contains(&name) {
                open.push(name);
            }
        }
        assert!(open.is_empty());
    }
}

#[test]
fn each_question_has_its_answer_with_the_entries_behind_it() {
    let page = page(&report(), Lang::Nl);
    for number in 1..=11 {
        assert!(page.contains(&format!("<section id=\"q{number}\">")));
        assert!(page.contains(&format!("<a href=\"#q{number}\">")));
    }
    assert!(page.contains("node/00000099000000002000: 0 1 2 3 4 5 6 7 8 9 en nog 2"));
    assert!(page.contains("Wie las welk logboek over het netwerk"));
    assert!(page.contains("NIET op tijd"));
    // Eleven of the sixty that are listed in the section, and forty that nobody listed.
    assert!(page.contains("Niet getoond: "));
    let english = super::page(&report(), Lang::En);
    assert!(english.contains("and 2 more") && english.contains("The evidence does NOT hold."));
}

/// The part of the page that answers one question.
fn section(page: &str, number: u32) -> &str {
    let (_, after) = page.split_once(&format!("<section id=\"q{number}\">")).unwrap();
    after.split("</section>").next().unwrap()
}

#[test]
fn figures_lead_to_entries_and_documents() {
    let page = page(&report(), Lang::Nl);
    let node = "node/00000099000000002000:";
    for (number, behind) in [
        (4, format!("<td class=\"n\">3</td><td>{node} 0 1 2</td>")),
        (5, format!("<td>{node} 0 1 2 3 4 5 6 7 8 9 en nog 3</td>")),
        (7, "(register: 31)".to_owned()),
        (7, "NIET op tijd (register: 21)".to_owned()),
        (7, "(register: 22 23)".to_owned()),
        (7, "(register: 24 25)".to_owned()),
        (8, format!("<td>1 ({node} 0)</td><td class=\"n\">0</td>")),
        (8, "<td>register: 90 91</td>".to_owned()),
        (9, "<td>register: 100 101 102 103 104 105 106 107 108 109 en nog 5</td>".to_owned()),
        (9, "<td>register: 120</td>".to_owned()),
        (11, format!("regel 5 tot 77</td><td>{node} 0 1 2 3 4 5 6 7 8 9 en nog 4")),
    ] {
        assert!(section(&page, number).contains(&behind), "{number}: {behind}");
    }
}

#[test]
fn a_chart_stands_where_there_is_something_to_draw() {
    let page = page(&report(), Lang::Nl);
    let charts = |page: &str| -> Vec<usize> {
        (1..=11).map(|number| section(page, number).matches("<svg ").count()).collect()
    };
    assert_eq!(charts(&page), [1, 1, 1, 0, 1, 2, 1, 1, 1, 1, 0]);
    assert!(page.split("<nav").next().unwrap().contains("<svg "), "findings by severity");
    // Seven of nine entries are covered; six of eight hits were not followed up.
    for (number, drawn) in [
        (6, "width=\"312\" height=\"18\"/><rect class=\"mark\" x=\"572\" y=\"3\" width=\"88\""),
        (9, "width=\"100\" height=\"18\"/><rect class=\"mark\" x=\"360\" y=\"3\" width=\"300\""),
    ] {
        assert!(section(&page, number).contains(drawn), "{number}");
    }
    // What is drawn stands in a table beside it.
    assert!(section(&page, 6).contains("<td class=\"n\">9</td><td class=\"n\">2</td>"));

    let mut empty = report();
    (empty.ledgers, empty.findings, empty.left_out) = (Vec::new(), Vec::new(), Vec::new());
    empty.answers = Answers {
        sources: Vec::new(),
        refusals: Vec::new(),
        kept: Vec::new(),
        projects: Vec::new(),
        readers: Vec::new(),
        days: BTreeMap::new(),
        hours: [0; 24],
        ..empty.answers
    };
    let page = super::page(&empty, Lang::Nl);
    assert_eq!(charts(&page), [0; 11]);
    assert!(!page.contains("<svg"));
    assert!(section(&page, 11).contains("niemand"));
}

/// Relative luminance (WCAG 2.1).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let wide = if colour.len() == 3 {
            colour[at..=at].repeat(2)
        } else {
            colour[2 * at..2 * at + 2].to_owned()
        };
        let value = f64::from(u8::from_str_radix(&wide, 16).unwrap()) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

#[test]
fn contrast_is_enough() {
    let style = super::style::STYLE;
    let colours = style
        .split('#')
        .skip(1)
        .map(|part| part.chars().take_while(char::is_ascii_hexdigit).collect::<String>());
    for colour in colours.filter(|one| one != "fff") {
        let contrast = 1.05 / (luminance(&colour) + 0.05);
        assert!(contrast >= 4.5, "#{colour}: {contrast}");
    }
}
