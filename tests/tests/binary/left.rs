//! What a federation left behind, to be spoilt and audited.

use std::path::PathBuf;

use convenant_testkit::Program;
use tempfile::TempDir;

use crate::deployment::{shown, text};

/// The folder of a demonstration that has ended.
pub(crate) struct Left {
    pub(crate) dir: TempDir,
    pub(crate) program: Program,
}

impl Left {
    pub(crate) fn start() -> Self {
        let left = Self { dir: tempfile::tempdir().unwrap(), program: Program::find().unwrap() };
        let federation = left.path("");
        let demo = ["demo", "--dir", text(&federation), "--keep", "--persons", "300"];
        let demo = left.program.run(&demo).unwrap();
        assert!(demo.status.success(), "{}", shown(&demo));
        left
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("federation").join(name)
    }

    pub(crate) fn coordinator(&self) -> PathBuf {
        self.path("coordinator/state/ledger")
    }
}
