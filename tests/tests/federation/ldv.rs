//! The log of processing (LDV): every person of every answer is one line in it, and where it is mandatory nothing
//! is answered without it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    net::SocketAddr,
};

use convenant_client::{Client, compose::TargetQuestion};
use convenant_demo::{
    pki::{CertificateRequest, Pki},
    population::{Person, ROTTERDAM},
};
use convenant_ledger::merkle::leaf_hash;
use convenant_model::{
    Clock as _, Oin,
    entry::Entry,
    query::{Query, QueryKind},
    subjects::Identifying,
    value::FieldType,
};
use convenant_node::{Node, NodeConfig, NodeError};
use convenant_setup::load;
use convenant_subjects::Pseudonym;
use convenant_testkit::{
    CollectedLine, Collector, Identity, Kept, Manner, Plan, Told, World,
    question::{about, question, target, when},
    today, told,
};
use convenant_wire::v1::{QueryRequest, broker_client::BrokerClient, query_frame::Body};
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    support::{BRP_FIELDS, LONG_FIELDS, Results, ask, in_den_haag, in_rotterdam},
    under_way::long_winded,
};

pub(crate) const MANDATORY: &str =
    "mandatory = true\nmost_behind_seconds = 300\nlongest_pause_seconds = 1";
pub(crate) const VOLUNTARY: &str = "longest_pause_seconds = 1";
/// What a node says that keeps back an answer.
pub(crate) const KEPT_BACK: [&str; 1] = ["NIET_VASTGELEGD"];

/// A world in which one node has a log of processing.
pub(crate) struct Logged {
    pub(crate) world: World,
    node: &'static str,
    pub(crate) kept: Kept,
    address: SocketAddr,
    identity: Identity,
    collector: Option<Collector>,
}

impl Logged {
    /// Nothing of it runs as yet but the coordinator.
    pub(crate) async fn world(node: &'static str, persons: usize, settings: &str) -> Self {
        let mut world = World::start(&Plan { persons, nodes: Vec::new() }).await.unwrap();
        let address = world.spare_address().unwrap();
        let oin = Oin::new("00000099000000007000").unwrap();
        let request = CertificateRequest::new(&oin, "log", today().unwrap());
        let issued = world.federation.pki.issue(&request).unwrap();
        let identity = Identity::write(&world.path("log"), &issued, &world.federation.pki).unwrap();
        let config = format!(
            "\n[ldv]\nendpoint = \"https://localhost:{}\"\n{settings}\n\
             processing_activity = \"https://register.example.nl/verwerkingen/1\"\n\
             [ldv.processing_activities]\n\
             \"svb/aow_uitkering\" = \"https://register.example.nl/verwerkingen/2\"\n\
             [ldv.tls]\nroots = \"../../pki/ca.pem\"\ncertificate = \"tls.pem\"\nkey = \"tls.key\"\n\
             allow_example = true\n",
            address.port()
        );
        append(&world, node, &config);
        let kept = Kept::default();
        Self { world, node, kept, address, identity, collector: None }
    }

    pub(crate) async fn start(node: &'static str, settings: &str) -> Self {
        let mut logged = Self::world(node, 200, settings).await;
        logged.open_log().await;
        logged.world.start_node(node).await.unwrap();
        logged
    }

    pub(crate) async fn open_log(&mut self) {
        let (clock, kept) = (self.world.clock.clone(), &self.kept);
        let collector = Collector::start(self.address, &self.identity, clock, kept).await;
        self.collector = Some(collector.unwrap());
    }

    pub(crate) async fn close_log(&mut self) {
        self.collector.take().unwrap().stop().await.unwrap();
    }

    async fn restart_node(&mut self) {
        self.world.stop_node(self.node).await.unwrap();
        self.world.start_node(self.node).await.unwrap();
    }

    pub(crate) async fn ask(&self, client: &Client) -> Told {
        ask(&self.world, client, &[self.node]).await
    }

