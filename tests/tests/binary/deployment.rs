//! A federation of processes.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use convenant_demo::Federation;
use convenant_model::{Clock as _, Date};
use convenant_testkit::{Daemon, Program};
use convenant_transport::SystemClock;

/// Daemons of a federation, and the binary to ask them with.
pub(crate) struct Deployment {
    pub(crate) federation: Federation,
    program: Program,
    daemons: Vec<Daemon>,
    environment: Vec<(String, String)>,
}

/// The processes have the system's clock.
pub(crate) fn today() -> Date {
    SystemClock.now().date()
}

impl Deployment {
    /// Starts the coordinator, submits every document that does not found the register, and starts
    /// each node. `environment` overrides the configuration of all of them.
    pub(crate) fn start(federation: Federation, environment: &[(&str, String)]) -> Self {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let program = Program::find().unwrap_or_else(|fault| panic!("{fault}"));
        let mut deployment =
            Self { federation, program, daemons: Vec::new(), environment: environment.collect() };
        let coordinator = deployment.federation.coordinator.config.clone();
        deployment.daemon("coordinator", &coordinator);
        deployment.submit();
        let nodes = deployment.federation.partners.iter();
        let nodes: Vec<_> = nodes.filter(|party| party.address.is_some()).collect();
        for config in nodes.iter().map(|party| party.config.clone()).collect::<Vec<_>>() {
            deployment.daemon("node", &config);
        }
        deployment
    }

    fn daemon(&mut self, role: &str, config: &Path) {
        let config = config.to_str().unwrap();
        let mut command = self.program.command(&[role, "run", "--config", config]);
        command.envs(self.environment.iter().cloned());
        let log = self.federation.dir.join(format!("{}.log", self.daemons.len()));
        self.daemons.push(Daemon::start(command, &log).unwrap_or_else(|fault| panic!("{fault}")));
    }

    fn submit(&self) {
        let documents = fs::read_dir(self.federation.dir.join("documents")).unwrap();
        let documents = documents.map(|entry| entry.unwrap().path());
        let signed = |path: &PathBuf| path.extension().is_some_and(|end| end == "jws");
        let mut documents: Vec<_> = documents.filter(signed).collect();
        documents.sort();
        let mut arguments = vec![OsString::from("register"), "submit".into()];
        arguments.extend(documents.into_iter().map(PathBuf::into_os_string));
        arguments.extend(["--config".into(), self.federation.leader.config.clone().into()]);
        let output = self.run(&arguments);
        assert!(output.status.success(), "{}", shown(&output));
    }

    /// Runs `convenant query` as the project leader.
    pub(crate) fn query(&self, arguments: &[&str]) -> Output {
        let config = self.federation.leader.config.to_str().unwrap();
        let justification = ["--justification", "Adressen uit het plan van aanpak"];
        let all = [&["query", "--config", config], &justification[..], arguments].concat();
        self.run(&all)
    }

    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Output {
        let mut command = self.program.command(arguments);
        command.envs(self.environment.iter().cloned());
        command.output().unwrap()
    }

    /// Ends every daemon in an orderly way.
    pub(crate) fn stop(&mut self) {
        for daemon in self.daemons.drain(..).rev() {
            daemon.stop().unwrap();
        }
    }

    /// Everything that the daemons logged.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(&self.federation.dir).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
        logs.map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
