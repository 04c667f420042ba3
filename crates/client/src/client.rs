//! Sending a query and taking its answers.

use std::{path::PathBuf, sync::Arc, time::Duration};

use convenant_ledger::{LedgerSigner, LedgerVerifier, note::NoteError, origin};
use convenant_model::{
    Clock, Date, FieldName, Oin, Problem,
    covenant::Covenant,
    documents::Enrolment,
    entry::Status,
    query::{COUNT_COLUMNS, QueryKind, Target},
    verdict::Refusal,
};
use convenant_register::{FollowError, Follower, Snapshot};
use convenant_setup::{KeyFileError, signing_key, verifying_key};
use convenant_signing::{SigningKey, SystemRandom};
use convenant_store::{Layout, LedgerHandle, LedgerOpenError, Options, RecordError};
use convenant_transport::{
    AddressError, ClientTls, Deadline, Expected, Limits, SystemClock, TlsError, connect, explain,
    whole,
};
use convenant_wire::{
    problem::{PeerProblem, read},
    v1::{QueryRequest, SealedSubjects, broker_client::BrokerClient},
};
use thiserror::Error;
use tonic::{Request, Status as GrpcStatus, transport::Channel};

use crate::{
    compose::{Asker, ComposeError, Composed, Question, compose},
    config::ClientConfig,
    output::{Keep, OutputError},
    receive::{Columns, ReceiveError, Receiving},
    results::{Results, ResultsError, ResultsLock},
    vouchers::VouchersFile,
};

mod ended;
mod frames;

use self::frames::{Slot, collect};

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
    /// An answer cannot be accounted for.
    #[error(transparent)]
    Results(#[from] ResultsError),
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
    /// The file with the rows, sealed or not.
    pub file: Option<PathBuf>,
    /// Whether the file is sealed.
    pub sealed: bool,
    /// The last day on which the answer may be kept.
    pub deadline: Option<Date>,
    /// Rows in the file.
    pub rows: u64,
    /// Whether the partner signed that the rows are out of proportion to the residents of the area (clause
    /// S12).
    pub alarm: bool,
    /// The file that vouches for them, where that was asked for.
    pub vouchers: Option<VouchersFile>,
}