    /// Asks until it is answered, which the collector's acknowledgement comes before by a moment.
    pub(crate) async fn answers_again(&self, client: &Client) {
        for _ in 0..20 {
            match &self.ask(client).await[..] {
                [one] if one == "answered" => return,
                other => assert_eq!(other, KEPT_BACK),
            }
        }
        panic!("the node does not answer again");
    }

    pub(crate) fn pseudonym(&self, number: &str) -> String {
        let key = &self.world.partner(self.node).unwrap().keys.pseudonym;
        Pseudonym::of(key, FieldType::Bsn, &Identifying::new(number.to_owned())).to_string()
    }

    pub(crate) fn position(&self) -> std::path::PathBuf {
        World::state(&self.world.partner(self.node).unwrap().dir).join("ldv.position")
    }
}

fn append(world: &World, node: &str, text: &str) {
    let path = &world.partner(node).unwrap().config;
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) fn brp(
    world: &World,
    subjects: Vec<convenant_model::subjects::Subject>,
) -> TargetQuestion {
    about(target(world.partner("rotterdam").unwrap(), BRP_FIELDS).unwrap(), subjects).unwrap()
}

pub(crate) async fn send(
    world: &World,
    client: &Client,
    kind: QueryKind,
    asked: TargetQuestion,
) -> Query {
    let composed = client.compose(question(kind, vec![asked]).unwrap()).unwrap();
    let results = Results::of(world, &composed.query.id.to_string());
    assert_eq!(told(&results.ask(client, &composed).await), ["answered"]);
    composed.query
}

/// The lines by their ids; one that came again is the same.
pub(crate) fn different(lines: Vec<CollectedLine>) -> BTreeMap<Vec<u8>, CollectedLine> {
    let mut found = BTreeMap::<_, CollectedLine>::new();
    for line in lines {
        let before = found.insert(line.span.span_id.clone(), line.clone());
        assert!(before.is_none_or(|before| before.span == line.span), "one id, two lines");
    }
    found
}

/// Whom the lines are about, each once.
pub(crate) fn subjects<'a>(lines: impl IntoIterator<Item = &'a CollectedLine>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for id in lines.into_iter().filter_map(|line| line.attribute("dpl.core.data_subject_id")) {
        assert!(found.insert(id), "somebody has two lines");
    }
    found
}

pub(crate) fn trace_of(line: &CollectedLine) -> String {
    line.span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn hex(query: &Query) -> String {
    query.id.to_string().replace('-', "")
}

fn name_nobody<'a>(lines: &[CollectedLine], people: impl IntoIterator<Item = &'a str>) {
    let text = format!("{lines:?}");
    assert!(people.into_iter().all(|number| !text.contains(number)), "a line names somebody");
}

