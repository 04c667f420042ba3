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
    parse::BoundedText,
    query::QueryKind,
    subjects::{Identifying, Subject},
};
use convenant_setup::load;
use convenant_testkit::{Daemon, Fallible, Fault, Program};
use convenant_wire::v1::{SubmitRequest, register_client::RegisterClient};
use tokio::task::JoinSet;

use crate::{
    Timed,
    setting::{BORN, FIELDS, PROJECT, Setting, VERIFIED_BY, bsns, holder},
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

    /// Lookups of one subject each, so many at a time. Each leader composes on a machine of its own, so
    /// with several at a time all are composed before the clock starts.
    pub(crate) async fn lookups(&self, count: usize, at_once: usize) -> Fallible<Timed> {
        for subject in bsns().take(20) {
            self.lookup(subject).await?;
        }
        let subjects: Vec<_> = bsns().take(100).collect();
        let compose = |subject: &String| -> Fallible<Composed> {
            Ok(self.client.compose(self.about(subject.clone())?)?)
        };
        let composing = Instant::now();
        let ahead = if at_once > 1 { count } else { 0 };
        let composed: Vec<_> =
            subjects.iter().cycle().take(ahead).map(compose).collect::<Result<_, _>>()?;
        if ahead > 0 {
            let each = composing.elapsed() / u32::try_from(ahead)?;
            println!("  composing, on the leader's machine: {:.3} ms", crate::millis(each));
        }
        let (started, mut each, mut running) = (Instant::now(), Vec::new(), JoinSet::new());
        let mut composed = composed.into_iter();
        for subject in subjects.iter().cycle().take(count) {
            if running.len() == at_once {
                each.push(running.join_next().await.ok_or("no task")???);
            }
            let asked = Instant::now();
            let composed = composed.next().map_or_else(|| compose(subject), Ok)?;
            let client = Arc::clone(&self.client);
            let path = self.setting.dir.path().join(format!("{}.arrow", unique()));
            running.spawn(async move {
                send(&client, &composed, &path).await?;
                let took = asked.elapsed();
                std::fs::remove_file(&path)?;
                Ok::<_, Fault>(took)
            });
        }
        while let Some(done) = running.join_next().await {
            each.push(done??);
        }
        Ok(Timed::of(each, started.elapsed()))
    }

    async fn lookup(&self, subject: String) -> Fallible<()> {
        let path = self.setting.dir.path().join(format!("{}.arrow", unique()));
        ask(&self.client, self.about(subject)?, &path).await?;
        Ok(std::fs::remove_file(&path)?)
    }

    /// MiB/s of a large select, and the sealed bytes of its answer.
    pub(crate) async fn select(&self, mib: u64) -> Fallible<(f64, u64)> {
        let mut question = self.question(QueryKind::Select, &holder(mib))?;
        for target in &mut question.targets {
            target.predicate = Some("verblijfplaats_functie_adres = 'W'".parse()?);
        }
        let path = self.setting.dir.path().join(format!("{}.arrow", unique()));
        let started = Instant::now();
        ask(&self.client, question, &path).await?;
        let took = started.elapsed();
        let bytes = std::fs::metadata(&path)?.len();
        std::fs::remove_file(&path)?;
        Ok((crate::mebibytes(bytes) / took.as_secs_f64(), bytes))
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

    fn about(&self, subject: String) -> Fallible<Question> {
        let mut question = self.question(QueryKind::Lookup, "klein")?;
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

async fn ask(client: &Client, question: Question, path: &std::path::Path) -> Fallible<()> {
    send(client, &client.compose(question)?, path).await
}

async fn send(client: &Client, composed: &Composed, path: &std::path::Path) -> Fallible<()> {
    let results = client.send(composed, PATIENCE, |_, _| path.to_owned()).await?;
    match results.first() {
        Some(result) if result.status == Status::Answered && result.file.is_some() => Ok(()),
        other => Err(Fault::from(format!("not answered: {other:?}"))),
    }
}

fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
