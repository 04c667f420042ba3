//! The brokered side: the built binary's daemons, and the client.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use convenant_client::{
    Client, ClientConfig,
    compose::{Composed, Question, Subjects, TargetQuestion},
};
use convenant_model::{
    FieldName, ProjectId,
    entry::Status,
    keys::VerifyingKey,
    parse::BoundedText,
    query::QueryKind,
    subjects::{Identifying, Subject},
};
use convenant_setup::load;
use convenant_testkit::{Daemon, Fallible, Fault, Program};
use convenant_wire::v1::{SubmitRequest, register_client::RegisterClient};

use crate::{
    Timed,
    bare::Carried,
    setting::{BORN, FIELDS, PROJECT, Setting, VERIFIED_BY, bsns},
    taking::take,
};

const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Ours<'a> {
    setting: &'a Setting,
    daemons: BTreeMap<String, Daemon>,
    client: Arc<Client>,
}

impl<'a> Ours<'a> {
    pub(crate) async fn start(setting: &'a Setting) -> Fallible<Self> {
        let (program, federation) = (Program::find()?, &setting.federation);
        let mut daemons = BTreeMap::new();
        let start = |role: &str, config: &std::path::Path, name: &str| {
            let arguments = [role, "run", "--config", config.to_str().unwrap_or_default()];
            program.daemon(&arguments, &setting.dir.path().join(format!("{name}.log")))
        };
        let coordinator = start("coordinator", &federation.coordinator.config, "coordinator")?;
        daemons.insert("coordinator".to_owned(), coordinator);
        for party in &federation.partners {
            daemons.insert(party.name.clone(), start("node", &party.config, &party.name)?);
        }
        let config: ClientConfig = load(&federation.leader.config)?;
        let client = Client::open(&config).await?;
        let mut register = RegisterClient::new(client.channel());
        for document in &federation.documents {
            if !document.founds() {
                let document = document.jws.to_json().into();
                register.submit(SubmitRequest { document }).await?;
            }
        }
        client.refresh().await?;
        Ok(Self { setting, daemons, client: Arc::new(client) })
    }

    /// A requester of one node.
    fn leader(&self, name: &str, leader: Leader) -> Fallible<Asking> {
        let party = self.setting.federation.partner(name).ok_or("no such partner")?;
        let node = party.keys.ledger.verifying_key().clone();
        Ok(Asking { client: Arc::clone(&self.client), node, leader })
    }

    /// Lookups of one subject each, so many at a time. Each leader composes on a machine of its own, so
    /// with several at a time all are composed before the clock starts. Nobody deletes results at once, so these are
    /// deleted after it stops: some file systems are slow at a new file beside ones that were just deleted.
    pub(crate) async fn lookups(
        &self,
        (name, leader): (&str, Leader),
        count: usize,
        at_once: usize,
    ) -> Fallible<Timed> {
        let asking = self.leader(name, leader)?;
        for subject in bsns().take(20) {
            let path = self.setting.dir.path().join(format!("{}.arrow", unique()));
            asking.ask(&self.client.compose(self.about(name, subject)?)?, &path).await?;
        }
        let subjects: Vec<_> = bsns().take(100).collect();
        let subjects = subjects.iter().cycle().take(count);
        let questions = subjects.map(|subject| self.about(name, subject.clone()));
        let composing = Instant::now();
        let asked = questions.map(|question| match at_once {
            1 => Ok(Asked::Question(question?)),
            _ => Ok(Asked::Composed(Box::new(self.client.compose(question?)?))),
        });
        let asked = asked.collect::<Fallible<Vec<_>>>()?;
        if at_once > 1 {
            let each = composing.elapsed() / u32::try_from(count)?;
            println!("  composing, on the leader's machine: {:.3} ms", crate::millis(each));
        }
        let results = tempfile::tempdir_in(self.setting.dir.path())?;
        let mut shares: Vec<Vec<_>> = (0..at_once).map(|_| Vec::new()).collect();
        asked.into_iter().enumerate().for_each(|(i, one)| shares[i % at_once].push(one));
        let started = Instant::now();
        let leaders = shares.into_iter().map(|share| {
            let (asking, folder) = (asking.clone(), results.path().to_owned());
            tokio::spawn(async move { asking.ask_all(share, &folder).await })
        });
        let mut each = Vec::new();
        for leader in leaders.collect::<Vec<_>>() {
            each.append(&mut leader.await??);
        }
        Ok(Timed::of(each, started.elapsed()))
    }