#[tokio::test]
async fn a_lookup_is_a_line_and_below_it_one_for_each_person_found_or_not() {
    let logged = Logged::start("rotterdam", MANDATORY).await;
    let world = &logged.world;
    let client = world.client().await.unwrap();
    let people = [in_rotterdam(world, 2), in_den_haag(world, 1)].concat();
    let asked = brp(world, people.clone());
    let query = send(world, &client, QueryKind::Lookup, asked).await;

    let lines = logged.kept.different(4).await;
    name_nobody(&lines, people.iter().map(|subject| subject.key.expose()));
    let lines: Vec<_> = different(lines).into_values().collect();
    let expected: BTreeSet<_> =
        people.iter().map(|subject| logged.pseudonym(subject.key.expose())).collect();
    assert_eq!((lines.len(), subjects(&lines)), (4, expected));

    let now = u64::try_from(world.clock.now().millis()).unwrap() * 1_000_000;
    let own = lines.iter().find(|line| line.attribute("dpl.core.data_subject_id").is_none());
    let own = own.unwrap();
    for line in &lines {
        let span = &line.span;
        // Without a trace of the requester's, the query is the trace.
        assert_eq!(trace_of(line), hex(&query));
        assert_eq!(span.span_id.len(), 8);
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (now, now));
        assert_eq!(span.status.as_ref().unwrap().code, 0, "answered is unset");
        assert_eq!(span.flags & 1, 1, "sampled");
        assert_eq!(
            line.attribute("dpl.core.processing_activity_id").unwrap(),
            "https://register.example.nl/verwerkingen/1"
        );
        assert_eq!(line.attribute("dpl.core.foreign_operation.processor"), None);
        assert_eq!(
            line.resource["convenant.party"],
            world.partner("rotterdam").unwrap().oin.as_str()
        );
        assert!(span.name.contains("toeslagenfraude"), "{}", span.name);
        if line.attribute("dpl.core.data_subject_id").is_some() {
            assert_eq!(line.attribute("dpl.core.data_subject_id_type").unwrap(), "BSN");
            assert_eq!(span.parent_span_id, own.span.span_id);
            assert_eq!(span.attributes.len(), 3);
        } else {
            assert!(span.parent_span_id.is_empty());
            assert_eq!(span.attributes.len(), 1);
        }
    }
    // The line leads to the decision.
    let entries = world.node_entries("rotterdam").unwrap();
    let index: usize = own.resource["convenant.entry"].parse().unwrap();
    assert!(matches!(&entries[index], Entry::Decision(decision) if decision.query == query.id));
    let bytes = convenant_ledger::EntryBytes::of(&entries[index]).unwrap();
    assert_eq!(own.resource["convenant.leaf"], leaf_hash(bytes.as_bytes()).to_string());
}

#[tokio::test]
async fn a_select_is_a_line_for_each_person_in_its_rows_and_a_count_is_none() {
    let logged = Logged::start("svb", MANDATORY).await;
    let world = &logged.world;
    let client = world.client().await.unwrap();
    let asked = |fields: &[&str], condition| {
        when(target(world.partner("svb").unwrap(), fields).unwrap(), condition).unwrap()
    };
    let counted = asked(&[], "datum_ingang_recht >= '1980-01-01'");
    send(world, &client, QueryKind::Count, counted).await;
    let selected = asked(&["leefvorm_aow"], "leefvorm_aow = 'alleenstaand'");
    send(world, &client, QueryKind::Select, selected).await;

    let population = world.federation.population.as_ref().unwrap();
    let alone = population.residents_of(ROTTERDAM).map(|(_, person)| person);
    let alone: Vec<_> = alone.filter(|person| person.has_pension_alone()).collect();
    let number = |person: &Person| person.bsn().expose().to_owned();
    let lines = logged.kept.different(alone.len() + 1).await;
    let numbers: Vec<_> = alone.iter().map(|person| number(person)).collect();
    name_nobody(&lines, numbers.iter().map(String::as_str));
    let lines: Vec<_> = different(lines).into_values().collect();
    assert_eq!(lines.len(), alone.len() + 1);
    assert_eq!(subjects(&lines), numbers.iter().map(|one| logged.pseudonym(one)).collect());
    assert!(lines.iter().all(|line| {
        line.attribute("dpl.core.processing_activity_id").unwrap().ends_with("/verwerkingen/2")
    }));
}

#[tokio::test]
async fn an_answer_that_fails_is_an_error_and_about_whom_it_was() {
    let logged = Logged::start("rotterdam", VOLUNTARY).await;
    let world = &logged.world;
    let client = world.client().await.unwrap();
    fs::remove_file(world.partner("rotterdam").unwrap().dir.join("data/brp_persoon.csv")).unwrap();
    assert_eq!(logged.ask(&client).await, ["BRON_NIET_BESCHIKBAAR"]);
    let lines: Vec<_> = different(logged.kept.different(2).await).into_values().collect();
    assert!(lines.iter().all(|line| line.span.status.as_ref().unwrap().code == 2));
    let person = &in_rotterdam(world, 1)[0];
    assert_eq!(subjects(&lines), BTreeSet::from([logged.pseudonym(person.key.expose())]));
}

