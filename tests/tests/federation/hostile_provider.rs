//! A partner whose node sends what was not asked for, under signatures that hold. The leader's side
//! keeps none of it: whoever asked for three columns must not come to hold a fourth.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    ipc::writer::StreamWriter,
};
use convenant_client::{compose::Composed, receive::ReceiveError};
use convenant_demo::Party;
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    Clock as _, Problem,
    entry::{Entry, SignedOutcome, Status},
    query::QueryKind,
};
use convenant_signing::{
    ChunkHasher, Direction, SealContext, Sealer, SystemRandom, canonical, sign_compact,
};
use convenant_testkit::{
    Tampering, World,
    question::{about, question, target},
};
use convenant_wire::v1::{QueryFrame, query_frame::Body};

use crate::support::{BRP_FIELDS, Results, in_rotterdam, world};

/// Everything that such a node may do to an answer, and it holds: sealed to the leader, signed with the
/// node's own key.
fn forged(world: &World, party: &Party, composed: &Composed, columns: &[&str]) -> Vec<QueryFrame> {
    let cell = || Arc::new(StringArray::from(vec!["0599"])) as ArrayRef;
    let rows = RecordBatch::try_from_iter(columns.iter().map(|name| (*name, cell()))).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), rows.schema_ref()).unwrap();
    writer.write(&rows).unwrap();
    let plain = writer.into_inner().unwrap();
    let context = SealContext {
        direction: Direction::Result,
        query: composed.query.id,
        target: 0,
        sender: party.oin.clone(),
        recipient: composed.query.requester.partner.clone(),
        signed_query: Some(composed.hash),
    };
    let key = &composed.query.requester.sealing_key;
    let (mut sealer, encapsulated) = Sealer::new(key, &context, &SystemRandom::new()).unwrap();
    let sealed = sealer.seal(&plain, true).unwrap();
    let mut hasher = ChunkHasher::new();
    hasher.add(&sealed);
    let outcome = SignedOutcome {
        query: composed.query.id,
        signed_query: composed.hash,
        target: 0,
        partner: party.oin.clone(),
        status: Status::Answered,
        rows: 1,
        bytes: sealed.len() as u64,
        chunks: 1,
        hash: hasher.finish(),
        alarm: false,
        decision: Some(1),
        at: world.clock.now(),
    };
    let signed = sign_compact(OUTCOME_TYPE, &canonical(&outcome).unwrap(), &party.keys.ledger);
    let bodies = [
        Body::EncapsulatedKey(encapsulated.to_vec().into()),
        Body::Chunk(sealed.into()),
        Body::SignedOutcome(signed.unwrap()),
    ];
    bodies.map(|body| QueryFrame { target: 0, body: Some(body) }).to_vec()
}

/// The signed outcome among frames.
fn signed_among(frames: &[QueryFrame]) -> String {
    let signed = frames.iter().find_map(|frame| match &frame.body {
        Some(Body::SignedOutcome(signed)) => Some(signed.clone()),
        _ => None,
    });
    signed.unwrap()
}

#[tokio::test]
async fn columns_that_were_not_asked_for_reach_no_file() {
    let mut world = world(&["rotterdam"]).await;
    let client = world.client().await.unwrap();
    let hostile = world.turn_coordinator().await.unwrap();
    let party = world.partner("rotterdam").unwrap();
    let asked = BRP_FIELDS;
    let with = |more: &[&'static str]| [asked, more].concat();
    let cases: [(&str, Vec<&str>, bool); 6] = [
        ("as asked", asked.to_vec(), true),
        ("what goes with them", with(&["in_onderzoek"]), true),
        ("one more", with(&["naam_voornamen"]), false),
        ("one less", asked[..2].to_vec(), false),
        ("in another sequence", vec![asked[1], asked[0], asked[2]], false),
        ("another in its place", vec![asked[0], asked[1], "naam_voornamen"], false),
    ];
    for (name, columns, fits) in cases {
        let about = about(target(party, asked).unwrap(), in_rotterdam(&world, 1)).unwrap();
        let composed = client.compose(question(QueryKind::Lookup, vec![about]).unwrap()).unwrap();
        let frames = forged(&world, party, &composed, &columns);
        let sent_frames = frames.clone();
        hostile.tamper(Tampering::of_frames(move |_| frames.clone()));
        let results = Results::of(&world, name);
        let sent = results.ask(&client, &composed).await.unwrap();
        if fits {
            assert_eq!(sent[0].status, Status::Answered, "{name}: {:?}", sent[0].refused_here);
            continue;
        }
        assert_eq!(sent[0].status, Status::Failed { problem: Problem::BadSignature }, "{name}");
        let refused = sent[0].refused_here.as_ref().unwrap();
        assert!(matches!(refused, ReceiveError::Columns { .. }), "{name}: {refused}");
        assert!(!refused.to_string().contains("naam_voornamen"), "{refused}");
        assert!(results.are_empty(), "{name}: rows were kept");
        // What the partner signed of it is kept, as evidence.
        let signed = signed_among(&sent_frames);
        let receipts = world.receipts().unwrap();
        let kept = receipts.iter().any(|entry| match entry {
            Entry::Receipt(receipt) => receipt.outcome.as_ref() == Some(&signed),
            _ => false,
        });
        assert!(kept, "{name}: the partner's signature is gone");
    }
}
