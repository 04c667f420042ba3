//! The commands of `deploy/convenant-timestamp@.service`, run as they stand there, against an authority over HTTP.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};

use convenant_signing::{SigningKey, SystemRandom};
use convenant_testkit::Program;
use tempfile::TempDir;

use crate::{
    deployment::{shown, text},
    grown::Grown,
    timestamp::Authority,
};

/// How the authority's server answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Manner {
    /// With a timestamp.
    Stamps,
    /// With the timestamp that it gave last.
    Repeats,
    /// With the status 503.
    Fails,
}

/// The authority's server on loopback: RFC 3161 §3.4 over HTTP.
struct Server {
    authority: Authority,
    folder: TempDir,
    manner: Mutex<Manner>,
    asked: Mutex<usize>,
}

impl Server {
    /// Starts it, and gives the URL.
    fn start() -> (Arc<Self>, String) {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        let (manner, asked) = (Mutex::new(Manner::Fails), Mutex::new(0));
        let server = Arc::new(Self { authority, folder, manner, asked });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsa", listener.local_addr().unwrap());
        let serving = Arc::clone(&server);
        // It ends with the test.
        thread::spawn(move || {
            for connection in listener.incoming() {
                serving.serve(connection.unwrap()).unwrap();
            }
        });
        (server, url)
    }

    fn does(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        let request = read_request(&mut BufReader::new(&connection))?;
        *self.asked.lock().unwrap() += 1;
        let manner = *self.manner.lock().unwrap();
        let (file, given) =
            (self.folder.path().join("asked.tsq"), self.folder.path().join("asked.tsr"));
        let (status, body) = match manner {
            Manner::Fails => ("503 Service Unavailable", b"later".to_vec()),
            Manner::Repeats => ("200 OK", fs::read(given)?),
            Manner::Stamps => {
                fs::write(&file, request)?;
                ("200 OK", fs::read(self.authority.stamp(&file))?)
            }
        };
        write!(
            connection,
            "HTTP/1.1 {status}\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        )?;
        connection.write_all(&body)
    }
}

/// The body of a request for a timestamp.
fn read_request(from: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_ascii_lowercase()),
        }
    }
    assert_eq!(headers[0], "post /tsa http/1.1");
    assert!(
        headers.contains(&"content-type: application/timestamp-query".to_owned()),
        "{headers:?}"
    );
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    from.read_exact(&mut body)?;
    Ok(body)
}

fn deployed(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join("deploy").join(file)).unwrap()
}

