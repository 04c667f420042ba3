//! An auditor reads a ledger in which that cannot be recorded: it is given nothing of it, both sides say so, and once
//! there is room again it is.

use std::{fs, path::PathBuf};

use super::{NO_ROOM, case::Case};
use crate::{
    books::NODE,
    deployment::{COORDINATOR, shown},
};

#[test]
fn a_ledger_that_cannot_record_its_readers_is_given_to_nobody() {
    let mut case = Case::start();
    for name in [NODE, COORDINATOR] {
        case.fail(name, &[["pwrite", "ledger/segments", NO_ROOM, "none"]]);
        let (bundles, fetched) = case.fetches(name, "refused");
        case.is_hit();
        assert_eq!(fetched.status.code(), Some(1), "{}", shown(&fetched));
        assert!(shown(&fetched).contains("cannot be recorded"), "{}", shown(&fetched));
        assert!(!bundles.exists(), "{name}: entries were given");
        let logs = case.deployment.logs();
        assert!(logs.contains("reading cannot be recorded"), "{name}: {logs}");
        case.mend();
        let (bundles, fetched) = case.fetches(name, "given");
        assert!(fetched.status.success(), "{}", shown(&fetched));
        assert!(fs::read_dir(bundles).unwrap().next().is_some(), "{name}");
        assert!(case.ask().is_some(), "{}", case.deployment.logs());
    }
    case.end();
}

impl Case {
    /// Copies a party's ledger as the auditor; gives where its entries would be.
    fn fetches(&self, name: &str, copy: &str) -> (PathBuf, std::process::Output) {
        let federation = &self.deployment.federation;
        let (kind, party) = match federation.partner(name) {
            Some(party) => ("node", party),
            None => (COORDINATOR, &federation.coordinator),
        };
        let (oin, out) = (party.oin.as_str(), federation.dir.join(format!("{name}-{copy}")));
        let (config, folder) = (&federation.auditor.config, out.to_str().unwrap());
        let config = config.to_str().unwrap();
        let fetch = ["ledger", "fetch", "--config", config, "--party", oin, "--out", folder];
        let fetched = self.deployment.run(&fetch);
        (out.join(format!("{kind}-{oin}")).join("tile/entries"), fetched)
    }
}
