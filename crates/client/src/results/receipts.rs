//! The ledger of receipts as the measure of what must be accounted for: it forgets nothing.

use std::{collections::BTreeMap, io};

use convenant_exchange::{OUTCOME_TYPE, QUERY_TYPE};
use convenant_ledger::EntryBytes;
use convenant_model::{
    entry::{Entry, Receipt, SignedOutcome, Status},
    query::Query,
};
use convenant_signing::{parse_canonical, peek_compact};
use convenant_store::{EntriesError, FileLedger};

use super::{
    Results, ResultsError,
    answer::{Answer, Extent, Note, Place},
};

/// Adds the answers of which there is a receipt and no account, and holds the others against their receipts.
pub(super) fn merge(results: &Results, notes: &mut Vec<Note>) -> Result<(), ResultsError> {
    let known: BTreeMap<_, _> =
        notes.iter().map(|note| ((note.answer.query, note.answer.target), note)).collect();
    let mut untracked = Vec::new();
    for answer in answered(results)? {
        match known.get(&(answer.query, answer.target)) {
            Some(note) if agree(&note.answer, &answer) => {}
            Some(_) => return Err(ResultsError::Disagrees(results.account_of(&answer))),
            None => untracked.push(Note { answer, place: Place::Untracked }),
        }
    }
    notes.extend(untracked);
    Ok(())
}

fn agree(noted: &Answer, received: &Answer) -> bool {
    (&noted.project, &noted.partner, noted.deadline, noted.manifest)
        == (&received.project, &received.partner, received.deadline, received.manifest)
}

fn answered(results: &Results) -> Result<Vec<Answer>, ResultsError> {
    let failed = |error: EntriesError| ResultsError::Receipts(Box::new(error));
    let ledger = match FileLedger::open_read(&results.receipts) {
        Ok(ledger) => ledger,
        // A client that never asked.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error.into())),
    };
    let mut answers = Vec::new();
    for entry in ledger.entries().map_err(failed)? {
        let (_, bytes) = entry.map_err(failed)?;
        if let Ok(Entry::Receipt(receipt)) = EntryBytes::parse(&bytes) {
            answers.extend(answer(&receipt).filter(|answer| answer.deadline.is_some()));
        }
    }
    Ok(answers)
}

/// The account that a receipt gives of an answer. The texts were verified before they were written.
fn answer(receipt: &Receipt) -> Option<Answer> {
    if receipt.status != Status::Answered {
        return None;
    }
    let query = peek_compact(&receipt.signed_query, QUERY_TYPE).ok()?;
    let query: Query = parse_canonical(query.payload(), "query").ok()?;
    let outcome = peek_compact(receipt.outcome.as_deref()?, OUTCOME_TYPE).ok()?;
    let outcome: SignedOutcome = parse_canonical(outcome.payload(), "outcome").ok()?;
    let fields = query.targets.get(outcome.target as usize)?.fields.iter();
    let columns = fields.map(ToString::to_string).collect();
    Answer::new(&query, &outcome, Extent { rows: outcome.rows, columns }, receipt.at)
}
