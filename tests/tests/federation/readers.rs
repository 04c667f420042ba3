//! Who reads a ledger over the network is on record in that ledger before anything of it is given.

use convenant_demo::Party;
use convenant_ledger::{origin, tile::WIDTH};
use convenant_model::{
    Clock as _,
    entry::{Entry, LedgerRead},
};
use convenant_testkit::{Identity, World};
use convenant_wire::v1::{ReadRequest, ledger_client::LedgerClient};
use tonic::{Status, transport::Channel};

use crate::{replay::audit, support::world, witnesses::exchange};

/// One file of a ledger, as an auditor asks for it.
async fn read(channel: &Channel, origin: &str, path: &str) -> Result<Vec<u8>, Status> {
    let asked = ReadRequest { origin: origin.to_owned(), path: path.to_owned() };
    let content = LedgerClient::new(channel.clone()).read(asked).await?.into_inner().content;
    Ok(content.to_vec())
}

/// The partial bundle with what the checkpoint covers, which an auditor reads next.
async fn bundle(channel: &Channel, origin: &str) -> String {
    let checkpoint = read(channel, origin, "checkpoint").await.unwrap();
    let checkpoint = String::from_utf8(checkpoint).unwrap();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    assert!(size < WIDTH);
    format!("tile/entries/000.p/{size}")
}

fn reads(entries: Vec<Entry>) -> Vec<LedgerRead> {
    let read = |entry| match entry {
        Entry::Read(read) => Some(read),
        _ => None,
    };
    entries.into_iter().filter_map(read).collect()
}

fn auditor(world: &World) -> Identity {
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
