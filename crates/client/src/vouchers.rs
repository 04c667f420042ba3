//! Vouchers that come with an answer (clause S10), and the file in which they are kept beside it.

use std::path::{Path, PathBuf};

use arrow::array::{AsArray as _, RecordBatch};
use convenant_exchange::{Kept, Taking, VouchingError};
use convenant_model::{FieldName, Oin, Timestamp, keys::VerifyingKey, vouching::Vouching};
use zeroize::Zeroizing;

use crate::{
    compose::Composed,
    output::{Ended, OutputError},
};

/// Most rows of one answer that are vouched for here: their values are held until the answer ends.
const MOST_ROWS: usize = 1 << 20;

/// Vouchers on disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VouchersFile {
    /// The file, readable by its owner only.
    pub path: PathBuf,
    /// For how many rows it vouches.
    pub rows: u64,
    /// From when on the vouchers no longer hold.
    pub expires: Timestamp,
}

/// Where the vouchers of an answer are kept: beside the file with its rows.
#[must_use]
pub fn vouchers_path(rows: &Path) -> PathBuf {
    let mut path = rows.as_os_str().to_owned();
    path.push(".vouchers");
    PathBuf::from(path)
}

/// Writes vouchers to the disk, as yet without their name. Blocks.
pub(crate) fn write(kept: &Kept, path: &Path) -> Result<(Ended, VouchersFile), OutputError> {
    let bytes = kept.to_bytes().map_err(|_| OutputError::Vouchers)?;
    let ended = Ended::whole(path, &bytes)?;
    let (rows, expires) = (kept.vouching().leaves, kept.vouching().expires);
    Ok((ended, VouchersFile { path: path.to_owned(), rows, expires }))
}

/// Vouchers that the last chunk of an answer is to bring.
pub(crate) struct Awaited {
    field: FieldName,
    taking: Taking,
    rows: usize,
    came: Option<Zeroizing<Vec<u8>>>,
}

impl Awaited {
    pub(crate) fn new(field: FieldName) -> Self {
        Self { field, taking: Taking::default(), rows: 0, came: None }
    }

    /// Notes the values of some rows.
    pub(crate) fn rows(&mut self, batch: &RecordBatch) -> Result<(), VouchingError> {
        self.rows += batch.num_rows();
        if self.rows > MOST_ROWS {
            return Err(VouchingError::Disagrees("leaves"));
        }
        let column = batch.column_by_name(self.field.as_str());
        let texts = column.and_then(|column| column.as_string_opt::<i32>());
        let texts = texts.ok_or(VouchingError::Disagrees("key"))?;
        texts.iter().flatten().for_each(|text| self.taking.add(text));
        Ok(())
    }

    /// Takes the last chunk.
    pub(crate) fn came(&mut self, plain: Vec<u8>) {
        self.came = Some(Zeroizing::new(plain));
    }

    /// The vouchers, if they are of this partner and for the rows that came.
    pub(crate) fn finish(
        self,
        (composed, target, partner): (&Composed, u32, &Oin),
        key: &VerifyingKey,
    ) -> Result<Kept, VouchingError> {
        let query = &composed.query;
        let asked = usize::try_from(target).ok().and_then(|index| query.targets.get(index));
        let asked = asked.ok_or(VouchingError::Disagrees("target"))?;
        let came = self.came.ok_or(VouchingError::Malformed)?;
        self.taking.finish(&came, key, |vouching| Vouching {
            issuer: partner.clone(),
            dataset: asked.dataset.clone(),
            key: self.field,
            project: query.project.clone(),
            proposal: query.proposal,
            requester: query.requester.partner.clone(),
            query: query.id,
            ..vouching
        })
    }
}