#[tokio::test]
async fn an_answer_under_way_holds_up_no_other_s_lines() {
    let mut logged = Logged::world("rotterdam", 200, VOLUNTARY).await;
    logged.open_log().await;
    long_winded(&mut logged.world, "rotterdam", "brp_persoon.csv").await;
    let world = &logged.world;
    let client = world.client().await.unwrap();
    let asked = target(world.partner("rotterdam").unwrap(), LONG_FIELDS).unwrap();
    let asked = when(asked, "verblijfplaats_functie_adres in ('W', 'B')").unwrap();
    let long = client.compose(question(QueryKind::Select, vec![asked]).unwrap()).unwrap();
    let request = QueryRequest { signed_query: long.signed.clone(), subjects: Vec::new() };
    let broker = BrokerClient::new(client.channel()).max_decoding_message_size(4 << 20);
    let mut answer = broker.clone().query(request).await.unwrap().into_inner();
    // A first chunk; the rest waits until it is read.
    while !matches!(answer.message().await.unwrap().unwrap().body, Some(Body::Chunk(_))) {}

    let short = send(world, &client, QueryKind::Lookup, brp(world, in_rotterdam(world, 1))).await;
    let lines = different(logged.kept.different(2).await);
    assert_eq!(lines.len(), 2);
    assert!(lines.values().all(|line| trace_of(line) == hex(&short)));
    assert!(!logged.position().exists(), "the first records are still to be delivered");

    // The requester goes away a while later, which is no error.
    world.clock.advance(5);
    drop(answer);
    let came = logged.kept.different(4).await;
    let lines = different(came.clone());
    assert_eq!(lines.len(), came.len(), "who is in rows of several parts has one line");
    let of_long = lines.values().filter(|line| trace_of(line) == hex(&long.query));
    assert!(of_long.clone().count() >= 2);
    assert!(of_long.clone().all(|line| line.span.status.as_ref().unwrap().code == 0));
    let took = |line: &CollectedLine| line.span.end_time_unix_nano - line.span.start_time_unix_nano;
    assert!(of_long.clone().all(|line| took(line) == 5_000_000_000));
    assert_eq!(subjects(of_long.clone()).len(), of_long.count() - 1);
}

#[tokio::test]
async fn nothing_is_lost_or_new_when_node_and_log_start_again() {
    let mut logged = Logged::world("rotterdam", 200, VOLUNTARY).await;
    logged.world.start_node("rotterdam").await.unwrap();
    let client = logged.world.client().await.unwrap();
    // Nobody takes the lines; the answers go on, because the log is not mandatory.
    let people = in_rotterdam(&logged.world, 3);
    for subject in &people {
        let asked = brp(&logged.world, vec![subject.clone()]);
        send(&logged.world, &client, QueryKind::Lookup, asked).await;
    }
    logged.world.stop_node("rotterdam").await.unwrap();
    logged.open_log().await;
    logged.world.start_node("rotterdam").await.unwrap();
    let first = different(logged.kept.different(6).await);
    assert_eq!(subjects(first.values()).len(), 3);

    // One more while the log is away, and the position is lost.
    logged.close_log().await;
    assert_eq!(logged.ask(&client).await, ["answered"]);
    logged.world.stop_node("rotterdam").await.unwrap();
    fs::remove_file(logged.position()).unwrap();
    logged.open_log().await;
    logged.world.start_node("rotterdam").await.unwrap();
    let lines = logged.kept.different(8).await;
    assert!(lines.len() >= 6 + 8, "everything was sent again");
    let second = different(lines);
    assert_eq!(second.len(), 8);
    assert!(first.iter().all(|(id, line)| second[id].span == line.span));

    // What was acknowledged is not sent a third time.
    logged.world.stop_node("rotterdam").await.unwrap();
    assert_eq!(fs::read_to_string(logged.position()).unwrap(), "4\n");
    let (calls, lines) = (logged.kept.calls(), logged.kept.lines().len());
    logged.world.start_node("rotterdam").await.unwrap();
    logged.kept.called(calls + 1).await;
    logged.restart_node().await;
    assert_eq!(logged.kept.lines().len(), lines);
}

