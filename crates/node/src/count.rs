//! A count made safe: small ones are suppressed, the others rounded.

use std::sync::Arc;

use arrow::{
    array::{BooleanArray, Int64Array, RecordBatch},
    error::ArrowError,
};
use convenant_model::{query::COUNT_COLUMNS, verdict::CountLimits};

/// One row: `aantal`, rounded, or absent where it is below the minimum; `onder_minimum` says which.
pub(crate) fn disclosed(count: u64, limits: CountLimits) -> Result<RecordBatch, ArrowError> {
    let suppressed = count < u64::from(limits.minimum_cell);
    let shown = (!suppressed).then(|| rounded(count, u64::from(limits.rounding)));
    let shown = shown.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let [number, below] = COUNT_COLUMNS;
    RecordBatch::try_from_iter_with_nullable([
        (number, Arc::new(Int64Array::from(vec![shown])) as _, true),
        (below, Arc::new(BooleanArray::from(vec![suppressed])) as _, false),
    ])
}

/// To the nearest multiple, halves upwards.
const fn rounded(count: u64, multiple: u64) -> u64 {
    let multiple = if multiple == 0 { 1 } else { multiple };
    (count + multiple / 2) / multiple * multiple
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn small_counts_are_suppressed_and_others_rounded() {
        let limits = CountLimits { minimum_cell: 10, rounding: 5 };
        let shown = |count| {
            let batch = disclosed(count, limits).unwrap();
            let column = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>().clone();
            column.is_valid(0).then(|| column.value(0))
        };
        assert_eq!(shown(0), None);
        assert_eq!(shown(9), None);
        assert_eq!(shown(10), Some(10));
        assert_eq!(shown(12), Some(10));
        assert_eq!(shown(13), Some(15));
    }
}
