//! Faults of files are named by file, line, field and column, and never by a value.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arrow::{
    array::{ArrayRef, Int64Array, StringArray},
    record_batch::RecordBatch,
};
use futures::{StreamExt as _, TryStreamExt as _};
use tempfile::TempDir;

use super::fixture::{FIELDS, Question, Row, batches, binding, csv_text, rows, write_parquet};
use crate::{BATCH_ROWS, SourceError, adapter::Adapter, file::FileSource};

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("rijen")
    }

    fn csv(&self, text: &str) -> FileSource {
        std::fs::write(self.path(), text).unwrap();
        FileSource::csv(binding(), &self.path())
    }
}

fn person() -> Row {
    Row {
        bsn: Some("900000004".to_owned()),
        geboorte: Some("19850000".to_owned()),
        gemeente: Some("0599".to_owned()),
        bedrag: Some(10),
        sinds: Some("2024-02-29".to_owned()),
        ..Row::default()
    }
}

async fn fault(source: &FileSource) -> String {
    source.check().await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_header_is_checked_first() {
    let files = Files::new();
    let text = csv_text(&[person()]);
    assert!(files.csv(&text).check().await.is_ok());
    assert_eq!(
        fault(&files.csv(&text.replace("k_naam", "naam"))).await,
        "dataset `gemeente/proef`: field `naam`: the source has 0 columns named `k_naam`"
    );
    assert_eq!(
        fault(&files.csv(&text.replace("k_nationaliteit", "k_bedrag"))).await,
        "dataset `gemeente/proef`: field `bedrag`: the source has 2 columns named `k_bedrag`"
    );
    assert!(fault(&files.csv("")).await.contains("the source has 0 columns"));
    let missing = FileSource::csv(binding(), &files.0.path().join("weg"));
    assert!(matches!(missing.check().await, Err(SourceError::File { .. })));
}

#[tokio::test]
async fn a_header_that_changed_is_read_anew() {
    let files = Files::new();
    let text = csv_text(&[person()]);
    let turned = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n";
    let source = files.csv(&text);
    let before = rows(&source, &Question::rotterdam()).await.unwrap();
    assert_eq!(before.len(), 1);
    // As long as before, and each column in another place.
    let other: String = text.lines().map(turned).collect();
    assert_eq!(other.len(), text.len());
    std::fs::write(files.path(), other).unwrap();
    assert_eq!(rows(&source, &Question::rotterdam()).await.unwrap(), before);
    // While somebody writes it, it may be a beginning of what it will be; then it is another.
    let header = text.find('\n').unwrap();
    for beginning in ["", &text[..header - 1], &text[..header]] {
        std::fs::write(files.path(), beginning).unwrap();
        let found = rows(&source, &Question::rotterdam()).await;
        assert_eq!(found.map(|rows| rows.len()).ok(), (beginning.len() == header).then_some(0));
        std::fs::write(files.path(), &text).unwrap();
        assert_eq!(rows(&source, &Question::rotterdam()).await.unwrap(), before);
    }
    std::fs::write(files.path(), &text[..header]).unwrap();
    assert!(rows(&source, &Question::rotterdam()).await.is_ok());
    std::fs::write(files.path(), text.replacen('\n', "_van_iemand_anders\n", 1)).unwrap();
    assert!(rows(&source, &Question::rotterdam()).await.is_err(), "another column");
}

#[tokio::test]
async fn a_ragged_line_is_named() {
    let files = Files::new();
    let good = csv_text(&[person(), person()]);
    let short = good.clone() + "NL,1,2\n";
    let found = fault(&files.csv(&short)).await;
    assert!(found.contains("line 4") && found.contains("rijen"), "{found}");
    let long = good + &format!("NL{}\n", ",1".repeat(40));
    assert!(fault(&files.csv(&long)).await.contains("line 4"));
}

#[tokio::test]
async fn a_value_of_another_type_is_named_by_its_row_only() {
    let files = Files::new();
    let good = csv_text(&[person(), person(), person()]);
    let last = |from: &str, to: &str| {
        let at = good.rfind(from).unwrap();
        format!("{}{to}{}", &good[..at], &good[at + from.len()..])
    };
    for (text, field, wrong) in [
        (last("\"10\"", "\"tien\""), "bedrag", "tien"),
        (last("2024-02-29", "2023-02-29"), "sinds", "2023-02-29"),
    ] {
        let found = fault(&files.csv(&text)).await;
        assert!(found.contains(&format!("field `{field}`: row 3")), "{found}");
        assert!(!found.contains(wrong), "{found}");
    }
}

/// A file that was changed after the start: the row is that of the file, not of the answer.
#[tokio::test]
async fn a_wrong_value_in_an_answer_is_named_by_its_row_in_the_file() {
    let files = Files::new();
    let elsewhere =
        Row { gemeente: Some("0363".to_owned()), geboorte: Some("fout".to_owned()), ..person() };
    let wrong = Row { geboorte: Some("1985".to_owned()), ..person() };
    let source = files.csv(&csv_text(&[elsewhere.clone(), person(), elsewhere, wrong]));
    let refused = batches(&source, &Question::rotterdam()).await.unwrap_err();
    assert!(
        matches!(&refused, SourceError::Value { row: 4, field, .. } if field.as_str() == "geboorte"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_column_without_one_value_of_its_form_is_another_column() {
    let files = Files::new();
    let mut stray = person();
    stray.bsn = Some("123".to_owned());
    assert!(files.csv(&csv_text(&[person(), stray.clone()])).check().await.is_ok());
    let found = fault(&files.csv(&csv_text(&[stray.clone(), stray]))).await;
    assert!(found.contains("column `k_bsn`") && found.contains("expected bsn"), "{found}");
}

#[tokio::test]
async fn a_parquet_file_states_its_types() {
    let files = Files::new();
    write_parquet(&files.path(), &[person()]);
    let source = FileSource::parquet(binding(), &files.path());
    assert!(source.check().await.is_ok());
    assert_eq!(rows(&source, &Question::rotterdam()).await.unwrap().len(), 1);

    let column = |name: &str| -> ArrayRef {
        match name {
            "naam" => Arc::new(Int64Array::from(vec![1])),
            _ => Arc::new(StringArray::from(vec!["900000004"])),
        }
    };
    let columns = FIELDS.iter().map(|name| (format!("k_{name}"), column(name)));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(files.path()).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(
        fault(&source).await,
        "dataset `gemeente/proef`: field `actief`: column `k_actief` is Utf8, expected boolean"
    );
    std::fs::write(files.path(), "geen parquet").unwrap();
    assert!(matches!(source.check().await, Err(SourceError::Malformed { .. })));
}

#[tokio::test]
async fn whoever_reads_slowly_keeps_nobody_else_from_reading() {
    let files = Files::new();
    // More than a reader's channel holds.
    let source = files.csv(&csv_text(&vec![person(); 6 * BATCH_ROWS]));
    let question = Question::rotterdam();
    let read = async {
        let mut slow = Vec::new();
        // More than have a turn at once.
        for _ in 0..=2 * std::thread::available_parallelism().unwrap().get() {
            let mut batches = source.rows(question.plan(source.binding()).unwrap());
            assert!(batches.next().await.unwrap().is_ok());
            slow.push(batches);
        }
        (rows(&source, &question).await.unwrap().len(), slow)
    };
    let read = tokio::time::timeout(Duration::from_secs(60), read).await;
    let (all, slow) = read.expect("nobody else may read");
    assert_eq!(all, 6 * BATCH_ROWS);
    for batches in slow {
        let batches = batches.try_collect::<Vec<_>>().await.unwrap();
        let rest: usize = batches.iter().map(|batch| batch.rows.num_rows()).sum();
        assert_eq!(rest, 5 * BATCH_ROWS);
    }
}
