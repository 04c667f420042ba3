//! Sending a query and taking its answers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use convenant_exchange::Kept;
use convenant_ledger::{
    LedgerSigner, LedgerVerifier,
    note::{NoteError, NoteName},
};
use convenant_model::{
    Clock, FieldName, Oin, Problem,
    covenant::Covenant,
    entry::{Entry, Receipt, Status},
    query::{COUNT_COLUMNS, QueryKind, Target},
    verdict::Refusal,
};
use convenant_register::{FollowError, Follower, Snapshot, register_origin};
use convenant_setup::{KeyFileError, signing_key, verifying_key};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{Layout, LedgerHandle, LedgerOpenError, Options, RecordError};
use convenant_transport::{
    AddressError, ClientTls, Deadline, Expected, Limits, SystemClock, TlsError, connect, explain,
};
use convenant_wire::{
    problem::{PeerProblem, read, read_declined},
    v1::{
        QueryFrame, QueryRequest, SealedSubjects, broker_client::BrokerClient, query_frame::Body,
    },
};
use thiserror::Error;
use tonic::{Request, Status as GrpcStatus, Streaming, transport::Channel};

use crate::{
    compose::{Asker, ComposeError, Composed, Question, compose},
    config::ClientConfig,
    output::{Ended, Output, OutputError},
    receive::{Accepted, Columns, ReceiveError, Receiving},
    vouchers::{self, VouchersFile, vouchers_path},
};

/// Time after a query's deadline for the last frames to arrive: the parties stop at the deadline, and
/// what they sign of that is evidence too.
const GRACE: Duration = Duration::from_secs(5);

