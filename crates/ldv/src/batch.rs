//! Lines on their way.

use convenant_exports::{Action, DataSubject};
use convenant_model::{Timestamp, value::FieldType};
use convenant_subjects::Told;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

use crate::{origin::Actions, otlp::resource_spans};

/// Lines after which a message is full.
const FULL: usize = 512;

/// Lines on their way, and the positions that are done with them.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) spans: Vec<ResourceSpans>,
    lines: usize,
    pub(crate) positions: Vec<u64>,
    /// The end of the answer among them that ended first.
    pub(crate) since: Option<Timestamp>,
}

impl Batch {
    pub(crate) const fn is_full(&self) -> bool {
        self.lines >= FULL
    }

    /// Adds the lines of a record that are not made yet.
    pub(crate) fn add(
        &mut self,
        position: u64,
        (action, end): (&Action, Timestamp),
        told: &Told,
        actions: &mut Actions,
    ) {
        let mut lines = Vec::new();
        if actions.is_new(told.decision, None) {
            lines.push(action.line());
        }
        let new = told.subjects.iter().filter(|one| actions.is_new(told.decision, Some(**one)));
        lines.extend(new.map(|pseudonym| {
            let id_type = id_type(told.kind).to_owned();
            action.line_about(DataSubject { id: pseudonym.to_string(), id_type })
        }));
        self.lines += lines.len();
        self.spans.push(resource_spans(action.producer(), lines));
        self.positions.push(position);
        self.since = Some(self.since.map_or(end, |since| since.min(end)));
    }
}

/// What LDV calls a kind of number.
fn id_type(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Bsn => "BSN",
        other => other.as_str(),
    }
}
