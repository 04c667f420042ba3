//! The built binary, as processes of its own.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{Fallible, Fault};

/// The binary `convenant`, beside the test that runs.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// Finds the binary in the folder that this test was built into.
    ///
    /// # Errors
    /// When it was not built.
    pub fn find() -> Fallible<Self> {
        let test = env::current_exe()?;
        // target/<profile>/deps/<test>: the binary is two folders up.
        let folder = test.parent().and_then(Path::parent).ok_or("the test has no target folder")?;
        let path = folder.join("convenant");
        if path.is_file() {
            return Ok(Self(path));
        }
        let fault = format!(
            "`{}` is not there: build it first with `cargo build -p convenant-cli`",
            path.display()
        );
        Err(Fault::from(fault))
    }

    /// A command with these arguments, and none of the environment's configuration.
    #[must_use]
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.0);
        command.args(arguments).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CONVENANT__") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Fallible<Output> {
        Ok(self.command(arguments).output()?)
    }

    /// Starts a daemon and waits until it says that it listens.
    ///
    /// # Errors
    /// When it ends before; the fault holds what it wrote.
    pub fn daemon<S: AsRef<std::ffi::OsStr>>(
        &self,
        arguments: &[S],
        log: &Path,
    ) -> Fallible<Daemon> {
        Daemon::start(self.command(arguments), log)
    }
}

/// A daemon in a process of its own. Dropped, it is killed.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    // Kept open: a daemon that writes to a closed pipe would end.
    out: BufReader<ChildStdout>,
}

impl Daemon {
    /// Starts a command; the errors go to a file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(mut command: Command, log: &Path) -> Fallible<Self> {
        let file = std::fs::File::create(log)?;
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        Ok(Self { child, out: BufReader::new(out) })
    }

    /// The same, and waits for its line `listening on …`.
    ///
    /// # Errors
    /// When it ends before; the fault holds what it wrote.
    pub fn start(command: Command, log: &Path) -> Fallible<Self> {
        Ok(Self::start_with_line(command, log)?.0)
    }

    /// The same, with that line.
    ///
    /// # Errors
    /// When it ends before; the fault holds what it wrote.
    pub fn start_with_line(command: Command, log: &Path) -> Fallible<(Self, String)> {
        let mut daemon = Self::spawn(command, log)?;
        let mut line = String::new();
        while daemon.out.read_line(&mut line)? > 0 {
            if line.contains("listening on") {
                return Ok((daemon, line));
            }
            line.clear();
        }
        let mut written = String::new();
        std::fs::File::open(log)?.read_to_string(&mut written)?;
        Err(Fault::from(format!("the daemon ended before it listened:\n{written}")))
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself, and not for ever.
    ///
    /// # Errors
    /// When it does not.
    pub fn ended(mut self) -> Fallible<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(Fault::from("the daemon does not end"))
    }

    /// Asks it to end (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// When it does not end with success.
    pub fn stop(mut self) -> Fallible<()> {
        self.signal("-TERM")?;
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(Fault::from(format!("ended with {status}"))) }
    }

    /// Lets it do nothing more (SIGSTOP), with its connections open, until it is thawed or killed.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn freeze(&self) -> Fallible<()> {
        self.signal("-STOP")
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn thaw(&self) -> Fallible<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Fallible<()> {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status()?;
        if sent.success() { Ok(()) } else { Err(Fault::from(format!("kill {signal}: {sent}"))) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