#[tokio::test]
async fn lines_that_the_log_does_not_keep_close_the_node_until_it_keeps_them() {
    let manners = [
        Manner::RejectsOne,
        Manner::Fails(Code::InvalidArgument),
        Manner::Fails(Code::Unavailable),
        Manner::Fails(Code::ResourceExhausted),
    ];
    let logged = Logged::start("rotterdam", MANDATORY).await;
    let client = logged.world.client().await.unwrap();
    logged.kept.called(1).await;
    logged.answers_again(&client).await;
    let mut expected = 2;
    logged.kept.different(expected).await;
    for manner in manners {
        let before = logged.kept.calls();
        logged.kept.behave(manner);
        // What is not acknowledged yet may be on its way.
        assert_eq!(logged.ask(&client).await, ["answered"]);
        logged.kept.called(before + 1).await;
        logged.world.clock.advance(301);
        assert_eq!(logged.ask(&client).await, KEPT_BACK, "{manner:?}");
        logged.kept.behave(Manner::Remarks);
        expected += 2;
        logged.kept.different(expected).await;
        logged.answers_again(&client).await;
        expected += 2;
        assert_eq!(different(logged.kept.different(expected).await).len(), expected, "{manner:?}");
    }
    // What was kept back was on record as that.
    let entries = logged.world.node_entries("rotterdam").unwrap();
    let kept_back = entries.iter().filter(|entry| {
        matches!(entry, Entry::Outcome(outcome) if format!("{:?}", outcome.results).contains("NotRecorded"))
    });
    assert!(kept_back.count() >= manners.len());
}

#[tokio::test]
async fn without_the_log_a_node_starts_and_says_nothing_of_people() {
    let mut logged = Logged::world("rotterdam", 200, MANDATORY).await;
    logged.world.start_node("rotterdam").await.unwrap();
    let client = logged.world.client().await.unwrap();
    assert_eq!(logged.ask(&client).await, KEPT_BACK);
    let journal = World::state(&logged.world.partner("rotterdam").unwrap().dir).join("subjects");
    assert_eq!(convenant_subjects::records_from(&journal, 0).unwrap().count(), 0);
    // A number is about nobody.
    let rotterdam = logged.world.partner("rotterdam").unwrap();
    let counted = target(rotterdam, &[]).unwrap();
    let counted = when(counted, "verblijfplaats_functie_adres in ('W', 'B')").unwrap();
    send(&logged.world, &client, QueryKind::Count, counted).await;

    // Somebody else in its place is not it.
    let foreign = Pki::create(&logged.world.path("foreign"), today().unwrap()).unwrap();
    let mut foreign = foreign;
    let oin = Oin::new("00000099000000007000").unwrap();
    let issued = foreign.issue(&CertificateRequest::new(&oin, "log", today().unwrap())).unwrap();
    let folder = logged.world.path("impostor");
    let impostor = Identity::write(&folder, &issued, &logged.world.federation.pki).unwrap();
    let right = std::mem::replace(&mut logged.identity, impostor);
    logged.open_log().await;
    logged.restart_node().await;
    assert_eq!(logged.ask(&client).await, KEPT_BACK);
    assert_eq!(logged.kept.calls(), 0);

    logged.close_log().await;
    logged.identity = right;
    logged.open_log().await;
    logged.kept.called(1).await;
    logged.answers_again(&client).await;
    logged.kept.different(2).await;
}

