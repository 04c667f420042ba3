//! A disk without room: the answer is a refusal, and once there is room the ledger goes on.
//!
//! The test runs itself again under a limit on file sizes, which the kernel enforces on root too and
//! which needs no mount.

#![cfg(test)]

use std::process::Command;

use convenant_store::{FileLedger, LedgerOpenError, RecordError};

use crate::support::{Bench, entry};

mod support;

const LIMITED: &str = "CONVENANT_TEST_LIMITED";

#[test]
fn without_room_nothing_is_recorded_until_there_is() {
    if std::env::var_os(LIMITED).is_some() {
        return limited();
    }
    let test = std::env::current_exe().unwrap();
    // 48 blocks of 512 bytes; the signal would end the process before the error could be seen.
    let script = r#"trap '' XFSZ; ulimit -S -f 48; exec "$0" --exact "$1" --nocapture"#;
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(test)
        .arg("without_room_nothing_is_recorded_until_there_is")
        .env(LIMITED, "1")
        .output()
        .unwrap();
    let (out, err) = (output.stdout.as_slice(), output.stderr.as_slice());
    let shown = format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

fn limited() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bench = Bench::new();
        let (ledger, _) = bench.open().unwrap();
        let mut recorded = 0;
        let refusal = loop {
            match ledger.record(entry(recorded)).await {
                Ok(entry) => assert_eq!(entry.index(), recorded),
                Err(error) => break error,
            }
            recorded += 1;
            assert!(recorded < 1000, "the limit does not bind");
        };
        assert!(matches!(refusal, RecordError::DiskFull(_)), "{refusal}");
        assert!(recorded > 10 && ledger.size() == recorded && !ledger.is_poisoned());
        // Still refused, and still nothing lost.
        assert!(matches!(ledger.record(entry(0)).await, Err(RecordError::DiskFull(_))));

        let process = std::process::id().to_string();
        let raised =
            Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited"]).status();
        assert!(raised.unwrap().success());
        assert_eq!(ledger.record(entry(recorded)).await.unwrap().index(), recorded);
        ledger.close().await;

        let read = FileLedger::open_read(bench.path()).unwrap();
        assert_eq!(read.entries().unwrap().map(Result::unwrap).count() as u64, recorded + 1);
        let reopened: Result<_, LedgerOpenError> = bench.open();
        assert_eq!(reopened.unwrap().1.entries, recorded + 1);
    });
}
