//! Entries that are read ahead of their turn, on all cores, make the same report.

use std::iter;

use convenant_audit::{Beside, LedgerKind, LedgerName, Replay, Source};
use convenant_model::entry::{Decision, Entry};

use crate::world::{Ledgers, UWV, World, bytes, oin};

/// Enough exchanges for several batches, with faults of several kinds all over them.
fn faulty() -> (World, Ledgers) {
    let (mut world, mut ledgers) = (World::new(), Ledgers::default());
    for _ in 0..60 {
        world.exchange(&mut ledgers, &|_| {}, false);
        // So that each is over when the next ones come.
        world.now = world.now.plus_seconds(600);
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
    // That it is the same, every audit of a world sees to.
    let report = world.audit(&ledgers);
    let number =
        |code: &str| report.findings.iter().filter(|one| one.code.as_str() == code).count();
    assert!(number("HANDTEKENING_VRAAG") > 5 && number("ACHTERSTAND_AFWIJKEND") > 5, "{report}");
    assert!(number("FEITEN_AFWIJKEND") > 5, "{report}");
}

#[test]
fn what_cannot_be_read_ends_it_there() {
    let (world, ledgers) = faulty();
    let evidence = world.evidence();
    let mut replay = Replay::new(&evidence);
    let entries = (0..).zip(ledgers.uwv.iter().map(bytes));
    let read =
        entries.map(|(index, bytes)| if index == 70 { Err(index) } else { Ok((index, bytes)) });
    let name = LedgerName::new(LedgerKind::Node, oin(UWV));
    let mut sources = [Source::new(replay.ledger(name, Beside::default()), read)];
    replay.read(&mut sources, || {});
    let [source] = sources;
    assert_eq!(source.ended, Err(70));
    replay.add(source.replay.finish(|_| None, iter::empty));
    assert_eq!(replay.report().ledgers[0].counts.entries, 70);
}
