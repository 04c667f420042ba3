//! What a node counts and times. Never a subject, a key or a row.

use std::time::Duration;

use convenant_model::{entry::Status, verdict::Refusal};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};

/// The instruments of a node.
pub(crate) struct Metrics {
    verdicts: Counter<u64>,
    outcomes: Counter<u64>,
    alarms: Counter<u64>,
    stages: Histogram<f64>,
    source: Histogram<f64>,
    ledger: Gauge<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("convenant.node");
        Self {
            verdicts: meter
                .u64_counter("convenant.verdicts")
                .with_description("verdicts by clause; `permit` where nothing refuses")
                .build(),
            outcomes: meter
                .u64_counter("convenant.outcomes")
                .with_description("exchanges by how they ended")
                .build(),
            alarms: meter
                .u64_counter("convenant.alarms")
                .with_description("answers out of proportion to the residents of an area")
                .build(),
            stages: meter
                .f64_histogram("convenant.stage.duration")
                .with_unit("s")
                .with_description("time by stage of an exchange")
                .build(),
            source: meter
                .f64_histogram("convenant.source.duration")
                .with_unit("s")
                .with_description("time in the data source")
                .build(),
            ledger: meter
                .u64_gauge("convenant.ledger.entries")
                .with_description("entries in the ledger")
                .build(),
        }
    }

    pub(crate) fn permitted(&self) {
        self.verdicts.add(1, &[KeyValue::new("clause", "permit")]);
    }

    pub(crate) fn refused(&self, refusal: Option<&Refusal>) {
        let Some(refusal) = refusal else {
            self.verdicts.add(1, &[KeyValue::new("clause", "error")]);
            return;
        };
        for violation in refusal.violations() {
            let clause = KeyValue::new("clause", violation.clause.to_string());
            self.verdicts.add(1, &[clause, KeyValue::new("code", violation.code.clone())]);
        }
    }

    pub(crate) fn ended(&self, status: &Status) {
        let name = match status {
            Status::Answered => "answered",
            Status::Refused { .. } => "refused",
            Status::Failed { problem } => problem.code(),
        };
        self.outcomes.add(1, &[KeyValue::new("status", name)]);
    }

    pub(crate) fn alarm(&self) {
        self.alarms.add(1, &[]);
    }

    pub(crate) fn stage(&self, name: &'static str, took: Duration) {
        self.stages.record(took.as_secs_f64(), &[KeyValue::new("stage", name)]);
    }

    pub(crate) fn source(&self, took: Duration) {
        self.source.record(took.as_secs_f64(), &[]);
    }

    pub(crate) fn ledger(&self, entries: u64) {
        self.ledger.record(entries, &[]);
    }
}