/// The settings of a unit, in their order.
fn settings(file: &str) -> Vec<(String, String)> {
    let unit = deployed(file);
    let settings =
        unit.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// How a run of the unit ended.
#[derive(Debug)]
enum Ended {
    Done,
    /// Its condition does not hold.
    Skipped,
    /// At this command.
    Failed(String, Output),
}

/// The service for the ledger of a node, with folders of the test for those of the system.
struct Unit {
    root: TempDir,
    program: Program,
    settings: Vec<(String, String)>,
    environment: BTreeMap<String, String>,
}

impl Unit {
    fn for_ledger(ledger: &Path, url: &str) -> Self {
        let (root, program) = (tempfile::tempdir().unwrap(), Program::find().unwrap());
        let node = root.path().join("lib/convenant/node");
        fs::create_dir_all(&node).unwrap();
        std::os::unix::fs::symlink(ledger, node.join("ledger")).unwrap();
        let variables = deployed("timestamp.env");
        let variables = variables.lines().filter(|line| !line.starts_with('#'));
        let variables = variables.filter_map(|line| line.split_once('='));
        let environment: BTreeMap<_, _> =
            variables.map(|(name, _)| (name.to_owned(), url.to_owned())).collect();
        assert_eq!(
            environment.keys().collect::<Vec<_>>(),
            ["TSA_URL"],
            "the URL stands in one place"
        );
        let settings = settings("convenant-timestamp@.service");
        Self { root, program, settings, environment }
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let all = self.settings.iter().filter(move |(one, _)| one == name);
        all.map(|(_, value)| self.expanded(value))
    }

    fn one(&self, name: &str) -> String {
        let [value] = <[String; 1]>::try_from(self.all(name).collect::<Vec<_>>()).unwrap();
        value
    }

    /// Specifiers (systemd.unit(5)), for the instance `node-ledger`.
    fn expanded(&self, value: &str) -> String {
        let root = text(self.root.path());
        let value = value.replace("%t", &format!("{root}/run")).replace("%i", "node-ledger");
        value.replace("%I", "node/ledger").replace("/var/lib", &format!("{root}/lib"))
    }

    /// What systemd does at a start.
    fn run(&self) -> Ended {
        let runtime = self.root.path().join("run").join(self.one("RuntimeDirectory"));
        let state = self.root.path().join("lib").join(self.one("StateDirectory"));
        fs::create_dir_all(&runtime).unwrap();
        fs::create_dir_all(state).unwrap();
        let ended = self.run_in(Path::new(&self.one("WorkingDirectory")));
        fs::remove_dir_all(runtime).unwrap();
        ended
    }

    fn run_in(&self, folder: &Path) -> Ended {
        for line in self.all("ExecCondition") {
            let output = self.command(&line, folder).output().unwrap();
            if !output.status.success() {
                assert!(output.status.code() < Some(255), "{line}: {}", shown(&output));
                return Ended::Skipped;
            }
        }
        for line in self.all("ExecStart") {
            let output = self.command(&line, folder).output().unwrap();
            if !output.status.success() {
                return Ended::Failed(line, output);
            }
        }
        Ended::Done
    }

    /// A line as a command (systemd.service(5)): words, quotes, variables.
    fn command(&self, line: &str, folder: &Path) -> Command {
        let words: Vec<_> = words(line).iter().map(|word| self.substituted(word)).collect();
        let mut command = match words[0].as_str() {
            "/usr/bin/convenant" => self.program.command(&words[1..]),
            other => {
                let mut command = Command::new(other);
                command.args(&words[1..]);
                command
            }
        };
        command.current_dir(folder).envs(&self.environment);
        command
    }

    fn substituted(&self, word: &str) -> String {
        let variables = self.environment.iter();
        let put = |word: String, (name, value): (&String, &String)| {
            word.replace(&format!("${{{name}}}"), value)
        };
        variables.fold(word.to_owned(), put).replace("$$", "$")
    }
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_unit_puts_a_ledger_under_a_timestamp_each_time_that_it_grew() {
    let (server, url) = Server::start();
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let grown = Grown::new(&key.to_jwk());
    grown.to(200, "ours").await;
    let ledger = grown.ledger();
    let (unit, kept) = (Unit::for_ledger(&ledger, &url), ledger.join("timestamps"));
    let fails_at = |command: &str, says: &str| match unit.run() {
        Ended::Failed(line, output) => {
            assert!(
                line.starts_with(command) && shown(&output).contains(says),
                "{line}: {}",
                shown(&output)
            );
        }
        other => panic!("{other:?}"),
    };

    // Nothing is kept of an authority that is away, and the next start begins anew.
    fails_at("/usr/bin/curl", "503");
    assert!(names(&kept).is_empty());
    server.does(Manner::Stamps);
    let ended = unit.run();
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    assert_eq!(names(&kept), ["200.checkpoint", "200.tsr"]);
    assert!(server.authority.verifies(&kept.join("200.checkpoint"), &kept.join("200.tsr")));

    let asked = server.asked();
    let ended = unit.run();
    assert!(matches!(ended, Ended::Skipped), "{ended:?}");
    assert_eq!(server.asked(), asked);

    grown.to(300, "ours").await;
    server.does(Manner::Repeats);
    fails_at("/usr/bin/convenant ledger timestamp keep", "something else");
    server.does(Manner::Stamps);
    let ended = unit.run();
    assert!(matches!(ended, Ended::Done), "{ended:?}");
    assert_eq!(names(&kept), ["200.checkpoint", "200.tsr", "300.checkpoint", "300.tsr"]);
    assert!(server.authority.verifies(&kept.join("300.checkpoint"), &kept.join("300.tsr")));
    assert!(!server.authority.verifies(&kept.join("300.checkpoint"), &kept.join("200.tsr")));

    grown.to(700, "ours").await;
    let public = unit.root.path().join("ledger.pub.jwk");
    fs::write(&public, serde_json::to_string(key.verifying_key()).unwrap()).unwrap();
    let verify = ["ledger", "verify", "--dir", text(&ledger), "--key", text(&public)];
    let verified = unit.program.run(&verify).unwrap();
    assert!(verified.status.success(), "{}", shown(&verified));
    // What was kept is held against the ledger: another checkpoint in its place does not hold.
    let forged =
        fs::read_to_string(kept.join("300.checkpoint")).unwrap().replace("\n300\n", "\n301\n");
    fs::write(kept.join("300.checkpoint"), forged).unwrap();
    let verified = unit.program.run(&verify).unwrap();
    assert_eq!(verified.status.code(), Some(4), "{}", shown(&verified));
}

#[test]
fn the_unit_starts_daily_and_is_as_closed_as_a_daemon_s() {
    let timer = settings("convenant-timestamp@.timer");
    for (name, value) in
        [("OnCalendar", "daily"), ("Persistent", "yes"), ("WantedBy", "timers.target")]
    {
        assert!(timer.contains(&(name.to_owned(), value.to_owned())), "{name}: {timer:?}");
    }
    let (unit, node) =
        (settings("convenant-timestamp@.service"), settings("convenant-node.service"));
    let from = node.iter().position(|(name, _)| name == "CapabilityBoundingSet").unwrap();
    let to = node.iter().position(|(name, _)| name == "LimitNOFILE").unwrap();
    let closed: Vec<_> = node[from..to].iter().filter(|one| !unit.contains(one)).collect();
    assert!(to - from > 20 && closed.is_empty(), "{closed:?}");
    for name in ["User", "Group", "UMask"] {
        let of = |unit: &[(String, String)]| unit.iter().find(|(one, _)| one == name).cloned();
        assert_eq!(of(&unit), of(&node), "{name}");
    }
    let files = ["convenant-timestamp@.service", "convenant-timestamp@.timer"].map(deployed);
    assert!(files.iter().all(|file| !file.contains("http:") && !file.contains("https:")), "no URL");
}
