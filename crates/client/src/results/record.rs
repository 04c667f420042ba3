//! From tombstones to the destruction record (*proces-verbaal van vernietiging*, clause L8).

use std::collections::BTreeSet;

use convenant_model::{
    Oin, ProjectId, Timestamp,
    documents::{Destroyed, Destruction, Line, tag},
};
use thiserror::Error;

use super::{Answer, Note, Place, Statement, Tombstone, Way};

/// Why a record cannot be written of these answers.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum RecordError {
    /// A record says one thing of everything in it.
    #[error(
        "the answer to `{0}` was destroyed at another place or by somebody else than is said here: write a \
         record of its own"
    )]
    Differs(convenant_model::QueryId),
    /// An answer is still there.
    #[error("the answer to `{0}` is not destroyed")]
    Left(convenant_model::QueryId),
    /// The manner does not fit.
    #[error("the manner, with what this program does itself: {0}")]
    Manner(String),
}

/// The record of these answers of one project, all of them destroyed, to be signed by their receiver. `None`
/// where there is nothing to record: numbers are about nobody.
///
/// # Errors
/// When one is left, or was destroyed at another place or by somebody else than is stated.
pub fn record(
    partner: &Oin,
    (project, complete): (&ProjectId, bool),
    notes: &[Note],
    (statement, now): (&Statement, Timestamp),
) -> Result<Option<Destruction>, RecordError> {
    let of_project = notes.iter().filter(|note| note.answer.project == *project);
    let buried: Vec<_> = of_project.map(buried).collect::<Result<_, _>>()?;
    let differs =
        |one: &Tombstone| (&one.place, &one.operator) != (&statement.place, &statement.operator);
    if let Some((answer, _)) = buried.iter().find(|(_, tombstone)| differs(tombstone)) {
        return Err(RecordError::Differs(answer.query));
    }
    // By then all of them were destroyed.
    let all = buried.iter().map(|(_, tombstone)| tombstone.at).max().unwrap_or(now);
    let item: Vec<_> = buried.iter().filter_map(|one| item(*one, all)).collect();
    if item.is_empty() && !complete {
        return Ok(None);
    }
    let ways = buried.iter().flat_map(|(_, tombstone)| &tombstone.ways).copied().collect();
    let said = buried.iter().filter_map(|(_, tombstone)| tombstone.manner.as_ref());
    Ok(Some(Destruction {
        document: tag::Destruction::Destruction,
        project: project.clone(),
        partner: partner.clone(),
        complete,
        item,
        manner: manner(&ways, said)?,
        destroyed_at: all,
        place: statement.place.clone(),
        operator: statement.operator.clone(),
    }))
}

fn buried(note: &Note) -> Result<(&Answer, &Tombstone), RecordError> {
    match &note.place {
        Place::Destroyed(tombstone) => Ok((&note.answer, tombstone)),
        _ => Err(RecordError::Left(note.answer.query)),
    }
}

/// What the record says of one answer: of one that was destroyed before the others, when that was, because the last
/// day of each is its own.
fn item((answer, tombstone): (&Answer, &Tombstone), all: Timestamp) -> Option<Destroyed> {
    answer.deadline.map(|_| Destroyed {
        query: answer.query,
        provider: answer.partner.clone(),
        manifest: answer.manifest,
        destroyed_at: Some(tombstone.at).filter(|at| *at < all),
    })
}

/// What was done, in the record's language, and nothing that was not: no file is overwritten, because on
/// today's disks that says nothing.
pub(super) fn manner<'a>(
    ways: &BTreeSet<Way>,
    said: impl Iterator<Item = &'a Line>,
) -> Result<Line, RecordError> {
    let own = ways.iter().filter_map(|way| match way {
        Way::Sealed => Some("sleutel van verzegeld bestand gewist, bestand verwijderd"),
        Way::File => Some("bestand verwijderd, niet overschreven"),
        Way::Nothing => Some("niets bewaard"),
        // Only whoever did it can say.
        Way::Stated => None,
    });
    let said: BTreeSet<_> = said.map(Line::as_str).collect();
    let all: Vec<_> = own.chain(said).collect();
    let all =
        if all.is_empty() { "alles was eerder vernietigd".to_owned() } else { all.join("; ") };
    Line::new(all).map_err(RecordError::Manner)
}