/// The project leader's side.
pub struct Client {
    partner: Oin,
    key: SigningKey,
    follower: Follower,
    channel: Channel,
    tls: ClientTls,
    limits: Limits,
    receipts: LedgerHandle,
    results: Results,
    _results_lock: ResultsLock,
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
            LedgerVerifier::new(origin::register(&config.coordinator.oin)?, register_key)?;
        let follower = Follower::open(
            config.data.dir.join("register"),
            config.register.root_of_trust()?,
            verifier,
        )?;
        let origin = origin::receipts(&config.party.oin)?;
        let signer = LedgerSigner::new(origin, signing_key(&config.keys.signing)?)?;
        let known = follower.current();
        let signer = signer.after(known.register().state().keys_of(&config.party.oin).cloned());
        let options = Options {
            folder: config.data.dir.join("receipts"),
            signer,
            clock: Arc::clone(&clock),
            layout: Layout::with_segments_of(config.data.segment_kib),
        };
        let (receipts, _) = LedgerHandle::open(options, &mut |_| {})?;
        let results = Results::of(config);
        let results_lock = results.lock()?;
        results.sweep(&results_lock)?;
        let tls = ClientTls::load(config.tls.clone(), Arc::clone(&clock))?;
        let expected = Expected {
            oin: config.coordinator.oin.clone(),
            pins: config.coordinator.pins.iter().copied().collect(),
        };
        let channel = connect(expected, &config.coordinator.address, tls.clone(), &limits)?;
        Ok(Self {
            partner: config.party.oin.clone(),
            key,
            follower,
            channel,
            tls,
            limits,
            receipts,
            results,
            _results_lock: results_lock,
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

    /// A connection to a partner's node, as its enrolment says where and who it is; `None` where it names
    /// no usable node. A node takes no queries from anybody but its coordinator.
    #[must_use]
    pub fn node(&self, enrolment: &Enrolment) -> Option<Channel> {
        let pins = enrolment.tls_pins.iter().copied().collect();
        let expected = Expected { oin: enrolment.partner.clone(), pins };
        let address = enrolment.node.as_ref()?.address.as_str();
        connect(expected, address, self.tls.clone(), &self.limits).ok()
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

    /// Sends a query, takes the answers, records a receipt for each, and keeps what was answered and
    /// verified as `keep(target)` says.
    ///
    /// # Errors
    /// When the coordinator does not broker the query. What single partners refuse or fail is in the
    /// results.
    pub async fn send<K: Into<Keep>>(
        &self,
        composed: &Composed,
        timeout: Duration,
        keep: impl Fn(usize, &Target) -> K,
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
        let (asked_until, deadline) = (Deadline::after(timeout), Deadline::after(timeout + GRACE));
        convenant_transport::trace::inject(&mut request);
        let mut broker = BrokerClient::new(whole(self.channel.clone()))
            .max_decoding_message_size(self.limits.max_message);
        let frames = match broker.query(request).await {
            Ok(frames) => frames.into_inner(),
            Err(status) => return Err(self.not_brokered(composed, &status, asked_until).await?),
        };
        if self.names(composed).is_some() {
            // Everybody had to refuse it, and nothing of it may stand in a ledger.
            return Err(ClientError::Malformed("a query that names somebody was brokered"));
        }
        let pending = self.pending(composed, |index, target| keep(index, target).into())?;
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
        keep: impl Fn(usize, &Target) -> Keep,
    ) -> Result<Vec<Slot>, ClientError> {
        let snapshot = self.follower.current();
        let state = snapshot.register().state();
        let covenant = state.covenant().map(|covenant| &covenant.covenant);
        let slot = |(index, target): (usize, &Target)| {
            let enrolment = state.enrolment_when(&target.partner, composed.query.register.size);
            let enrolment = enrolment.ok_or_else(|| ComposeError::Node(target.partner.clone()))?;
            let number = u32::try_from(index).map_err(|_| ComposeError::TooMany("targets"))?;
            let columns = columns(composed.query.kind, target, covenant.map(AsRef::as_ref));
            let columns = (columns, target.vouch.clone());
            let partner = target.partner.clone();
            let key = &enrolment.ledger_key;
            let key = (!state.is_revoked(&partner, key, self.clock.now())).then(|| key.clone());
            let sink = self.results.sink(composed, (number, &partner), keep(index, target))?;
            let receiving = Receiving::new(number, partner, key, columns, sink);
            Ok(Slot::Waiting(Box::new(receiving)))
        };
        composed.query.targets.iter().enumerate().map(slot).collect()
    }

    /// What a coordinator that brokers nothing says, once there is a receipt of it for each target: the
    /// query was signed and sent, and may have gone further than the coordinator admits.
    async fn not_brokered(
        &self,
        composed: &Composed,
        answer: &GrpcStatus,
        asked_until: Deadline,
    ) -> Result<ClientError, ClientError> {
        // Before there is a receipt of it, which takes its time.
        let late = answer.code() == tonic::Code::DeadlineExceeded || asked_until.is_near();
        // A ledger holds no personal data, so no query that may name somebody.
        if self.names(composed).is_none() {
            let status = match read(answer) {
                PeerProblem::Refused(refusal) => Status::Refused { refusal },
                PeerProblem::Problem(problem) => Status::Failed { problem },
                PeerProblem::Foreign if late => Status::Failed { problem: Problem::Late },
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

fn grpc(status: &GrpcStatus) -> ClientError {
    match read(status) {
        PeerProblem::Refused(refusal) => ClientError::Refused(refusal),
        PeerProblem::Problem(problem) => {
            ClientError::Problem { problem, explanation: status.message().to_owned() }
        }
        PeerProblem::Foreign => ClientError::Transport(explain(status).to_string()),
    }
}
