//! What a daemon can make again is damaged while it is down, as a disk, a crash in the midst of a write or a wrong
//! hand does it: it starts by itself, says so, takes no query twice, and counts on where it was.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use convenant_client::{Client, ClientConfig, compose::Composed};
use convenant_demo::{Party, population::ROTTERDAM};
use convenant_model::query::QueryKind;
use convenant_setup::load;
use convenant_testkit::{
    Identity, PortBlock, Told, World, evidence,
    question::{about, question, target},
    told, wire,
};
use convenant_transport::{Expected, SystemClock};
use tempfile::TempDir;

use crate::{
    books::{NODE, audit},
    deployment::{COORDINATOR, Deployment, written},
};

/// Something that becomes of the folder of an index.
type Damage = (&'static str, fn(&Path));

const DAMAGES: [Damage; 13] = [
    ("every file cut in half", |folder| each(folder, |bytes| bytes.truncate(bytes.len() / 2))),
    ("every file cut short by a byte", |folder| {
        each(folder, |bytes| bytes.truncate(bytes.len() - 1))
    }),
    ("every file empty", |folder| each(folder, Vec::clear)),
    ("every fiftieth byte another", |folder| {
        each(folder, |bytes| bytes.iter_mut().step_by(50).for_each(|byte| *byte ^= 0x55));
    }),
    ("one bit in each file another", |folder| {
        each(folder, |bytes| {
            // Where sled keeps what was written first; the rest of its segment is padding.
            let at = bytes.len().min(200) / 2;
            bytes[at] ^= 1;
        });
    }),
    ("every file full of something else", |folder| each(folder, |bytes| bytes.fill(b'x'))),
    ("every file followed by something else", |folder| {
        each(folder, |bytes| bytes.extend_from_slice(&[0xa5; 4096]));
    }),
    ("the largest file gone", |folder| {
        let largest = files(folder).into_iter().max_by_key(|file| length(file)).unwrap();
        fs::remove_file(largest).unwrap();
    }),
    ("half of the files gone", |folder| {
        files(folder).iter().step_by(2).for_each(|file| fs::remove_file(file).unwrap());
    }),
    ("an empty folder", |folder| {
        fs::remove_dir_all(folder).unwrap();
        fs::create_dir(folder).unwrap();
    }),
    ("a file in its place", |folder| {
        fs::remove_dir_all(folder).unwrap();
        fs::write(folder, "not a folder").unwrap();
    }),
    ("a link to nothing in its place", |folder| {
        fs::remove_dir_all(folder).unwrap();
        symlink("/nonexistent/index", folder).unwrap();
    }),
    ("a file in the place of the latest", |folder| {
        fs::write(folder.join(u64::MAX.to_string()), "not a folder").unwrap();
    }),
];

/// What may leave all that an index holds as it was, which its hash then proves.
const HARMLESS: [&str; 3] = [
    "every file cut short by a byte",
    "every file followed by something else",
    "half of the files gone",
];

const MADE: &str = "index of queries made from the ledger";

/// Changes every file below a folder.
fn each(folder: &Path, change: impl Fn(&mut Vec<u8>)) {
    for file in files(folder) {
        let mut bytes = fs::read(&file).unwrap();
        change(&mut bytes);
        fs::write(file, bytes).unwrap();
    }
}

/// Those that have something in them.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = evidence::files_under(folder).unwrap();
    files.retain(|file| length(file) > 0);
    files.sort();
    assert!(!files.is_empty(), "nothing to damage in {}", folder.display());
    files
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_makes_a_damaged_index_again_and_takes_no_query_twice() {
    let mut case = Case::start();
    let client = case.client().await;
    for (name, damage) in DAMAGES {
        println!("{name}");
        let asked = case.compose(&client);
        assert_eq!(case.send(&client, &asked, "first").await, ["answered"], "{name}");
        let logs = case.restart(|state| damage(&state.join("index")));
        for log in logs {
            assert!(log.contains(MADE) || HARMLESS.contains(&name), "{name}: {log}");
            assert!(!log.contains("no index of queries can be made"), "{name}: {log}");
        }
        assert_eq!(case.send(&client, &asked, "again").await, ["HERHAALDE_VRAAG"], "{name}");
        assert_eq!(case.past_the_coordinator(&asked).await, ["HERHAALDE_VRAAG"], "{name}");
        // What was made again is as good as another.
        for log in case.restart(|_| {}) {
            assert!(!log.contains(MADE), "{name}: {log}");
        }
        assert_eq!(case.past_the_coordinator(&asked).await, ["HERHAALDE_VRAAG"], "{name}");
    }
    client.close().await;
    case.deployment.stop();
    // Every use was counted on from those before: else the audit would find it counted too low.
    let told = audit(&case.deployment, &[]);
    assert_eq!(told.keys().filter(|code| code.starts_with("TELLING")).count(), 0, "{told:?}");
}

struct Case {
    deployment: Deployment,
    results: PathBuf,
    _folder: TempDir,
    _ports: PortBlock,
}

impl Case {
    fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let federation = written(folder.path(), 50, &ports);
        let mut deployment = Deployment::found(federation, &[]);
        deployment.start_daemon(NODE);
        let results = folder.path().join("results");
        fs::create_dir(&results).unwrap();
        Self { deployment, results, _folder: folder, _ports: ports }
    }

    async fn client(&self) -> Client {
        let config: ClientConfig = load(&self.deployment.federation.leader.config).unwrap();
        let client = Client::open(&config).await.unwrap();
        client.refresh().await.unwrap();
        client
    }

    fn node(&self) -> &Party {
        self.deployment.federation.partner(NODE).unwrap()
    }

    fn compose(&self, client: &Client) -> Composed {
        let population = self.deployment.federation.population.as_ref().unwrap();
        let people = population.residents_of(ROTTERDAM).take(2);
        let people = people.map(|(_, person)| person.subject()).collect();
        let asked = target(self.node(), &["burgerservicenummer"]).unwrap();
        let question = question(QueryKind::Lookup, vec![about(asked, people).unwrap()]).unwrap();
        client.compose(question).unwrap()
    }

    async fn send(&self, client: &Client, composed: &Composed, name: &str) -> Told {
        let path = self.results.join(format!("{}-{name}.csv", composed.query.id));
        let sent = client.send(composed, Duration::from_secs(30), |_, _| path.clone()).await;
        told(&sent)
    }

    /// The same query to the node, from whoever holds the coordinator's certificate.
    async fn past_the_coordinator(&self, composed: &Composed) -> Told {
        let (federation, node) = (&self.deployment.federation, self.node());
        let identity = Identity::of_party(&federation.coordinator, &federation.pki);
        let pins = BTreeSet::from([node.certificate.pin]);
        let expected = Expected { oin: node.oin.clone(), pins };
        let address = node.address.unwrap().to_string();
        let channel = identity.connect(expected, &address, Arc::new(SystemClock)).unwrap();
        let key = node.keys.ledger.verifying_key();
        wire::node_told(&wire::ask(channel, wire::answer_request(composed, 0), key).await)
    }

    /// Ends both daemons in an orderly way, and starts them over what then becomes of their state. Gives what each
    /// logged until it served.
    fn restart(&mut self, damage: impl Fn(&Path)) -> [String; 2] {
        self.deployment.stop();
        damage(&World::state(&self.deployment.federation.coordinator.dir));
        damage(&World::state(&self.node().dir));
        [COORDINATOR, NODE].map(|name| {
            self.deployment.start_daemon(name);
            self.deployment.last_log()
        })
    }
}
