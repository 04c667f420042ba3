//! An answer so long that it is still under way when something happens.

use std::{fs, path::PathBuf};

use convenant_client::{Client, compose::Composed};
use convenant_demo::SignedDocument;
use convenant_model::{
    entry::{SignedOutcome, Status},
    keys::VerifyingKey,
};
use convenant_signing::{parse_canonical, peek_compact};
use convenant_testkit::World;
use convenant_wire::v1::{
    QueryFrame, QueryRequest, SealedSubjects, broker_client::BrokerClient, query_frame::Body,
};
use tonic::Streaming;

/// Makes a node's answers so long that they cannot all be under way before the leader reads them.
pub(crate) async fn long_winded(world: &mut World, name: &str, file: &str) {
    let file = data(world, name, file);
    let text = fs::read_to_string(&file).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let copies = (40 << 20) / rows.len();
    fs::write(&file, format!("{header}\n{}", rows.repeat(copies))).unwrap();
    // A second version of the covenant, which lets so much leave at once.
    let covenant = world.federation.spec.covenant.clone();
    let covenant = covenant.replace("\nversion = 1\n", "\nversion = 2\n");
    let covenant = covenant.replace("max_rows = 10000 ", "max_rows = 4000000 ");
    let keys = world.federation.quorum_keys();
    let amended = SignedDocument::covenant(&covenant, keys).unwrap();
    world.submit(&amended).await.unwrap();
    world.start_node(name).await.unwrap();
}

fn data(world: &World, name: &str, file: &str) -> PathBuf {
    world.partner(name).unwrap().dir.join("data").join(file)
}

/// Chunks that all of a node's file would take, roughly.
pub(crate) fn chunks_of(world: &World, name: &str, file: &str) -> u64 {
    fs::metadata(data(world, name, file)).unwrap().len() / (256 << 10)
}

/// An answer of which one chunk was read; the rest waits until it is.
pub(crate) struct UnderWay {
    answer: Streaming<QueryFrame>,
    chunks: u64,
}

impl UnderWay {
    pub(crate) async fn begin(client: &Client, composed: &Composed) -> Self {
        let sealed = composed.sealed.iter().cloned();
        let subjects =
            sealed.map(|(target, sealed)| SealedSubjects { target, sealed: sealed.into() });
        let request =
            QueryRequest { signed_query: composed.signed.clone(), subjects: subjects.collect() };
        let broker = BrokerClient::new(client.channel()).max_decoding_message_size(4 << 20);
        let mut answer = broker.clone().query(request).await.unwrap().into_inner();
        let mut chunks = 0;
        while chunks == 0 {
            let frame = answer.message().await.unwrap().unwrap();
            chunks += u64::from(matches!(frame.body, Some(Body::Chunk(_))));
        }
        Self { answer, chunks }
    }

    /// Reads the rest: what the node signed of it, and how many chunks came.
    pub(crate) async fn end(mut self, ledger_key: &VerifyingKey) -> (Status, u64) {
        let mut signed = None;
        while let Some(frame) = self.answer.message().await.unwrap() {
            match frame.body {
                Some(Body::Chunk(_)) => self.chunks += 1,
                Some(Body::SignedOutcome(outcome)) => signed = Some(outcome),
                other => panic!("{other:?}"),
            }
        }
        let unverified = peek_compact(signed.as_ref().unwrap(), convenant_exchange::OUTCOME_TYPE);
        let verified = unverified.unwrap().verify(ledger_key).unwrap();
        let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome").unwrap();
        // Some were under way and are void.
        assert_eq!(outcome.chunks, self.chunks);
        (outcome.status, self.chunks)
    }
}
