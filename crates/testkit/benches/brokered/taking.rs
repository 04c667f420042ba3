//! A requester that takes an answer as far as a bare relay's does, and trusts nobody: every chunk opened, and the
//! signed outcome verified against what came. It keeps nothing, which is what a client does beside this.

use bytes::Bytes;
use convenant_client::compose::Composed;
use convenant_exchange::OUTCOME_TYPE;
use convenant_model::{
    entry::{SignedOutcome, Status},
    keys::VerifyingKey,
};
use convenant_signing::{
    ChunkHasher, Direction, Opener, SealContext, parse_canonical, verify_compact,
};
use convenant_testkit::{Fallible, Fault};
use convenant_transport::whole;
use convenant_wire::v1::{
    QueryRequest, SealedSubjects, broker_client::BrokerClient, query_frame::Body,
};
use tonic::transport::Channel;

use crate::bare::Carried;

/// Takes a whole answer to the first target; gives what the exchange carried.
pub(crate) async fn take(
    channel: Channel,
    composed: &Composed,
    node: &VerifyingKey,
) -> Fallible<Carried> {
    let sealed = composed.sealed.iter();
    let subjects = sealed
        .map(|(target, sealed)| SealedSubjects { target: *target, sealed: sealed.clone().into() });
    let request =
        QueryRequest { signed_query: composed.signed.clone(), subjects: subjects.collect() };
    let mut broker = BrokerClient::new(whole(channel)).max_decoding_message_size(1 << 20);
    let mut frames = broker.query(request).await?.into_inner();
    let (mut opener, mut hasher, mut bytes) = (None, ChunkHasher::new(), 0);
    while let Some(frame) = frames.message().await? {
        match frame.body {
            Some(Body::EncapsulatedKey(key)) => opener = Some(open(composed, &key)?),
            Some(Body::Chunk(chunk)) => {
                hasher.add(&chunk);
                bytes += chunk.len() as u64;
                opener.as_mut().ok_or("a chunk before the key")?.open(&chunk)?;
            }
            Some(Body::SignedOutcome(signed)) => {
                let verified = verify_compact(&signed, OUTCOME_TYPE, |_| Some(node.clone()))?;
                let outcome: SignedOutcome = parse_canonical(verified.payload(), "outcome")?;
                let agrees = outcome.hash == hasher.finish() && outcome.status == Status::Answered;
                let whole = opener.is_some_and(|opener| opener.finished());
                if !agrees || !whole {
                    return Err("not answered".into());
                }
                return Ok(Carried {
                    query: composed.signed.len(),
                    subjects: composed.sealed.iter().map(|(_, sealed)| sealed.len()).sum(),
                    answer: bytes,
                    outcome: signed.len(),
                });
            }
            other => return Err(Fault::from(format!("not answered: {other:?}"))),
        }
    }
    Err("the answer has no outcome".into())
}

fn open(composed: &Composed, key: &Bytes) -> Fallible<Opener> {
    let target = composed.query.targets.first().ok_or("no target")?;
    let context = SealContext {
        direction: Direction::Result,
        query: composed.query.id,
        target: 0,
        sender: target.partner.clone(),
        recipient: composed.query.requester.partner.clone(),
        signed_query: Some(composed.hash),
    };
    Ok(Opener::new(&composed.opening, &context, key.as_ref().try_into()?)?)
}
