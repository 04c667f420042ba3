//! Entries that are read ahead of their turn, on all cores, make the same report.

use std::convert::Infallible;

use convenant_audit::{LedgerKind, LedgerName, Replay, Report};
use convenant_model::entry::{Decision, Entry};

use crate::world::{Ledgers, UWV, World, bytes, oin};

/// Enough exchanges for several batches, with faults of several kinds all over them.
fn faulty() -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for _ in 0..60 {
        world.exchange(&mut ledgers, &|_| {}, false);
    }
    for (number, entry) in ledgers.coordinator.iter_mut().enumerate() {
        let Entry::Decision(Decision { signed_query, used, verdicts, .. }) = entry else {
            continue;
        };
        match number % 7 {
            0 => used.overdue += 1,
            // Not the last letter of a signature: it holds bits that do not count.
            1..=3 => {
                let last = signed_query.len() - 5;
                let other = if signed_query.as_bytes()[last] == b'A' { "B" } else { "A" };
                signed_query.replace_range(last..=last, other);
            }
            4 => verdicts[1].slice = verdicts[0].slice,
            _ => {}
        }
    }
    (world, ledgers)
}

#[test]
fn read_ahead_or_one_by_one_the_report_is_the_same() {
    let (world, ledgers) = faulty();
    let evidence = world.evidence();
    let mut one_by_one = Replay::new(&evidence);
    let mut ahead = Replay::new(&evidence);
    for (name, entries) in ledgers.named() {
        let entries: Vec<_> = (0..).zip(entries.iter().map(bytes)).collect();
        let mut ledger = one_by_one.ledger(name.clone());
        entries.iter().for_each(|(index, bytes)| ledger.entry(*index, bytes));
        one_by_one.add(ledger.finish(None, |_| None));
        let (mut ledger, mut told) = (ahead.ledger(name), 0);
        let count = entries.len();
        let read = entries.into_iter().map(Ok::<_, Infallible>);
        ledger.entries(read, || told += 1).unwrap();
        assert_eq!(told, count);
        ahead.add(ledger.finish(None, |_| None));
    }
    let shown = |report: Report| serde_json::to_string_pretty(&report).unwrap();
    let (ahead, one_by_one) = (ahead.report(), one_by_one.report());
    let number = |code: &str| ahead.findings.iter().filter(|one| one.code.as_str() == code).count();
    assert!(number("HANDTEKENING_VRAAG") > 5 && number("ACHTERSTAND_AFWIJKEND") > 5, "{ahead}");
    assert!(number("FEITEN_AFWIJKEND") > 5, "{ahead}");
    assert_eq!(shown(ahead), shown(one_by_one));
}

#[test]
fn what_cannot_be_read_ends_it_there() {
    let (world, ledgers) = faulty();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let mut ledger = replay.ledger(LedgerName::new(LedgerKind::Node, oin(UWV)));
    let entries = (0..).zip(ledgers.uwv.iter().map(bytes));
    let read =
        entries.map(|(index, bytes)| if index == 70 { Err(index) } else { Ok((index, bytes)) });
    assert_eq!(ledger.entries(read, || {}), Err(70));
    replay.add(ledger.finish(None, |_| None));
    assert_eq!(replay.report().ledgers[0].counts.entries, 70);
}
