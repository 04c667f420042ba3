//! What of the delivery is counted.

use opentelemetry::{
    global,
    metrics::{Counter, Gauge},
};

pub(crate) struct Meters {
    backlog: Gauge<u64>,
    stepped_over: Counter<u64>,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let meter = global::meter("convenant.node");
        let backlog = meter
            .u64_gauge("convenant.ldv.backlog")
            .with_description("records whose lines are not acknowledged")
            .build();
        let stepped_over = meter
            .u64_counter("convenant.ldv.stepped_over")
            .with_description("records without lines, because the ledger has no such decision")
            .build();
        Self { backlog, stepped_over }
    }

    pub(crate) fn backlog(&self, records: u64) {
        self.backlog.record(records, &[]);
    }

    /// Of such a record no line can be made, now or later: it is of another history than the ledger.
    pub(crate) fn stepped_over(&self, position: u64, entry: u64) {
        self.stepped_over.add(1, &[]);
        tracing::error!(
            position,
            entry,
            "the journal of subjects names a decision that the ledger does not have; the record is stepped over"
        );
    }
}
