//! What a party can put on the wire that no client of ours would: any signed text to any node, any
//! bytes to any method.

use bytes::{Buf as _, BufMut as _, Bytes};
use convenant_client::compose::Composed;
use convenant_exchange::{OUTCOME_TYPE, QUERY_TYPE};
use convenant_model::{entry::SignedOutcome, keys::VerifyingKey, query::Query};
use convenant_signing::{
    SigningKey, canonical, key_id, parse_canonical, peek_compact, sha256, sign_compact,
    verify_compact,
};
use convenant_wire::v1::{AnswerRequest, answer_frame::Body, exchange_client::ExchangeClient};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::{
    Fallible,
    told::{Told, of_grpc, of_status},
};

/// Signs a changed query again, so that signature and hash are those of what it says now.
///
/// # Errors
/// When it has no canonical form.
pub fn sign_again(composed: &mut Composed, key: &SigningKey) -> Fallible<()> {
    composed.signed = sign_compact(QUERY_TYPE, &canonical(&composed.query)?, key)?;
    composed.hash = sha256(composed.signed.as_bytes());
    Ok(())
}

/// The query in a compact JWS, whoever signed it.
///
/// # Errors
/// When it is malformed.
pub fn query_of(signed: &str) -> Fallible<Query> {
    Ok(parse_canonical(peek_compact(signed, QUERY_TYPE)?.payload(), "query")?)
}

/// The same signature over a query that was changed on its way.
///
/// # Errors
/// When the text is no signed query.
pub fn alter_signed(signed: &str, change: impl FnOnce(&mut Query)) -> Fallible<String> {
    let mut query = query_of(signed)?;
    change(&mut query);
    let other = SigningKey::generate(&convenant_signing::SystemRandom::new())?;
    let forged = sign_compact(QUERY_TYPE, &canonical(&query)?, &other)?;
    let parts = |text: &str| -> Vec<String> { text.split('.').map(str::to_owned).collect() };
    let (own, new) = (parts(signed), parts(&forged));
    match (own.as_slice(), new.as_slice()) {
        ([header, _, signature], [_, payload, _]) => Ok(format!("{header}.{payload}.{signature}")),
        _ => Err("not a compact JWS".into()),
    }
}

/// The request for one target as a coordinator makes it.
#[must_use]
pub fn answer_request(composed: &Composed, target: u32) -> AnswerRequest {
    let sealed = composed.sealed.iter().find(|(of, _)| *of == target);
    AnswerRequest {
        signed_query: composed.signed.clone(),
        target,
        sealed_subjects: sealed.map(|(_, bytes)| bytes.clone().into()).unwrap_or_default(),
    }
}

/// What a node sent.
#[derive(Debug)]
pub struct Answered {
    /// Every frame before the outcome.
    pub frames: Vec<Body>,
    /// The outcome, whose signature was verified.
    pub outcome: SignedOutcome,
}

/// Asks a node, and verifies its outcome under its ledger key.
///
/// # Errors
/// When the node answers with a gRPC error, or its outcome does not verify.
pub async fn ask(
    channel: Channel,
    request: AnswerRequest,
    ledger_key: &VerifyingKey,
) -> Result<Answered, Status> {
    let mut stream = ExchangeClient::new(channel).answer(request).await?.into_inner();
    let mut frames = Vec::new();
    while let Some(frame) = stream.message().await? {
        match frame.body {
            Some(Body::SignedOutcome(signed)) => {
                let outcome = verified(&signed, ledger_key);
                let outcome = outcome.map_err(|fault| Status::data_loss(fault.to_string()))?;
                return Ok(Answered { frames, outcome });
            }
            Some(body) => frames.push(body),
            None => {}
        }
    }
    Err(Status::data_loss("the stream ended without an outcome"))
}

/// What a node told the coordinator of one target; nothing but the outcome may come with a refusal.
#[must_use]
pub fn node_told(answered: &Result<Answered, Status>) -> Told {
    match answered {
        Ok(answered) => {
            let mut told = of_status(&answered.outcome.status);
            if !answered.frames.is_empty() && told != ["answered"] {
                told.push(format!("with {} frames", answered.frames.len()));
            }
            told
        }
        Err(status) => of_grpc(status),
    }
}

fn verified(signed: &str, key: &VerifyingKey) -> Fallible<SignedOutcome> {
    let own = key_id(key);
    let verified = verify_compact(signed, OUTCOME_TYPE, |id| (*id == own).then(|| key.clone()))?;
    Ok(parse_canonical(verified.payload(), "outcome")?)
}

/// Sends bytes as one message to a method, and gives the status with which the call ends.
pub async fn send_bytes(channel: Channel, method: &'static str, message: Vec<u8>) -> Status {
    let mut client = Grpc::new(channel);
    if let Err(error) = client.ready().await {
        return Status::unavailable(error.to_string());
    }
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(method);
    let request = Request::new(Bytes::from(message));
    match client.server_streaming(request, path, Raw).await {
        Err(status) => status,
        Ok(response) => {
            let mut stream = response.into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return Status::ok("the call was served"),
                    Err(status) => return status,
                }
            }
        }
    }
}

/// Messages as the bytes that they are.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}
