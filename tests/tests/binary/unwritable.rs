//! A daemon whose folder cannot be written at all: it says so at once, before it waits for anybody.

use convenant_testkit::{PortBlock, Program};

use crate::deployment::{shown, written};

#[test]
fn a_daemon_that_can_write_nothing_does_not_start() {
    let (dir, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
    let federation = written(dir.path(), 50, &ports);
    let program = Program::find().unwrap_or_else(|fault| panic!("{fault}"));
    // No coordinator runs: a node that noticed nothing would wait for its register.
    let node = &federation.partner("rotterdam").unwrap().config;
    for (role, config) in [("node", node), ("coordinator", &federation.coordinator.config)] {
        let arguments = [role, "run", "--config", config.to_str().unwrap()];
        let mut command = program.command(&arguments);
        // A file system that nobody can make anything in, not even root.
        let output = command.env("CONVENANT__DATA__DIR", "/proc/convenant").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
        assert!(shown(&output).contains("`/proc/convenant/"), "{}", shown(&output));
    }
}
