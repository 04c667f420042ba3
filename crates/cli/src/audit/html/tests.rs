//! The page holds against whoever wrote the evidence, and can be read by everybody.

use std::collections::{BTreeMap, BTreeSet};

use convenant_audit::{
    Answers, AskerReport, Basis, Code, CoordinatorRead, Cosigned, Counts, Documents, Entries,
    FeedbackReport, Finding, KeptReport, LedgerKind, LedgerName, LedgerReport, LeftOut,
    MandateReport, Paper, Place, ProjectReport, ReaderReport, RefusalReport, RejectedReport,
    Report, Severity, SourceReport, THRESHOLDS,
};
use convenant_model::{
    Date, KeyId, Oin, Problem, QueryId, Timestamp,
    query::{QueryKind, RegisterPosition},
    register::{ProjectState, Terms},
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
    Entries { number, first: (0..number.min(1000)).map(place).collect() }
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
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
        coordinator: None,
        parties: BTreeMap::from([(oin(), HOSTILE.to_owned())]),
        askers: vec![AskerReport {
            project: "P-1".parse().unwrap(),
            goal: "doel".parse().unwrap(),
            partner: oin(),
            key: KeyId::new("k".repeat(43)).unwrap(),
            function: Some(HOSTILE.to_owned()),
            leader: true,
            mandates: vec![MandateReport {
                valid_from: date("2026-02-01"),
                valid_until: date("2026-04-30"),
                document: Some(41),
            }],
            revoked: None,
            permitted: 11,
            first: Some(at),
            last: Some(at),
            entries: entries(12),
            outside: entries(2),
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
            answered_subjects: 3,
            answered_rows: 6,
            columns: BTreeSet::from(["veld".parse().unwrap(), "sleutel".parse().unwrap()]),
            asked_fields: BTreeSet::from(["veld".parse().unwrap()]),
            entries: entries(3),
        }],
        refusals: vec![RefusalReport {
            code: HOSTILE.to_owned(),
            title: Some(HOSTILE.to_owned()),
            entries: entries(1),
        }],
        rejected: [(Problem::Replayed, 1), (Problem::Refused, 12)]
            .map(|(problem, number)| RejectedReport {
                problem,
                peer: oin(),
                entries: entries(number),
            })
            .into(),
        kept: vec![KeptReport {
            project: "P-1".parse().unwrap(),
            in_time: entries(1),
            late: entries(0),
            overdue: entries(11),
            waiting: entries(2),
            numbers: entries(3),
        }],
        projects: vec![ProjectReport {
            project: "P-1".parse().unwrap(),
            title: HOSTILE.to_owned(),
            state: Some(ProjectState::Active),
            decided_on: at.date(),
            decisions: [31].into_iter().collect(),
            first_question: Some(at),
            terms: Some(Terms {
                first: date("2026-02-01"),
                last: date("2026-12-31"),
                longest: date("2028-01-31"),
                feedback: date("2027-09-30"),
                destruction: date("2028-01-31"),
            }),
            last_days: None,
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
        basis: Basis {
            software: "convenant 9.9.9".to_owned(),
            engine: Some(HOSTILE.to_owned()),
            lsi_keys: vec![KeyId::new("l".repeat(43)).unwrap()],
            quorum: 2,
            register_key: KeyId::new("r".repeat(43)).unwrap(),
            first: Some("2026-04-01T08:00:00.000Z".parse().unwrap()),
            last: Some("2026-05-02T08:00:00.000Z".parse().unwrap()),
        },
        register: RegisterPosition { size: 1, root: sha256(b"") },
        ledgers: vec![LedgerReport {
            name: HOSTILE.to_owned(),
            root: sha256(b""),
            whole: true,
            signed: Some(7),
            covered: Some(7),
            cosigned: vec![cosigned],
            stamped: vec![1, 8],
            first: Some("2026-04-01T08:00:00.000Z".parse().unwrap()),
            last: Some("2026-05-02T08:00:00.000Z".parse().unwrap()),
            counts: Counts {
                entries: 9,
                decisions: 5,
                decisions_permitting: 2,
                decisions_refusing: 3,
                made_again: 4,
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
            "h3",
            "h4",
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
            "footer",
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
        (3, format!("<td class=\"n\">1</td><td>{node} 0</td>")),
        (3, format!("<td class=\"n\">12</td><td>{node} 0 1 2 3 4 5 6 7 8 9 en nog 2<details>")),
        (4, format!("<td class=\"n\">3</td><td>{node} 0 1 2</td>")),
        (5, format!("<td>{node} 0 1 2 3 4 5 6 7 8 9 en nog 3<details>")),
        (7, "(register: 31)".to_owned()),
        (7, "NIET op tijd (register: 21)".to_owned()),
        (7, "(register: 22 23)".to_owned()),
        (7, "(register: 24 25)".to_owned()),
        (8, format!("<td>1 ({node} 0)</td><td class=\"n\">0</td>")),
        (8, "<td>register: 90 91</td>".to_owned()),
        (9, "<td>register: 100 101 102 103 104 105 106 107 108 109 en nog 5<details>".to_owned()),
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
        (6, "width=\"498\" height=\"18\"/><rect class=\"mark\" x=\"498\" y=\"21\" width=\"142\""),
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
        rejected: Vec::new(),
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

#[test]
fn the_head_says_what_the_report_rests_on_and_what_was_examined() {
    for (lang, said) in [
        (
            Lang::Nl,
            [
                "<th scope=\"row\">Programma</th><td>convenant 9.9.9</td>",
                "laatste regel</th><td>2026-04-01T08:00:00.000Z – 2026-05-02T08:00:00.000Z</td>",
                "Termijnen zijn geteld tot</th><td>2026-05-01T12:00:00.000Z</td>",
                "(benodigde handtekeningen: 2)",
                "1 regel; 8 regels",
                "1 regel, &quot;&#39;&gt;",
                "tellen vanaf 0",
            ],
        ),
        (
            Lang::En,
            [
                "<th scope=\"row\">Software</th><td>convenant 9.9.9</td>",
                "to the last</th><td>2026-04-01T08:00:00.000Z – 2026-05-02T08:00:00.000Z</td>",
                "Terms are counted up to</th><td>2026-05-01T12:00:00.000Z</td>",
                "(signatures needed: 2)",
                "1 entry; 8 entries",
                "1 entry, &quot;&#39;&gt;",
                "numbered from 0",
            ],
        ),
    ] {
        let page = page(&report(), lang);
        let head = page.split("<nav").next().unwrap();
        for said in said {
            assert!(head.contains(said), "{said}");
        }
        let root = format!("<td><code>{}</code></td>", sha256(b""));
        assert_eq!(head.matches(&root).count(), 2, "of the register and of the ledger");
        for key in ["l", "r"] {
            assert!(head.contains(&key.repeat(43)), "{key}");
        }
    }
}

#[test]
fn every_kind_of_finding_is_listed_on_top_with_a_link_to_where_all_of_it_is_told() {
    let page = page(&report(), Lang::Nl);
    let (head, body) = page.split_once("<nav").unwrap();
    let (faults, notes) = head.split_once("<details><summary>Opmerkingen: ").unwrap();
    for code in Code::ALL {
        // Notes are behind a fold.
        let among = if code.severity() == Severity::Note { notes } else { faults };
        let link =
            among.split("<a href=\"#").find(|part| part.contains(&format!("<code>{code}</code>")));
        let target = link.unwrap().split('"').next().unwrap();
        let told = format!("<code id=\"{target}\">{code}</code>");
        assert_eq!(body.matches(&told).count(), 1, "{code}");
        assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
    // Two ledgers: what nobody lists one by one counts too, and the section says so.
    let number = |told: &str| head.contains(&format!("{told}</td>"));
    assert!(number("node/1</td><td class=\"n\">60") && number("<td class=\"n\">41"));
    let lawful = section(&page, 2);
    assert!(lawful.contains("omdat het er zo veel zijn: 40</p>"));
    // All of them are there: ten at once, and the others behind a fold.
    let told = lawful.split_once("bevinding, node/1: 60</h4>").unwrap().1;
    let told = told.split("<h4>").next().unwrap();
    let (shown, folded) = told.split_once("<details><summary>nog 50</summary></details>").unwrap();
    let rows = |table: &str| table.matches("<th scope=\"row\">7</th>").count();
    assert_eq!((rows(shown), rows(folded)), (10, 50));

    let mut notes = report();
    notes.findings.retain(|one| one.severity == Severity::Note);
    notes.left_out.clear();
    let of = |report: &Report| super::page(report, Lang::Nl);
    let page = of(&notes);
    let head = page.split("<nav").next().unwrap();
    assert!(head.contains("Er zijn geen bevindingen en geen waarschuwingen."));
    assert!(head.contains(&format!("<summary>Opmerkingen: {}<", notes.findings.len())));
    let mut clean = notes;
    clean.findings.clear();
    assert!(!of(&clean).contains("Opmerkingen: "));
}

#[test]
fn what_let_somebody_ask_is_told_with_its_days() {
    let mut report = report();
    let of = |report: &Report, lang, number| section(&page(report, lang), number).to_owned();
    let asked = of(&report, Lang::Nl, 1);
    let mandate = "; van 2026-02-01 tot en met 2026-04-30, verlopen op 2026-04-30 (register: 41)<";
    let project = "<td>van 2026-02-01 tot en met 2026-12-31, geldig; ACTIEF</td>";
    assert!(asked.contains(mandate) && asked.contains(project), "{asked}");
    // Questions after that, with the entries behind them.
    assert!(asked.contains("<td>2 (node/00000099000000002000: 0 1)</td>"));
    assert!(asked.contains("waarop de logboeken eindigen: 2026-05-01."));
    assert!(of(&report, Lang::Nl, 7).contains(project));
    let english = of(&report, Lang::En, 1);
    assert!(
        english.contains("up to and including 2026-04-30, expired on 2026-04-30 (register: 41)")
    );

    // On its last day it still holds.
    report.answers.until = Some("2026-04-30T12:00:00.000Z".parse().unwrap());
    assert!(of(&report, Lang::Nl, 1).contains("tot en met 2026-04-30, geldig (register: 41)"));
    report.answers.until = Some("2026-01-31T12:00:00.000Z".parse().unwrap());
    report.answers.askers[0].revoked = report.answers.until;
    let early = of(&report, Lang::Nl, 1);
    assert!(early.contains("tot en met 2026-04-30, nog niet ingegaan (register: 41)"));
    assert!(early.contains(", ingetrokken per 2026-01-31T12:00:00.000Z;"));

    report.answers.projects[0].terms = None;
    assert!(of(&report, Lang::Nl, 7).contains("<td>geen goedkeuring in het register</td>"));
}

#[test]
fn an_entry_that_counts_twice_is_named_once() {
    let mut report = report();
    let node = LedgerName::new(LedgerKind::Node, oin());
    let first = [5, 5, 5, 4, 5].map(|entry| Place { ledger: node.clone(), entry });
    report.answers.kept[0].overdue = Entries { number: 5, first: first.into() };
    let kept = section(&page(&report, Lang::Nl), 8).to_owned();
    assert!(kept.contains(&format!("<td>5 ({node}: 5 (3×) 4 5)</td>")), "{kept}");
    assert!(kept.contains("op volgorde van de laatste dag waarop het bewaard mocht worden"));
    // Eleven entries, each of two answers: ten stand there at once.
    let twice = entries(11).first.into_iter().flat_map(|place| [place.clone(), place]);
    report.answers.kept[0].overdue = Entries { number: 30, first: twice.collect() };
    let kept = section(&page(&report, Lang::Nl), 8).to_owned();
    assert!(kept.contains(" 8 (2×) 9 (2×) en nog 10)<details><summary>de eerste 22<"), "{kept}");
    assert!(kept.contains(" 9 (2×) 10 (2×)</div>"));
}

/// A figure that is too low says so, wherever it stands.
#[test]
fn every_question_says_how_much_of_the_coordinators_ledger_was_read() {
    let mut report = report();
    let read = |read, signed, whole| CoordinatorRead {
        ledger: LedgerName::new(LedgerKind::Coordinator, oin()),
        read,
        signed,
        whole,
    };
    for (coordinator, dutch, english) in [
        (None, "van de coördinator ontbreekt. Wat hier", "ledger is missing. What stands"),
        (
            Some(read(0, Some(37), false)),
            "van 37 ondertekende regels zijn er 0 gelezen. Wat hier staat komt uit de andere",
            "was read: 0 of 37 signed entries. What stands here is from the other",
        ),
        (Some(read(0, None, false)), "is niets gelezen. Wat hier", "ledger was read. What"),
        (
            Some(read(2, Some(37), false)),
            "van 37 ondertekende regels zijn er 2 gelezen; deze cijfers zijn dus te laag.",
            "2 of 37 signed entries were read; so these figures are too low.",
        ),
        (
            Some(read(2, None, false)),
            "Daarvan gelezen: 2 regels; hoeveel er horen te zijn staat niet vast",
            "Read of it: 2 entries; how many there should be is not certain",
        ),
    ] {
        report.answers.by_coordinator = coordinator.as_ref().is_some_and(|one| one.read > 0);
        report.answers.coordinator = coordinator;
        for (lang, said) in [(Lang::Nl, dutch), (Lang::En, english)] {
            let page = page(&report, lang);
            let told = (1..=11).filter(|number| section(&page, *number).contains(said));
            // What became of hits stands in the register.
            assert_eq!(told.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 10, 11], "{said}");
        }
    }
    report.answers.coordinator = Some(read(37, Some(37), true));
    for (lang, said) in [(Lang::Nl, "van de coördinator"), (Lang::En, "coordinator&#39;s ledger")]
    {
        assert!(!section(&page(&report, lang), 1).contains(said), "{said}");
    }
}

/// A node may refuse what the coordinator permitted; and of a question on which nothing was found the page says so.
#[test]
fn a_reader_is_left_no_guess() {
    let mut report = report();
    report.findings.retain(|one| one.code == Code::Verdict);
    let nothing = "geen bevinding, geen waarschuwing en geen opmerking";
    let permitted = "Elk knooppunt besluit daarna zelf";
    for by_coordinator in [false, true] {
        report.answers.by_coordinator = by_coordinator;
        let page = page(&report, Lang::Nl);
        for number in 1..=11 {
            let section = section(&page, number);
            assert_eq!(section.contains(nothing), number != 2, "{number}");
            let counted = by_coordinator && [1, 4, 5].contains(&number);
            assert_eq!(section.contains(permitted), counted, "{number}");
        }
    }
}

/// A root over a part is no ledger's, and a signature that holds is told of although entries are missing.
#[test]
fn a_ledger_that_was_read_in_part_shows_no_root() {
    let mut report = report();
    let ledger = &mut report.ledgers[0];
    ledger.root = sha256(b"part");
    (ledger.whole, ledger.signed, ledger.covered, ledger.counts.entries) =
        (false, Some(37), None, 2);
    let part = sha256(b"part").to_string();
    for (lang, much, signed) in [
        (Lang::Nl, "2 van 37 ondertekende regels gelezen", "de handtekening klopt, over 37 regels"),
        (Lang::En, "2 of 37 signed entries read", "the signature holds, over 37 entries"),
    ] {
        let page = page(&report, lang);
        assert!(!page.contains(&part), "{lang:?}");
        assert_eq!(page.matches(much).count(), 2, "in the head and under the log: {lang:?}");
        assert!(section(&page, 6).contains(signed), "{lang:?}");
    }
    // All that its party signed is drawn, as not covered.
    let table = "<td class=\"n\">37</td><td class=\"n\">37</td>";
    assert!(section(&page(&report, Lang::Nl), 6).contains(table));
    report.ledgers[0].whole = true;
    let page = page(&report, Lang::Nl);
    assert_eq!(page.matches(&part).count(), 2);
    assert!(section(&page, 6).contains("klopt en dekt deze niet: 37 ondertekende regels"));
}

/// An answer that came counts, also where the permit for it cannot be read, or never was.
#[test]
fn an_answer_without_a_permit_is_among_the_people() {
    let mut report = report();
    report.answers.sources[0].permitted = entries(0);
    let page = page(&report, Lang::Nl);
    let source = "<td><code>uwv/dataset</code></td>";
    assert!(section(&page, 5).contains(source) && !section(&page, 4).contains(source));
}

/// What was not handed over nobody can vouch for, and whoever reads only the first line is told so.
#[test]
fn the_verdict_says_where_a_ledger_is_missing() {
    let mut report = report();
    report.left_out.clear();
    let mut verdict = |codes: &Vec<Code>, lang| {
        report.findings = codes.iter().map(|code| finding(*code, "node/1")).collect();
        let page = page(&report, lang);
        let verdict = page.split_once("<strong>").unwrap().1.split("</strong>").next().unwrap();
        (verdict.to_owned(), page.contains("class=\"verdict holds\""))
    };
    for (codes, dutch, english, holds) in [
        (vec![], "Het bewijs klopt.", "The evidence holds.", true),
        (
            vec![Code::LedgerMissing],
            "Het overgelegde bewijs klopt; niet alles is overgelegd.",
            "The evidence handed over holds; not all of it was handed over.",
            true,
        ),
        (
            vec![Code::LedgerMissing, Code::Verdict],
            "Het bewijs klopt NIET.",
            "The evidence does NOT hold.",
            false,
        ),
    ] {
        assert_eq!(verdict(&codes, Lang::Nl), (dutch.to_owned(), holds));
        assert_eq!(verdict(&codes, Lang::En), (english.to_owned(), holds));
    }
}

/// Messages that nobody decided on have their reasons too, also where nothing was refused.
#[test]
fn messages_that_were_not_taken_are_told_by_reason() {
    let mut report = report();
    report.answers.refusals.clear();
    for (lang, said) in [
        (
            Lang::Nl,
            ["Er is niets geweigerd.", "een vraag met dit nummer was al ontvangen", "noemen"],
        ),
        (Lang::En, ["Nothing was refused.", "A query with this id was received before.", "name a"]),
    ] {
        let refused = section(&page(&report, lang), 3).to_owned();
        let codes = ["<code>HERHAALDE_VRAAG</code>", "<code>GEWEIGERD</code>"];
        for said in said.iter().chain(&codes) {
            assert!(refused.contains(said), "{said} in {refused}");
        }
    }
    report.answers.rejected.clear();
    assert!(!section(&page(&report, Lang::Nl), 3).contains("Niet aangenomen"));
}

#[test]
fn what_is_left_out_of_a_label_can_be_read() {
    let mut report = report();
    report.answers.parties = BTreeMap::from([(oin(), "Uitvoeringsorganisatie ".repeat(5))]);
    let people = section(&page(&report, Lang::Nl), 5).to_owned();
    for what in ["gevraagd", "rijen"] {
        let label = format!("({}): {what}</text>", oin());
        let (before, _) = people.split_once(&label).unwrap();
        let (whole, shown) =
            before.rsplit_once("<title>").unwrap().1.split_once("</title>").unwrap();
        assert!(whole.ends_with(&format!("({}): {what}", oin())), "{whole}");
        assert!(shown.starts_with("P-1, opzoeken (lookup), uwv/dataset, Uitvoering"), "{shown}");
        assert!(whole.starts_with(shown.split('…').next().unwrap()), "{shown}");
    }
}

#[test]
fn all_that_is_behind_a_figure_can_be_reached_and_is_printed() {
    let mut report = report();
    report.answers.refusals[0].entries = entries(1005);
    let page = page(&report, Lang::Nl);
    let node = "node/00000099000000002000:";
    let all = format!(
        "<summary>alle 13</summary></details>\n<div class=\"folded\">{node} 0 1 2 3 4 5 6 7 8 9 10 11 12</div>"
    );
    assert!(section(&page, 5).contains(&all));
    let refused = section(&page, 3);
    assert!(refused.contains(" 9 en nog 995<details><summary>de eerste 1000</summary>"));
    assert!(refused.contains(" 998 999</div>"));
    // Nothing is within a fold, where a printer does not see it: what is folded away stands beside it.
    for fold in page.split("<details>").skip(1) {
        let (fold, after) = fold.split_once("</details>").unwrap();
        assert!(fold.starts_with("<summary>") && fold.ends_with("</summary>"), "{fold}");
        assert!(after.starts_with("\n<div class=\"folded\">"), "{fold}");
    }
    let print = super::style::STYLE.split_once("@media print").unwrap().1;
    assert!(print.contains(".folded{display:block}"));
}

#[test]
fn a_figure_says_of_what_it_is() {
    let page = page(&report(), Lang::Nl);
    let lawful = section(&page, 2);
    assert!(
        lawful.contains("de tijd van toen: 4 van 5.") && lawful.contains("er niet bij zijn: 1.")
    );
    let numbers = [5, 2, 3, 4, 0, 4, 3, 1, 0].map(|one| format!("<td class=\"n\">{one}</td>"));
    assert!(lawful.contains(&numbers.concat()));
    // Six rows of three people who were answered, not of the four that were asked about.
    let people = section(&page, 5);
    let rate =
        format!("<td class=\"n\">{}</td><td class=\"n\">3</td><td class=\"n\">200</td>", u64::MAX);
    assert!(people.contains(&rate));
    // Answers of every kind add up.
    let kept = section(&page, 8);
    assert!(kept.contains("<td>3 (node/00000099000000002000: 0 1 2)</td><td class=\"n\">17</td>"));
    let fields = section(&page, 4);
    assert!(fields.contains("<td><code>veld</code></td><td><code>sleutel</code></td>"));

    let mut report = report();
    report.answers.projects[0].first_question = None;
    report.answers.sources[0].kind = QueryKind::Count;
    let of = |lang| super::page(&report, lang);
    assert!(section(&of(Lang::Nl), 7).contains("<td>alleen geweigerde vragen</td>"));
    report.answers.askers.clear();
    let of = |lang| super::page(&report, lang);
    assert!(section(&of(Lang::Nl), 7).contains("<td>nog geen vraag</td>"));
    assert!(section(&of(Lang::En), 7).contains("<td>no question yet</td>"));
    assert!(section(&of(Lang::Nl), 5).contains("<td>n.v.t.</td>"));
}

#[test]
fn a_rate_is_rounded_and_never_hides_the_only_row() {
    let mut report = report();
    for (rows, of, said) in [
        (2, 3, "<td class=\"n\">67</td>"),
        (1, 3, "<td class=\"n\">33</td>"),
        (1, 200, "<td class=\"n\">1</td>"),
        (1, 201, "<td>&lt; 1</td>"),
        (0, 201, "<td class=\"n\">0</td>"),
        (0, 0, "<td>n.v.t.</td>"),
    ] {
        let source = &mut report.answers.sources[0];
        (source.answered_rows, source.answered_subjects) = (rows, of);
        let people = section(&page(&report, Lang::Nl), 5).to_owned();
        let cells = format!("<td class=\"n\">{of}</td>{said}<td>node/");
        assert!(people.contains(&cells), "{cells} in {people}");
    }
}

#[test]
fn no_two_bars_or_rows_have_the_same_name() {
    let mut report = report();
    let source = report.answers.sources[0].clone();
    let other = Oin::new("00000099000000004000").unwrap();
    for kind in [QueryKind::Select, QueryKind::Count] {
        report.answers.sources.push(SourceReport { kind, ..source.clone() });
    }
    report.answers.sources.push(SourceReport { provider: other, ..source });
    for lang in [Lang::Nl, Lang::En] {
        let page = page(&report, lang);
        let people = section(&page, 5);
        let bars: Vec<_> = people.split("<text ").skip(1).collect();
        // As they are drawn: the whole of one that is cut stands before it.
        let label = |bar: &'_ str| {
            let label = bar.split_once('>').unwrap().1.split("</text>").next().unwrap();
            label.rsplit_once("</title>").map_or(label, |(_, cut)| cut).to_owned()
        };
        let labels: BTreeSet<_> = bars.iter().step_by(2).map(|bar| label(bar)).collect();
        assert_eq!(labels.len(), 8, "{labels:?}");
        for number in [4, 5] {
            let rows = section(&page, number).split("<tbody>").nth(1).unwrap();
            let rows = rows.split("</tbody>").next().unwrap().split("<tr>").skip(1);
            let names: BTreeSet<_> =
                rows.map(|row| row.split("</td>").take(3).collect::<String>()).collect();
            assert_eq!(names.len(), 4, "{number}: {names:?}");
        }
    }
}

#[test]
fn a_chart_that_shows_a_part_says_so() {
    let mut report = report();
    let refusal = report.answers.refusals[0].clone();
    let coded = |number: usize| RefusalReport { code: format!("S1/C{number}"), ..refusal.clone() };
    report.answers.refusals = (0..19).map(coded).collect();
    let of = |report: &Report, lang| section(&super::page(report, lang), 3).to_owned();
    let (dutch, english) = (of(&report, Lang::Nl), of(&report, Lang::En));
    assert!(dutch.contains("; 15 van 19 codes, de overige 4 staan onder “Als tabel”<"));
    assert!(english.contains("; 15 of 19 codes, the other 4 stand under “As a table”<"));
    // And so they do: that table is of the chart, and has them all.
    let table = dutch.split_once("<summary>Als tabel</summary>").unwrap().1;
    let table = table.split("</table>").next().unwrap();
    assert_eq!((table.matches(">S1/C").count(), dutch.matches("<rect ").count()), (19, 15));
    report.answers.refusals.truncate(16);
    assert!(
        of(&report, Lang::Nl).contains("; 15 van 16 codes, de laatste staat onder “Als tabel”<")
    );
    report.answers.refusals.truncate(15);
    assert!(!of(&report, Lang::Nl).contains(" van 15"));
}

#[test]
fn each_language_is_told_in_its_own_words() {
    let mut report = report();
    report.answers.projects[0].state = Some(ProjectState::Closing);
    // How a clause is worded is a text, and not a value; so is what the software says of a document or a signature.
    let texts = [
        Code::Wording,
        Code::Rules,
        Code::RegisterDocument,
        Code::RegisterCheckpoint,
        Code::BadCheckpoint,
    ];
    for one in report.findings.iter_mut().filter(|one| !texts.contains(&one.code)) {
        one.expected = Some("queries=4 subjects=1".to_owned());
        one.found = Some("status=failed ONJUISTE_HANDTEKENING at timestamp".to_owned());
    }
    let (dutch, english) = (page(&report, Lang::Nl), page(&report, Lang::En));
    assert!(dutch.contains("<td>vragen: 4, personen of objecten: 1</td>"));
    assert!(dutch.contains("<td>stand: mislukt ONJUISTE_HANDTEKENING bij een tijdstempel</td>"));
    assert!(english.contains("<td>status: failed ONJUISTE_HANDTEKENING at a timestamp</td>"));
    for page in [&dutch, &english] {
        assert!(!page.contains("queries=") && !page.contains("status="));
    }
    let engine = "cedar-policy 4.14.1, language 4.6, facts 0123abcd, edition 2";
    report.basis.engine = Some(engine.to_owned());
    let (dutch, english) = (page(&report, Lang::Nl), page(&report, Lang::En));
    assert!(
        dutch.contains("<td>cedar-policy 4.14.1, regeltaal 4.6, feitenschema 0123abcd, uitgave 2<")
    );
    assert!(english.contains("rule language 4.6, schema of facts 0123abcd, edition 2<"));
    assert!(!english.contains(">Number<"), "a column of counts is headed so");
    for (page, codes) in [(&dutch, "docs/codes.md bij de software"), (&english, "docs/codes.md of")]
    {
        assert!(page.split_once("<footer>").unwrap().1.contains(codes));
    }
    assert!(dutch.contains("<td>AFSLUITING</td>"));
    assert!(english.contains("<td>AFSLUITING (closing)</td>"));
    assert!(dutch.contains("Register: 1 document, wortel"));
    assert!(english.contains("Register: 1 document, root"));
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