/// Why a query could not be asked or answered as a whole.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A key file is not as it should be.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The leader's key cannot sign receipts.
    #[error("the leader's key cannot sign receipts")]
    Note(#[from] NoteError),
    /// TLS is not set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The coordinator's address is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The register cannot be followed.
    #[error(transparent)]
    Register(#[from] FollowError),
    /// The ledger of receipts cannot be opened.
    #[error("the ledger of receipts cannot be opened")]
    Ledger(#[from] LedgerOpenError),
    /// The receipt cannot be recorded.
    #[error("the receipt cannot be recorded")]
    Record(#[source] Box<RecordError>),
    /// The thread that wrote a result broke off.
    #[error("the writing of a result broke off")]
    Interrupted,
    /// The result file cannot be completed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The question cannot be made into a query.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The coordinator refuses under the covenant.
    #[error("the coordinator refuses the query under the covenant")]
    Refused(Refusal),
    /// The coordinator does not take the query.
    #[error("the coordinator does not take the query: {explanation} ({code})", code = problem.code())]
    Problem {
        /// The code.
        problem: Problem,
        /// What the coordinator says.
        explanation: String,
    },
    /// The coordinator cannot be reached, or is none.
    #[error("the coordinator cannot be asked: {0}")]
    Transport(String),
    /// The coordinator's frames make no sense.
    #[error("the coordinator's answer is malformed: {0}")]
    Malformed(&'static str),
}

/// What became of one target.
#[derive(Debug)]
pub struct TargetResult {
    /// Index of the target.
    pub target: u32,
    /// The partner that was asked.
    pub partner: Oin,
    /// What became of it, as far as the evidence goes.
    pub status: Status,
    /// Why an answer that came was refused here; its rows are gone.
    pub refused_here: Option<ReceiveError>,
    /// The file with the rows.
    pub file: Option<PathBuf>,
    /// Rows in the file.
    pub rows: u64,
    /// The file that vouches for them, where that was asked for.
    pub vouchers: Option<VouchersFile>,
}

/// The project leader's side.
pub struct Client {
    partner: Oin,
    key: SigningKey,
    follower: Follower,
    channel: Channel,
    limits: Limits,
    receipts: LedgerHandle,
    clock: Arc<dyn Clock>,
    random: SystemRandom,
}

impl Client {
    /// Opens the leader's copy of the register and ledger of receipts, and prepares the connection.
    ///
    /// # Errors
    /// When a file is missing or wrong.
    pub async fn open(config: &ClientConfig) -> Result<Self, ClientError> {
        Self::open_at(config, Arc::new(SystemClock)).await
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// When a file is missing or wrong.
    pub async fn open_at(
        config: &ClientConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        let limits = Limits::default();
        let key = signing_key(&config.keys.signing)?;
        let register_key = verifying_key(&config.register.key)?;
        let verifier =
            LedgerVerifier::new(register_origin(&config.coordinator.oin)?, register_key)?;
        let follower = Follower::open(
            config.data.dir.join("register"),
            config.register.root_of_trust()?,
            verifier,
        )?;
        let origin = NoteName::new(format!("convenant.receipts/{}", config.party.oin))?;
        let signer = LedgerSigner::new(origin, signing_key(&config.keys.signing)?)?;
        let options = Options {
            folder: config.data.dir.join("receipts"),
            signer,
            clock: Arc::clone(&clock),
            layout: Layout::default(),
        };
        let (receipts, _) = LedgerHandle::open(options, &mut |_| {})?;
        let tls = ClientTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let expected = Expected {
            oin: config.coordinator.oin.clone(),
            pins: config.coordinator.pins.iter().copied().collect(),
        };
        let channel = connect(expected, &config.coordinator.address, tls, &limits)?;
        Ok(Self {
            partner: config.party.oin.clone(),
            key,
            follower,
            channel,
            limits,
            receipts,
            clock,
            random: SystemRandom::new(),
        })
    }

    /// Fetches and verifies what is new in the register.
    ///
    /// # Errors
    /// When the coordinator does not answer, or its register does not verify.
    pub async fn refresh(&self) -> Result<Arc<Snapshot>, ClientError> {
        Ok(self.follower.refresh(self.channel.clone()).await?)
    }

    /// Writes what is queued of the receipts and publishes their checkpoint.
    pub async fn close(self) {
        self.receipts.close().await;
    }

    /// The register as known here.
    #[must_use]
    pub fn register(&self) -> Arc<Snapshot> {
        self.follower.current()
    }

    /// The connection to the coordinator, for its other services.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Makes a signed query of a question.
    ///
    /// # Errors
    /// When the register does not know what is asked about, or the shape may name a person: such a query
    /// would be refused, but not before others had read it.
    pub fn compose(&self, question: Question) -> Result<Composed, ClientError> {
        let composed = self.compose_anything(question)?;
        match self.names(&composed) {
            Some(naming) => Err(ComposeError::Names(naming).into()),
            None => Ok(composed),
        }
    }

    /// The same without a look at whom the shape names, as a careless or hostile client would: for
    /// showing that the other parties refuse it.
    ///
    /// # Errors
    /// When the register does not know what is asked about.
    #[doc(hidden)]
    pub fn compose_anything(&self, question: Question) -> Result<Composed, ClientError> {
        let snapshot = self.follower.current();
        let asker = Asker {
            partner: &self.partner,
            key: &self.key,
            register: snapshot.register(),
            now: self.clock.now(),
            random: &self.random,
            trace: convenant_transport::trace::current(),
        };
        Ok(compose(question, &asker)?)
    }

    /// Sends a query, takes the answers, records a receipt for each, and writes what was answered and
    /// verified to `path_of(target)`.
    ///
    /// # Errors
    /// When the coordinator does not broker the query. What single partners refuse or fail is in the
    /// results.
    pub async fn send(
        &self,
        composed: &Composed,
        timeout: Duration,
        path_of: impl Fn(usize, &Target) -> PathBuf,
    ) -> Result<Vec<TargetResult>, ClientError> {
        let subjects = composed.sealed.iter().map(|(target, sealed)| SealedSubjects {
            target: *target,
            sealed: sealed.clone().into(),
        });
        let mut request = Request::new(QueryRequest {
            signed_query: composed.signed.clone(),
            subjects: subjects.collect(),
        });
        request.set_timeout(timeout);
        let deadline = Deadline::after(timeout + GRACE);
        convenant_transport::trace::inject(&mut request);
        let mut broker = BrokerClient::new(self.channel.clone())
            .max_decoding_message_size(self.limits.max_message);
        let frames = match broker.query(request).await {
            Ok(frames) => frames.into_inner(),
            Err(status) => return Err(self.not_brokered(composed, &status).await?),
        };
        if self.names(composed).is_some() {
            // Everybody had to refuse it, and nothing of it may stand in a ledger.
            return Err(ClientError::Malformed("a query that names somebody was brokered"));
        }
        let pending = self.pending(composed, path_of)?;
        let ended = collect(frames, composed, pending, deadline).await;
        let mut results = Vec::with_capacity(ended.len());
        for ended in ended {
            results.push(self.receipt(composed, ended).await?);
        }
        Ok(results)
    }

    fn pending(
        &self,
        composed: &Composed,
        path_of: impl Fn(usize, &Target) -> PathBuf,
    ) -> Result<Vec<Slot>, ClientError> {
        let snapshot = self.follower.current();
        let state = snapshot.register().state();
        let covenant = state.covenant().map(|covenant| &covenant.covenant);
        let slot = |(index, target): (usize, &Target)| {
            let enrolment = state.enrolment(&target.partner);
            let enrolment = enrolment.ok_or_else(|| ComposeError::Node(target.partner.clone()))?;
            let number = u32::try_from(index).map_err(|_| ComposeError::TooMany("targets"))?;
            let columns = columns(composed.query.kind, target, covenant.map(AsRef::as_ref));
            let columns = (columns, target.vouch.clone());
            let (partner, key) = (target.partner.clone(), enrolment.ledger_key.clone());
            let path: &Path = &path_of(index, target);
            let receiving = Receiving::new(number, partner, key, columns, path);
            Ok(Slot::Waiting(Box::new(receiving)))
        };
        composed.query.targets.iter().enumerate().map(slot).collect()
    }

    /// Records what was received for one target. An answer is reported only with its receipt.
    async fn receipt(
        &self,
        composed: &Composed,
        (target, slot): (usize, Slot),
    ) -> Result<TargetResult, ClientError> {
        let number = u32::try_from(target).unwrap_or(u32::MAX);
        let partner = composed.query.targets.get(target).map(|target| target.partner.clone());
        let partner = partner.ok_or(ClientError::Malformed("a target that was not asked"))?;
        let failed = |problem| Status::Failed { problem };
        let (status, outcome, refused_here, kept, rows) = match slot {
            Slot::Accepted(accepted) => {
                let Accepted { outcome, signed, output, kept, rows } = *accepted;
                (outcome.status, Some(signed), None, output.zip(Some(kept)), rows)
            }
            Slot::Declined(status) => (status, None, None, None, 0),
            Slot::Refused(error, signed) => {
                // What does not verify is kept as evidence, as long as a receipt has room for it.
                let signed = signed.filter(|signed| signed.len() <= MOST_SIGNED);
                (failed(Problem::BadSignature), signed, Some(error), None, 0)
            }
            Slot::Waiting(_) => (failed(Problem::Cancelled), None, None, None, 0),
        };
        // Receipt, rows and vouchers reach the disk side by side, …
        let ended = kept.map(|(output, kept)| tokio::task::spawn_blocking(|| end(output, kept)));
        self.record(composed, (number, &partner), &status, outcome).await?;
        // … and get their names only now: a result without a receipt does not exist.
        let (file, vouchers) = match ended {
            Some(ended) => ended.await.map_err(|_| ClientError::Interrupted)??.keep()?,
            None => (None, None),
        };
        Ok(TargetResult { target: number, partner, status, refused_here, file, rows, vouchers })
    }

    async fn record(
        &self,
        composed: &Composed,
        (target, partner): (u32, &Oin),
        status: &Status,
        outcome: Option<String>,
    ) -> Result<(), ClientError> {
        let receipt = Entry::Receipt(Receipt {
            party: self.partner.clone(),
            query: composed.query.id,
            target,
            partner: partner.clone(),
            at: self.clock.now(),
            signed_query: composed.signed.clone(),
            outcome,
            status: status.clone(),
        });
        let recorded = self.receipts.record(receipt).await;
        recorded.map(drop).map_err(|error| ClientError::Record(Box::new(error)))
    }

    /// What a coordinator that brokers nothing says, once there is a receipt of it for each target: the
    /// query was signed and sent, and may have gone further than the coordinator admits.
    async fn not_brokered(
        &self,
        composed: &Composed,
        answer: &GrpcStatus,
    ) -> Result<ClientError, ClientError> {
        // A ledger holds no personal data, so no query that may name somebody.
        if self.names(composed).is_none() {
            let status = match read(answer) {
                PeerProblem::Refused(refusal) => Status::Refused { refusal },
                PeerProblem::Problem(problem) => Status::Failed { problem },
                PeerProblem::Foreign if answer.code() == tonic::Code::DeadlineExceeded => {
                    Status::Failed { problem: Problem::Late }
                }
                PeerProblem::Foreign => Status::Failed { problem: Problem::NodeUnavailable },
            };
            for (number, target) in (0..).zip(&composed.query.targets) {
                self.record(composed, (number, &target.partner), &status, None).await?;
            }
        }
        Ok(grpc(answer))
    }

    /// Where the shape may name a person.
    fn names(&self, composed: &Composed) -> Option<String> {
        let snapshot = self.follower.current();
        let covenant = &snapshot.register().state().covenant()?.covenant;
        composed.query.may_name_a_person(covenant).map(|naming| naming.to_string())
    }
}

/// What is on disk of an answer, and has no names yet.
struct Written {
    rows: Ended,
    vouchers: Option<(Ended, VouchersFile)>,
}

/// Brings rows, and what vouches for them, to the disk. Blocks.
fn end(output: Output, kept: Option<Kept>) -> Result<Written, OutputError> {
    let rows = output.end()?;
    let path = vouchers_path(rows.path());
    let vouchers = kept.map(|kept| vouchers::write(&kept, &path)).transpose()?;
    Ok(Written { rows, vouchers })
}

impl Written {
    /// Names the rows first: vouchers without them would be for nobody.
    fn keep(self) -> Result<(Option<PathBuf>, Option<VouchersFile>), OutputError> {
        let rows = self.rows.keep()?;
        let keep = |(ended, file): (Ended, VouchersFile)| ended.keep().map(|_| file);
        Ok((Some(rows), self.vouchers.map(keep).transpose()?))
    }
}

/// Most bytes of an outcome that does not verify, in a receipt.
const MOST_SIGNED: usize = 24 << 10;

/// The names of the columns that an answer may have.
fn columns(kind: QueryKind, target: &Target, covenant: Option<&Covenant>) -> Columns {
    let names = |names: &[FieldName]| names.iter().map(ToString::to_string).collect();
    if kind == QueryKind::Count {
        let asked = COUNT_COLUMNS.map(str::to_owned).to_vec();
        return Columns { asked, accompany: Vec::new() };
    }
    let dataset = covenant.and_then(|covenant| covenant.dataset(&target.dataset));
    let all = dataset.map(|dataset| dataset.columns(&target.fields)).unwrap_or_default();
    let accompany = all.get(target.fields.len()..).unwrap_or_default();
    Columns { asked: names(&target.fields), accompany: names(accompany) }
}

enum Slot {
    Waiting(Box<Receiving>),
    Accepted(Box<Accepted>),
    Declined(Status),
    Refused(ReceiveError, Option<String>),
}

/// Takes frames until the stream ends, and no longer than the deadline: whoever holds the stream open
/// must not keep the requester waiting. A fault in one target's frames ends that target only.
async fn collect(
    mut frames: Streaming<QueryFrame>,
    composed: &Composed,
    mut slots: Vec<Slot>,
    deadline: Deadline,
) -> Vec<(usize, Slot)> {
    loop {
        let frame = match next_frame(&mut frames, deadline).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(status) => {
                tracing::warn!(code = ?status.code(), "the coordinator's stream broke off");
                let problem = match read(&status) {
                    PeerProblem::Problem(problem) => problem,
                    _ if status.code() == tonic::Code::DeadlineExceeded => Problem::Late,
                    _ => Problem::Cancelled,
                };
                for slot in &mut slots {
                    if matches!(slot, Slot::Waiting(_)) {
                        *slot = Slot::Declined(Status::Failed { problem });
                    }
                }
                break;
            }
        };
        let slot = slots.get_mut(frame.target as usize);
        if let (Some(slot), Some(body)) = (slot, frame.body) {
            take(slot, composed, body);
        }
    }
    slots.into_iter().enumerate().collect()
}

async fn next_frame(
    frames: &mut Streaming<QueryFrame>,
    deadline: Deadline,
) -> Result<Option<QueryFrame>, GrpcStatus> {
    let left = deadline.left()?;
    let late = |_| GrpcStatus::deadline_exceeded("the answers did not end in time");
    tokio::time::timeout(left, frames.message()).await.map_err(late)?
}

fn take(slot: &mut Slot, composed: &Composed, body: Body) {
    if let (Slot::Refused(_, kept @ None), Body::SignedOutcome(signed)) = (&mut *slot, &body) {
        // What the partner signed of an answer that was not accepted is evidence against it.
        *kept = Some(signed.clone());
        return;
    }
    let Slot::Waiting(receiving) = slot else {
        return;
    };
    let fault = match body {
        Body::EncapsulatedKey(key) => receiving.begin(composed, &key).err(),
        Body::Chunk(sealed) => receiving.chunk(&sealed).err(),
        Body::Declined(declined) => {
            *slot = Slot::Declined(read_declined(declined));
            return;
        }
        Body::SignedOutcome(signed) => {
            let waiting = std::mem::replace(slot, Slot::Declined(Status::Answered));
            let Slot::Waiting(receiving) = waiting else {
                return;
            };
            *slot = match receiving.finish(composed, signed.clone()) {
                Ok(accepted) => Slot::Accepted(Box::new(accepted)),
                Err(error) => Slot::Refused(error, Some(signed)),
            };
            return;
        }
    };
    if let Some(error) = fault {
        *slot = Slot::Refused(error, None);
    }
}

fn grpc(status: &GrpcStatus) -> ClientError {
    match read(status) {
        PeerProblem::Refused(refusal) => ClientError::Refused(refusal),
        PeerProblem::Problem(problem) => {
            ClientError::Problem { problem, explanation: status.message().to_owned() }
        }
        PeerProblem::Foreign => ClientError::Transport(explain(status).to_string()),
    }
}