    /// What a lookup of one subject carries.
    pub(crate) async fn carried(&self, name: &str) -> Fallible<Carried> {
        let subject = bsns().next().ok_or("no subject")?;
        let composed = self.client.compose(self.about(name, subject)?)?;
        take(self.client.channel(), &composed, &self.leader(name, Leader::Takes)?.node).await
    }

    /// How long a large select takes, and what it carries: of one that is kept, the bytes of the file.
    pub(crate) async fn select(&self, name: &str, leader: Leader) -> Fallible<(Duration, Carried)> {
        let asking = self.leader(name, leader)?;
        let mut question = self.question(QueryKind::Select, name)?;
        for target in &mut question.targets {
            target.predicate = Some("verblijfplaats_functie_adres = 'W'".parse()?);
        }
        let path = self.setting.dir.path().join(format!("{}.arrow", unique()));
        let started = Instant::now();
        let carried = asking.ask(&self.client.compose(question)?, &path).await?;
        let took = started.elapsed();
        if path.exists() {
            std::fs::remove_file(path)?;
        }
        Ok((took, carried))
    }

    /// Peak resident memory of each daemon in MiB (`VmHWM`).
    pub(crate) fn resident(&self) -> Fallible<Vec<(String, u64)>> {
        let peak = |(name, daemon): (&String, &Daemon)| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib: u64 =
                line.and_then(|l| l.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
            Ok((name.clone(), kib / 1024))
        };
        self.daemons.iter().map(peak).collect()
    }

    pub(crate) fn stop(self) -> Fallible<()> {
        self.daemons.into_values().try_for_each(Daemon::stop)
    }

    fn about(&self, name: &str, subject: String) -> Fallible<Question> {
        let mut question = self.question(QueryKind::Lookup, name)?;
        for target in &mut question.targets {
            target.subjects = Some(Subjects {
                key: FieldName::new("burgerservicenummer")?,
                verified_by: Some(FieldName::new(VERIFIED_BY)?),
                list: vec![Subject {
                    key: Identifying::new(subject.clone()),
                    verify: Some(Identifying::new(BORN.to_owned())),
                }],
                vouchers: Vec::new(),
            });
        }
        Ok(question)
    }

    fn question(&self, kind: QueryKind, name: &str) -> Fallible<Question> {
        let party = self.setting.federation.partner(name).ok_or("no such partner")?;
        let target = TargetQuestion {
            partner: party.oin.clone(),
            dataset: party.datasets.first().ok_or("serves nothing")?.clone(),
            fields: FIELDS.iter().map(|field| FieldName::new(*field)).collect::<Result<_, _>>()?,
            predicate: None,
            subjects: None,
            vouch: None,
        };
        Ok(Question {
            project: ProjectId::new(PROJECT)?,
            kind,
            targets: vec![target],
            goal: None,
            retention_days: Some(1),
            justification: BoundedText::new("meting")?,
            delayed_disclosure: None,
            minutes: 10,
        })
    }
}

/// What a requester does with an answer.
#[derive(Clone, Copy)]
pub(crate) enum Leader {
    /// Takes and verifies it, which is where a bare relay's requester ends too.
    Takes,
    /// Brings a receipt and the rows to his own disk besides, as the client does.
    Keeps,
}

#[derive(Clone)]
struct Asking {
    client: Arc<Client>,
    node: VerifyingKey,
    leader: Leader,
}

/// What a leader sends, or has still to compose.
enum Asked {
    Question(Question),
    Composed(Box<Composed>),
}

impl Asking {
    /// One after the other; gives how long each took.
    async fn ask_all(self, all: Vec<Asked>, folder: &std::path::Path) -> Fallible<Vec<Duration>> {
        let mut each = Vec::with_capacity(all.len());
        for asked in all {
            let path = folder.join(format!("{}.arrow", unique()));
            let started = Instant::now();
            let composed = match asked {
                Asked::Question(question) => Box::new(self.client.compose(question)?),
                Asked::Composed(composed) => composed,
            };
            self.ask(&composed, &path).await?;
            each.push(started.elapsed());
        }
        Ok(each)
    }

    async fn ask(&self, composed: &Composed, path: &std::path::Path) -> Fallible<Carried> {
        if matches!(self.leader, Leader::Takes) {
            return take(self.client.channel(), composed, &self.node).await;
        }
        let results = self.client.send(composed, PATIENCE, |_, _| path.to_owned()).await?;
        match results.first() {
            Some(result) if result.status == Status::Answered && result.file.is_some() => {
                let (query, answer) = (composed.signed.len(), std::fs::metadata(path)?.len());
                Ok(Carried { query, subjects: 0, answer, outcome: 0 })
            }
            other => Err(Fault::from(format!("not answered: {other:?}"))),
        }
    }
}

fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
