//! A PostgreSQL 15 of the tests' own: its own data folder, a free port on loopback, gone at the end.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A running server; its superuser is `postgres`, without a password on loopback.
pub(crate) struct Postgres {
    process: Child,
    folder: TempDir,
    /// The port on 127.0.0.1.
    pub(crate) port: u16,
}

/// Certificate and key in PEM, for a server that speaks TLS only to loopback.
pub(crate) struct ServerTls<'a> {
    pub(crate) certificate: &'a str,
    pub(crate) key: &'a str,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) fn start(tls: Option<&ServerTls<'_>>) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        own(folder.path());
        own(&data);
        let made = tool("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        configure(&data, tls);
        let port = free_port();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = tool("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = Self { process, folder, port };
        server.wait();
        server
    }

    /// Runs statements as the superuser.
    pub(crate) fn run(&self, sql: &str) {
        let script = self.folder.path().join("script.sql");
        fs::write(&script, sql).unwrap();
        let done = self.psql().arg("-f").arg(&script).output().unwrap();
        assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The first column of the first row of a query, as the superuser.
    pub(crate) fn ask(&self, sql: &str) -> String {
        let done = self.psql().args(["-At", "-c", sql]).output().unwrap();
        assert!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new(binaries().join("psql"));
        psql.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"]).args([
            "-v",
            "ON_ERROR_STOP=1",
            "-q",
            "-X",
            "-d",
            "postgres",
        ]);
        psql
    }

    /// Asks the server itself whether it takes connections, as its own tools do.
    fn wait(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        let port = self.port.to_string();
        let ready = || {
            let mut ask = Command::new(binaries().join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &port, "-t", "1"]);
            ask.status().unwrap().success()
        };
        while !ready() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "PostgreSQL does not start: {log}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown: it also ends what still runs.
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().ok();
        self.process.wait().ok();
    }
}

fn configure(data: &Path, tls: Option<&ServerTls<'_>>) {
    let mut settings = String::from(
        "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n\
         max_connections = 50\n",
    );
    if let Some(ServerTls { certificate, key }) = tls {
        settings += "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n";
        for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            fs::write(&path, pem).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            own(&path);
        }
        let rules = "hostnossl all all 127.0.0.1/32 reject\n\
                     host all postgres 127.0.0.1/32 trust\n\
                     host all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
    }
    let path = data.join("postgresql.conf");
    let mut all = fs::read_to_string(&path).unwrap();
    write!(all, "\n{settings}").unwrap();
    fs::write(&path, all).unwrap();
}

/// One of PostgreSQL's programs. It refuses to run as root, so root runs it as the user `postgres`
/// that Debian's package makes.
fn tool(name: &str) -> Command {
    let program = binaries().join(name);
    let Some((user, group)) = servant() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &user, "--regid", &group, "--clear-groups"])
        .arg(program)
        .current_dir("/");
    command
}

fn own(path: &Path) {
    if let Some((user, group)) = servant() {
        let done = Command::new("chown").arg(format!("{user}:{group}")).arg(path).status();
        assert!(done.unwrap().success(), "chown {}", path.display());
    }
}

/// User and group for PostgreSQL's programs; `None` when the tests do not run as root.
fn servant() -> Option<(String, String)> {
    (id(&["-u"]).as_deref() == Some("0")).then(|| {
        let of =
            |what| id(&[what, "postgres"]).expect("root needs a user `postgres` to run PostgreSQL");
        (of("-u"), of("-g"))
    })
}

fn id(args: &[&str]) -> Option<String> {
    let done = Command::new("id").args(args).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap().trim().to_owned();
    done.status.success().then_some(text)
}

fn binaries() -> PathBuf {
    let found = Command::new("pg_config").arg("--bindir").output();
    let found = found.expect("these tests need PostgreSQL 15 (`apt-get install postgresql`)");
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
