//! Who reads a ledger over the network is on record in that ledger before anything of it is given.

use std::time::{Duration, Instant};

use convenant_demo::Party;
use convenant_ledger::{origin, tile::WIDTH};
use convenant_model::{
    Clock as _,
    entry::{Entry, LedgerRead},
};
use convenant_testkit::{Identity, World};
use convenant_wire::v1::{
    QueryRequest, ReadRequest, broker_client::BrokerClient, ledger_client::LedgerClient,
};
use tonic::{Status, transport::Channel};

use crate::{replay::audit, support::world, witnesses::exchange};

/// One file of a ledger, as an auditor asks for it.
pub(crate) async fn read(channel: &Channel, origin: &str, path: &str) -> Result<Vec<u8>, Status> {
    let asked = ReadRequest { origin: origin.to_owned(), path: path.to_owned() };
    let content = LedgerClient::new(channel.clone()).read(asked).await?.into_inner().content;
    Ok(content.to_vec())
}

/// The partial bundle with what the checkpoint covers, which an auditor reads next.
pub(crate) async fn bundle(channel: &Channel, origin: &str) -> String {
    let size = size(channel, origin).await;
    assert!(size < WIDTH);
    format!("tile/entries/000.p/{size}")
}

/// How many entries the checkpoint covers.
async fn size(channel: &Channel, origin: &str) -> u64 {
    let checkpoint = read(channel, origin, "checkpoint").await.unwrap();
    let checkpoint = String::from_utf8(checkpoint).unwrap();
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

pub(crate) fn reads(entries: Vec<Entry>) -> Vec<LedgerRead> {
    let read = |entry| match entry {
        Entry::Read(read) => Some(read),
        _ => None,
    };
    entries.into_iter().filter_map(read).collect()
}

pub(crate) fn auditor(world: &World) -> Identity {
    Identity::of_party(&world.federation.auditor, &world.federation.pki)
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_on_record_once_in_some_minutes_and_the_audit_tells_of_it() {
    let mut world = world(&["rotterdam"]).await;
    exchange(&world).await;
    let (node, coordinator) = (world.partner("rotterdam").unwrap(), &world.federation.coordinator);
    let channel = |party: &Party| world.to(&auditor(&world), party).unwrap();
    let (at_node, at_coordinator) = (channel(node), channel(coordinator));
    let (node, coordinator) = (node.oin.clone(), coordinator.oin.clone());
    let of_node = origin::node(&node).unwrap().as_str().to_owned();
    let began = world.clock.now();

    // A checkpoint, hashes and what is not there tell nothing of the entries.
    let path = bundle(&at_node, &of_node).await;
    let hashes = path.replace("entries", "0");
    assert!(!read(&at_node, &of_node, &hashes).await.unwrap().is_empty());
    let missing = read(&at_node, &of_node, "tile/entries/009").await.unwrap_err();
    assert_eq!(missing.code(), tonic::Code::NotFound);
    // Many bundles at once, and what is written by reading, read in turn.
    let at_once = (0..20).map(|_| {
        let (channel, origin, path) = (at_node.clone(), of_node.clone(), path.clone());
        tokio::spawn(async move { read(&channel, &origin, &path).await.unwrap() })
    });
    for one in at_once.collect::<Vec<_>>() {
        assert!(!one.await.unwrap().is_empty());
    }
    for _ in 0..3 {
        let grown = bundle(&at_node, &of_node).await;
        assert!(!read(&at_node, &of_node, &grown).await.unwrap().is_empty());
    }
    // The register is everybody's to follow.
    let register = origin::register(&coordinator).unwrap().as_str().to_owned();
    let documents = bundle(&at_coordinator, &register).await;
    assert!(!read(&at_coordinator, &register, &documents).await.unwrap().is_empty());

    world.clock.advance(LedgerRead::MINUTES * 60 - 1);
    read(&at_node, &of_node, &path).await.unwrap();
    world.clock.advance(1);
    read(&at_node, &of_node, &path).await.unwrap();
    // A clock that is set back hides no reading.
    world.clock.advance(-3600);
    read(&at_node, &of_node, &path).await.unwrap();
    world.shut_down().await.unwrap();

    let entries = world.node_entries("rotterdam").unwrap();
    let [first, second, third] = <[LedgerRead; 3]>::try_from(reads(entries.clone())).unwrap();
    let minutes = |one: &LedgerRead| one.at.seconds_since(began) / 60;
    assert_eq!([minutes(&first), minutes(&second)], [0, LedgerRead::MINUTES]);
    assert!(third.at < first.at);
    let place = |of: &LedgerRead| {
        entries.iter().position(|one| *one == Entry::Read(of.clone())).unwrap() as u64
    };
    for one in [&first, &second, &third] {
        assert_eq!((&one.party, &one.reader), (&node, &world.federation.auditor.oin));
        assert_eq!((one.from, one.until), (0, place(one)));
    }
    assert_eq!(reads(world.coordinator_entries().unwrap()), [], "the register was read, not this");

    let report = audit(&world);
    assert!(report.holds(), "{report}");
    let of_node = report.ledgers.iter().find(|one| one.name.starts_with("node/")).unwrap();
    let cosigned = of_node.cosigned.iter().map(|one| one.entries).max();
    assert!(cosigned > Some(place(&third)), "the witness cosigns what tells of readers");
    let [told] = report.answers.readers.as_slice() else { panic!("{report}") };
    assert_eq!((&told.reader, told.pin), (&world.federation.auditor.oin, first.pin));
    assert_eq!(told.ledger.to_string(), format!("node/{node}"));
    assert_eq!((told.from, told.until), (0, place(&third)));
    assert_eq!((told.first, told.last), (Some(third.at), Some(second.at)));
    let behind: Vec<_> = told.entries.first.iter().map(|one| one.entry).collect();
    assert_eq!(behind, [&first, &second, &third].map(place));
}

/// Has so many entries written that say that something was no query.
async fn grow(world: &World, entries: u64) {
    let mut broker = BrokerClient::new(world.to_coordinator(&world.leader()).unwrap());
    for number in 0..entries {
        let signed_query = format!("no query {number}");
        let asked = QueryRequest { signed_query, subjects: Vec::new() };
        assert!(broker.query(asked).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_back_before_where_reading_began_is_on_record_once_more_from_the_beginning() {
    let mut world = world(&[]).await;
    grow(&world, 2 * WIDTH).await;
    let coordinator = &world.federation.coordinator;
    let origin = origin::coordinator(&coordinator.oin).unwrap().as_str().to_owned();
    let channel = world.to(&auditor(&world), coordinator).unwrap();
    // Nobody waits for a rejection to be published.
    let began = Instant::now();
    while size(&channel, &origin).await < 2 * WIDTH {
        assert!(began.elapsed() < Duration::from_secs(20), "the ledger does not grow");
    }
    let first = |path: &'static str| {
        let (channel, origin) = (channel.clone(), origin.clone());
        async move { assert!(!read(&channel, &origin, path).await.unwrap().is_empty()) }
    };
    // On from the second page, …
    first("tile/entries/001").await;
    first("tile/entries/001").await;
    // … back to the first, which is one more, and then wherever.
    for path in ["tile/entries/000", "tile/entries/001", "tile/entries/000"] {
        first(path).await;
    }
    // Both stand for these minutes; in the next ones it begins anew, and goes back anew.
    world.clock.advance(LedgerRead::MINUTES * 60);
    first("tile/entries/001").await;
    first("tile/entries/000").await;
    world.shut_down().await.unwrap();

    let entries = world.coordinator_entries().unwrap();
    let reads = reads(entries.clone());
    assert_eq!(reads.iter().map(|one| one.from).collect::<Vec<_>>(), [WIDTH, 0, WIDTH, 0]);
    for one in &reads {
        let place = entries.iter().position(|entry| *entry == Entry::Read(one.clone())).unwrap();
        assert_eq!((&one.reader, one.until), (&world.federation.auditor.oin, place as u64));
    }
    let report = audit(&world);
    assert!(report.holds(), "{report}");
    let [told] = report.answers.readers.as_slice() else { panic!("{report}") };
    assert_eq!((told.from, told.entries.number), (0, 4), "the audit tells of the widest range");
}
