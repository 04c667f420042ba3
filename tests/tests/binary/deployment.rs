//! A federation of processes.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use convenant_client::{Client, compose::Composed};
use convenant_demo::{
    Federation, Options, Ports,
    population::{Person, ROTTERDAM},
};
use convenant_model::{Clock as _, Date, query::QueryKind};
use convenant_signing::SystemRandom;
use convenant_testkit::{
    Daemon, PortBlock, Program,
    question::{about, question, target},
};
use convenant_transport::SystemClock;

/// The daemon of the coordinator, beside those of partners by their name.
pub(crate) const COORDINATOR: &str = "coordinator";

/// Daemons of a federation, and the binary to ask them with.
pub(crate) struct Deployment {
    pub(crate) federation: Federation,
    program: Program,
    daemons: BTreeMap<String, Daemon>,
    environment: Vec<(String, String)>,
    starts: u32,
}

/// A federation in `federation` of a folder, with so many people and on ports of its own.
pub(crate) fn written(folder: &Path, persons: usize, ports: &PortBlock) -> Federation {
    let ports = Ports::Given(ports.ports());
    let options = Options { seed: 7, persons, ports, today: today(), published: Vec::new() };
    Federation::write(&folder.join("federation"), &options, &SystemRandom::new()).unwrap()
}

/// A file for `--subjects` in a folder: whom to ask about, with what verifies them.
pub(crate) fn subjects_file(folder: &Path, people: &[&Person]) -> PathBuf {
    let lines = people.iter().map(|person| {
        let subject = person.subject();
        format!("{},{}\n", subject.key.expose(), subject.verify.unwrap().expose())
    });
    let file = folder.join("people.csv");
    fs::write(&file, lines.collect::<String>()).unwrap();
    file
}

/// The processes have the system's clock.
pub(crate) fn today() -> Date {
    SystemClock.now().date()
}

impl Deployment {
    /// Starts the coordinator, submits every document that does not found the register, and starts
    /// each node. `environment` overrides the configuration of all of them.
    pub(crate) fn start(federation: Federation, environment: &[(&str, String)]) -> Self {
        let mut deployment = Self::found(federation, environment);
        let nodes = deployment.federation.partners.iter().filter(|party| party.address.is_some());
        for name in nodes.map(|party| party.name.clone()).collect::<Vec<_>>() {
            deployment.start_daemon(&name);
        }
        deployment
    }

    /// The same without a node.
    pub(crate) fn found(federation: Federation, environment: &[(&str, String)]) -> Self {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let program = Program::find().unwrap_or_else(|fault| panic!("{fault}"));
        let daemons = BTreeMap::new();
        let mut deployment = Self { federation, program, daemons, environment, starts: 0 };
        deployment.start_daemon(COORDINATOR);
        deployment.submit();
        deployment
    }

    /// Starts the coordinator or the node of a partner, and waits until it serves.
    pub(crate) fn start_daemon(&mut self, name: &str) {
        let (command, log) = self.daemon(name);
        let daemon = Daemon::start(command, &log).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        self.daemons.insert(name.to_owned(), daemon);
    }

    /// SIGKILL, and nothing else: what is in the files is what there is.
    pub(crate) fn kill(&mut self, name: &str) {
        drop(self.daemons.remove(name).unwrap());
    }

    /// The same for several, of which none sees that another is gone.
    pub(crate) fn kill_at_once(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.daemons[*name].freeze().unwrap());
        names.iter().for_each(|name| self.kill(name));
    }

    /// A question to a municipality about two residents of Rotterdam, from a place among them on.
    pub(crate) fn lookup(&self, client: &Client, node: &str, at: usize) -> Composed {
        let population = self.federation.population.as_ref().unwrap();
        let people = population.residents_of(ROTTERDAM).skip(at).take(2);
        let people = people.map(|(_, person)| person.subject()).collect();
        let fields = ["burgerservicenummer", "naam_geslachtsnaam"];
        let asked = target(self.federation.partner(node).unwrap(), &fields).unwrap();
        let question = question(QueryKind::Lookup, vec![about(asked, people).unwrap()]).unwrap();
        client.compose(question).unwrap()
    }

    /// Has a daemon stand still (SIGSTOP).
    pub(crate) fn freeze(&self, name: &str) {
        self.daemons[name].freeze().unwrap();
    }

    /// Has it go on.
    pub(crate) fn thaw(&self, name: &str) {
        self.daemons[name].thaw().unwrap();
    }

    /// Waits until a daemon gives up by itself, as one that its supervisor is to start again does.
    pub(crate) fn gave_up(&mut self, name: &str) {
        let status = self.daemons.remove(name).unwrap().ended().unwrap();
        assert_eq!(status.code(), Some(1), "{}", self.logs());
    }

    /// Waits until a daemon is gone that kills itself (SIGKILL).
    pub(crate) fn was_killed(&mut self, name: &str) {
        let status = self.daemons.remove(name).unwrap().ended().unwrap();
        assert_eq!(status.signal(), Some(9), "{}", self.logs());
    }

    /// Starts a daemon that ends before it serves.
    pub(crate) fn fails_to_start(&mut self, name: &str) -> ExitStatus {
        let (command, log) = self.daemon(name);
        let started = Daemon::spawn(command, &log).unwrap();
        started.ended().unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    /// Starts a daemon and kills it a moment later, wherever it is by then.
    pub(crate) fn kill_at_start(&mut self, name: &str, after: Duration) {
        let (mut command, log) = self.daemon(name);
        let log = fs::File::create(log).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The command that starts a daemon, and the file for its log.
    fn daemon(&mut self, name: &str) -> (Command, PathBuf) {
        let (role, config) = match self.federation.partner(name) {
            Some(party) => ("node", &party.config),
            None => (COORDINATOR, &self.federation.coordinator.config),
        };
        let mut command = self.program.command(&[role, "run", "--config", text(config)]);
        command.envs(self.environment.iter().cloned());
        self.starts += 1;
        (command, self.federation.dir.join(format!("{name}-{}.log", self.starts)))
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
        self.query_command(arguments).output().unwrap()
    }

    /// `convenant query` as the project leader, not yet run.
    pub(crate) fn query_command(&self, arguments: &[&str]) -> Command {
        let config = self.federation.leader.config.to_str().unwrap();
        let justification = ["--justification", "Adressen uit het plan van aanpak"];
        self.command(&[&["query", "--config", config], &justification[..], arguments].concat())
    }

    /// Runs the binary to its end.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The same, under way.
    pub(crate) fn begin<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Child {
        begin(self.command(arguments))
    }

    fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.program.command(arguments);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Ends every daemon in an orderly way, the coordinator last.
    pub(crate) fn stop(&mut self) {
        let coordinator = self.daemons.remove(COORDINATOR);
        let nodes = std::mem::take(&mut self.daemons).into_values();
        nodes.chain(coordinator).for_each(|daemon| daemon.stop().unwrap());
    }

    /// What the daemon logged that was started last.
    pub(crate) fn last_log(&self) -> String {
        let files = fs::read_dir(&self.federation.dir).unwrap().map(|entry| entry.unwrap().path());
        let end = format!("-{}.log", self.starts);
        let mut of_last = files.filter(|path| text(path).ends_with(&end));
        fs::read_to_string(of_last.next().unwrap()).unwrap()
    }

    /// Everything that the daemons logged.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(&self.federation.dir).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
        logs.map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

/// Starts a command whose output is wanted.
pub(crate) fn begin(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
