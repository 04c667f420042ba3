//! SIGKILL, hundreds of times, of real processes in the midst of queries: what was recorded stays, what was
//! answered was recorded, every daemon starts again by itself, and the audit holds.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use convenant_client::{Client, ClientConfig};
use convenant_model::{QueryId, entry::Status};
use convenant_setup::load;
use convenant_testkit::PortBlock;
use tempfile::TempDir;

use crate::{
    books::{Books, NODE, audit, exchanges},
    deployment::{COORDINATOR, Deployment, written},
};

const ROUNDS: u64 = 200;
/// Queries under way when a daemon is killed.
const AT_ONCE: usize = 3;
/// What the example's project may ask in all.
const QUOTA: usize = 500;
/// What an audit may say after a kill.
const EXPLAINED: [&str; 8] = [
    "UITWISSELING_OPEN",
    "HERSTART_NA_STORING",
    "BYTES_NA_LAATSTE_REGEL",
    "REGELS_NIET_GEDEKT",
    "KNOOPPUNT_NIET_BEREIKT",
    "NIET_AANGEKOMEN",
    "AANKOMST_ONTKEND",
    "TELLING_TE_HOOG",
];
/// Repeats a run's choices; the moments at which the kernel kills are its own.
const SEED: &str = "CONVENANT_TEST_SEED";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_nothing_recorded_is_lost_and_nothing_unrecorded_was_answered() {
    let mut case = Case::start().await;
    for round in 0..ROUNDS {
        let killed = match case.random.below(6) {
            0 => &[COORDINATOR, NODE][..],
            1 | 2 => &[COORDINATOR],
            _ => &[NODE],
        };
        case.round(killed).await;
        if round % 50 == 49 {
            audit(&case.deployment, &EXPLAINED);
        }
        case.restart(killed);
    }
    case.client.take().unwrap().close().await;
    case.deployment.stop();
    audit(&case.deployment, &EXPLAINED);
    assert!(case.books.are_kept(&case.deployment) > 200, "too few checkpoints were seen");
    case.nothing_unrecorded_was_answered();
}

struct Case {
    deployment: Deployment,
    client: Option<Client>,
    random: Random,
    results: PathBuf,
    /// Queries answered in full, with who was killed meanwhile.
    answered: BTreeMap<QueryId, Vec<&'static str>>,
    /// How many were not.
    failed: usize,
    books: Books,
    _folder: TempDir,
    _ports: PortBlock,
}

impl Case {
    async fn start() -> Self {
        let (folder, ports) = (tempfile::tempdir().unwrap(), PortBlock::claim().unwrap());
        let federation = written(folder.path(), 50, &ports);
        // Checkpoints are cosigned as often as possible, so that they too are cut off.
        let poll = ("CONVENANT__REGISTER__POLL_SECONDS", "1".to_owned());
        let mut deployment = Deployment::found(federation, &[poll]);
        deployment.start_daemon(NODE);
        let config: ClientConfig = load(&deployment.federation.leader.config).unwrap();
        let client = Client::open(&config).await.unwrap();
        client.refresh().await.unwrap();
        let results = folder.path().join("results");
        fs::create_dir(&results).unwrap();
        Self {
            deployment,
            client: Some(client),
            random: Random::new(),
            results,
            answered: BTreeMap::new(),
            failed: 0,
            books: Books::default(),
            _folder: folder,
            _ports: ports,
        }
    }

    /// Asks several things at once, and kills before all is answered, or after.
    async fn round(&mut self, killed: &[&'static str]) {
        let client = self.client.as_ref().unwrap();
        let asked: Vec<_> =
            (0..AT_ONCE).map(|at| self.deployment.lookup(client, NODE, at)).collect();
        let results = &self.results;
        let path = |query: &QueryId| results.join(format!("{query}.csv"));
        let sent = asked.iter().map(|composed| {
            client.send(composed, Duration::from_secs(20), |_, _| path(&composed.query.id))
        });
        let after = Duration::from_micros(self.random.below(90_000));
        let deployment = &mut self.deployment;
        let kill = async {
            tokio::time::sleep(after).await;
            killed.iter().for_each(|name| deployment.kill(name));
        };
        let (ended, ()) = tokio::join!(futures::future::join_all(sent), kill);
        for (composed, ended) in asked.iter().zip(ended) {
            let query = composed.query.id;
            let answered = ended.is_ok_and(|one| one[0].status == Status::Answered);
            assert_eq!(path(&query).exists(), answered, "{query}");
            if answered {
                self.answered.insert(query, killed.to_vec());
            } else {
                self.failed += 1;
            }
        }
    }

    /// Notes what is in the files, and starts what was killed, now and then only to kill it again.
    fn restart(&mut self, killed: &[&'static str]) {
        self.books.see(&self.deployment);
        for name in killed {
            if self.random.below(6) == 0 {
                let after = Duration::from_millis(self.random.below(300));
                self.deployment.kill_at_start(name, after);
            }
            self.deployment.start_daemon(name);
        }
    }

    /// Every answer has its permits, and its outcomes where the party lived to write them.
    fn nothing_unrecorded_was_answered(&self) {
        for name in [COORDINATOR, NODE] {
            let (permitted, ended) = exchanges(&self.deployment, name);
            for (query, killed) in &self.answered {
                assert!(permitted.contains(query), "{name} has no permit of {query}");
                let lived = !killed.contains(&name);
                assert!(ended.contains(query) || !lived, "{name} has no outcome of {query}");
            }
            assert!(permitted.len() <= QUOTA, "{name} permitted {}", permitted.len());
            println!("{name}: {} permits, {} outcomes", permitted.len(), ended.len());
        }
        println!("{} answered, {} not", self.answered.len(), self.failed);
        assert!(self.answered.len() > 50 && self.failed > 50, "the kills come at no useful moment");
        assert_eq!(fs::read_dir(&self.results).unwrap().count(), self.answered.len());
    }
}

/// SplitMix64: choices that a seed repeats.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let given = env::var(SEED).ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or(u64::from(now.subsec_nanos()));
        println!("{SEED}={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