#[tokio::test]
async fn a_log_that_goes_away_closes_the_node_when_lines_wait_too_long() {
    let mut logged = Logged::start("rotterdam", MANDATORY).await;
    let client = logged.world.client().await.unwrap();
    logged.kept.called(1).await;
    logged.answers_again(&client).await;
    logged.kept.different(2).await;
    logged.close_log().await;
    // Nothing waits, however long that is.
    logged.world.clock.advance(301);
    let door = TcpListener::bind(logged.address).await.unwrap();
    assert_eq!(logged.ask(&client).await, ["answered"]);
    // It tries to deliver.
    drop(door.accept().await.unwrap());
    drop(door);
    logged.world.clock.advance(300);
    assert_eq!(logged.ask(&client).await, ["answered"]);
    logged.world.clock.advance(1);
    assert_eq!(logged.ask(&client).await, KEPT_BACK);
    // A new start is no way around it.
    logged.restart_node().await;
    assert_eq!(logged.ask(&client).await, KEPT_BACK);
    logged.open_log().await;
    logged.kept.different(6).await;
    logged.answers_again(&client).await;
    assert_eq!(different(logged.kept.different(8).await).len(), 8);
}

#[tokio::test]
async fn none_of_a_thousand_people_is_left_out() {
    let mut logged = Logged::world("rotterdam", 6000, VOLUNTARY).await;
    logged.open_log().await;
    logged.world.start_node("rotterdam").await.unwrap();
    let client = logged.world.client().await.unwrap();
    let people = in_rotterdam(&logged.world, 1000);
    let expected: BTreeSet<_> =
        people.iter().map(|subject| logged.pseudonym(subject.key.expose())).collect();
    // The mandate lets 100 be asked about at once.
    for half in people.chunks(100) {
        let asked = brp(&logged.world, half.to_vec());
        send(&logged.world, &client, QueryKind::Lookup, asked).await;
    }
    let lines = logged.kept.different(1010).await;
    assert_eq!((lines.len(), subjects(&lines)), (1010, expected));
}

#[tokio::test]
async fn a_log_that_cannot_be_is_told_at_the_start() {
    let world = World::start(&Plan { persons: 200, nodes: Vec::new() }).await.unwrap();
    let path = world.partner("rotterdam").unwrap().config.clone();
    let whole = fs::read_to_string(&path).unwrap();
    let setting_up = |section: &str, config: &str| -> String {
        let activity = "processing_activity = \"urn:example:1\"";
        fs::write(&path, format!("{config}\n[ldv]\n{activity}\n{section}")).unwrap();
        match load::<NodeConfig>(&path) {
            Err(error) => format!("{error}: {}", std::error::Error::source(&error).unwrap()),
            Ok(config) => match Node::set_up(config).map(drop).unwrap_err() {
                NodeError::Ldv(error) => std::error::Error::source(&error).unwrap().to_string(),
                other => other.to_string(),
            },
        }
    };
    let told = |section: &str| setting_up(section, &whole);
    assert!(told("endpoint = \"http://log.example.nl:4317\"").contains("neither `https` nor"));
    assert!(
        told("endpoint = \"https://log.example.nl:4317\"").contains("files of TLS are missing")
    );
    let half =
        "endpoint = \"https://log.example.nl:4317\"\n[ldv.tls]\nroots = \"../../pki/ca.pem\"\n";
    let example = told(half);
    assert!(example.contains("example certificate"), "{example}");
    let half = format!("{half}allow_example = true\ncertificate = \"tls.pem\"\n");
    assert_eq!(told(&half), "certificate and key go together");
    let activity =
        "endpoint = \"http://127.0.0.1:1\"\n[ldv.processing_activities]\n\"a/b\" = \"12\"";
    assert!(told(activity).contains("`12` is no URI"));
    let (before, rest) = whole.split_once("[subjects]").unwrap();
    let after = rest.split_once("\n[").unwrap().1;
    let without = format!("{before}\n[{after}");
    let nobody = setting_up("endpoint = \"http://127.0.0.1:1\"", &without);
    assert_eq!(nobody, "section `ldv` needs section `subjects`");
}
