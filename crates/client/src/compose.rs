//! From a question to a signed query with sealed subjects.

use convenant_exchange::{QUERY_TYPE, seal_subjects};
use convenant_ledger::register::Register;
use convenant_model::{
    DatasetId, Digest, FieldName, GoalId, Oin, ProjectId, QueryId, Timestamp,
    documents::tag,
    keys::SealingKey,
    parse::BoundedText,
    predicate::Predicate,
    query::{DelayedDisclosure, Query, QueryKind, Requester, SubjectShape, Target},
    subjects::Subject,
    vouching::Vouchers,
};
use convenant_signing::{
    CanonicalError, KeyError, OpeningKey, SealError, SigningKey, SystemRandom, canonical, sha256,
    sign_compact,
};
use thiserror::Error;

/// What a leader wants to know.
#[derive(Clone, Debug)]
pub struct Question {
    /// The project.
    pub project: ProjectId,
    /// What kind of answer.
    pub kind: QueryKind,
    /// Whom to ask what.
    pub targets: Vec<TargetQuestion>,
    /// The goal; by default the project's only goal.
    pub goal: Option<GoalId>,
    /// Days for which the result will be kept; by default the most that every annex allows.
    pub retention_days: Option<u16>,
    /// Why it is asked now.
    pub justification: BoundedText<1000>,
    /// Why the people whom this is about are not to be told of it for a while, and until when.
    pub delayed_disclosure: Option<DelayedDisclosure>,
    /// Minutes for which the query is valid.
    pub minutes: u16,
}

/// What is asked of one partner's dataset.
#[derive(Clone, Debug)]
pub struct TargetQuestion {
    /// The partner.
    pub partner: Oin,
    /// The dataset.
    pub dataset: DatasetId,
    /// The fields.
    pub fields: Vec<FieldName>,
    /// A condition.
    pub predicate: Option<Predicate>,
    /// The subjects, as values of a key field.
    pub subjects: Option<Subjects>,
    /// One of the fields, for whose values the partner is to vouch.
    pub vouch: Option<FieldName>,
}

/// Subjects as values of a key field.
#[derive(Clone, Debug)]
pub struct Subjects {
    /// The key field.
    pub key: FieldName,
    /// The field with which each is verified.
    pub verified_by: Option<FieldName>,
    /// The subjects.
    pub list: Vec<Subject>,
    /// Vouchers for them, where the dataset asks for such; in their order.
    pub vouchers: Vec<Vouchers>,
}

/// A query ready to be sent, with the key that opens its answers.
#[derive(Debug)]
pub struct Composed {
    /// The shape.
    pub query: Query,
    /// The shape, signed: a compact JWS.
    pub signed: String,
    /// SHA-256 over the compact JWS.
    pub hash: Digest,
    /// Sealed subjects with the index of their target.
    pub sealed: Vec<(u32, Vec<u8>)>,
    /// Opens the answers; it exists for this query only.
    pub opening: OpeningKey,
}

/// Who asks, and with what.
pub struct Asker<'a> {
    /// The organisation.
    pub partner: &'a Oin,
    /// The key that the mandate names.
    pub key: &'a SigningKey,
    /// The register as the asker knows it.
    pub register: &'a Register,
    /// The present.
    pub now: Timestamp,
    /// Randomness.
    pub random: &'a SystemRandom,
    /// `traceparent`, if this is traced.
    pub trace: Option<String>,
}

/// Why a question cannot be made into a query.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// The register knows no such project, or nothing was decided on it.
    #[error("the register holds no decided project `{0}`")]
    Project(ProjectId),
    /// The project has several goals and none was chosen.
    #[error("project `{project}` has several goals, choose one of {goals}")]
    Goal {
        /// The project.
        project: ProjectId,
        /// Its goals, with commas between them.
        goals: String,
    },
    /// The shape, which everybody on its way reads, may name somebody.
    #[error(
        "not sent, because everybody on its way could read whom it is about: {0} (clause L14); \
             whoever is asked about is sealed, and stands nowhere else"
    )]
    Names(String),
    /// The partner has no node in the register.
    #[error("the register knows no node of partner `{0}`")]
    Node(Oin),
    /// Too many targets, subjects or vouchers.
    #[error("{0} are more than a query can hold")]
    TooMany(&'static str),
    /// The subjects cannot be sealed.
    #[error("the subjects cannot be sealed")]
    Seal(#[from] SealError),
    /// A key cannot be made or used.
    #[error("a key cannot be made or used")]
    Key(#[from] KeyError),
    /// The query has no canonical form.
    #[error("the query cannot be written")]
    Canonical(#[from] CanonicalError),
    /// No randomness.
    #[error("the system gives no random bytes")]
    Random,
}

/// Composes, seals and signs whatever is asked; whether the covenant allows it is for others to say.
///
/// # Errors
/// When the register does not know what is asked about, or a key does not work.
pub fn compose(question: Question, asker: &Asker<'_>) -> Result<Composed, ComposeError> {
    let state = asker.register.state();
    let project = state.project(&question.project).and_then(|project| project.decided());
    let decided = project.ok_or_else(|| ComposeError::Project(question.project.clone()))?;
    let goal = match (question.goal, decided.proposal.goals.iter().next()) {
        (Some(goal), _) => goal,
        (None, Some(only)) if decided.proposal.goals.len() == 1 => only.clone(),
        _ => {
            let goals: Vec<_> = decided.proposal.goals.iter().map(GoalId::as_str).collect();
            let goals = goals.join(", ");
            return Err(ComposeError::Goal { project: question.project, goals });
        }
    };
    let least = decided.proposal.annex.iter().map(|annex| annex.retention_days).min();
    let retention_days = question.retention_days.or(least).unwrap_or(1);
    let id = query_id(asker)?;
    let opening = OpeningKey::generate(asker.random)?;
    let (targets, sealed) = seal_targets(question.targets, id, asker)?;
    let query = Query {
        document: tag::Query::Query,
        id,
        register: asker.register.position(),
        project: question.project,
        proposal: decided.hash,
        goal,
        theme: decided.proposal.theme.clone(),
        kind: question.kind,
        targets,
        retention_days,
        justification: question.justification,
        delayed_disclosure: question.delayed_disclosure,
        created: asker.now,
        expires: asker.now.plus_seconds(i64::from(question.minutes) * 60),
        requester: Requester {
            partner: asker.partner.clone(),
            key: asker.key.verifying_key().clone(),
            sealing_key: opening.sealing_key().clone(),
        },
        trace: asker.trace.clone().and_then(|trace| BoundedText::new(trace).ok()),
    };
    let signed = sign_compact(QUERY_TYPE, &canonical(&query)?, asker.key)?;
    let hash = sha256(signed.as_bytes());
    Ok(Composed { query, signed, hash, sealed, opening })
}

type Sealed = Vec<(u32, Vec<u8>)>;

/// Most sealed bytes of one target, so that they fit into a message.
const MOST_SEALED: usize = (8 << 20) - (64 << 10);

fn seal_targets(
    questions: Vec<TargetQuestion>,
    id: QueryId,
    asker: &Asker<'_>,
) -> Result<(Vec<Target>, Sealed), ComposeError> {
    let (mut targets, mut sealed) = (Vec::new(), Vec::new());
    for (index, question) in (0..).zip(questions) {
        let shape = match &question.subjects {
            Some(subjects) => {
                let key = node_key(asker.register, &question.partner)?;
                let parties = (asker.partner, &question.partner);
                let whom = (subjects.list.as_slice(), subjects.vouchers.as_slice());
                let bytes = seal_subjects(key, (id, index), parties, whom, asker.random)?;
                if bytes.len() > MOST_SEALED {
                    return Err(ComposeError::TooMany("the subjects with their vouchers"));
                }
                let count = subjects.list.len().try_into();
                let shape = SubjectShape {
                    key: subjects.key.clone(),
                    verified_by: subjects.verified_by.clone(),
                    count: count.map_err(|_| ComposeError::TooMany("subjects"))?,
                    sealed: sha256(&bytes),
                };
                sealed.push((index, bytes));
                Some(shape)
            }
            None => None,
        };
        targets.push(Target {
            partner: question.partner,
            dataset: question.dataset,
            fields: question.fields,
            predicate: question.predicate,
            subjects: shape,
            vouch: question.vouch,
        });
    }
    Ok((targets, sealed))
}

fn node_key<'a>(register: &'a Register, partner: &Oin) -> Result<&'a SealingKey, ComposeError> {
    let enrolment = register.state().enrolment(partner);
    let node = enrolment.and_then(|enrolment| enrolment.node.as_ref());
    node.map(|node| &node.sealing_key).ok_or_else(|| ComposeError::Node(partner.clone()))
}

fn query_id(asker: &Asker<'_>) -> Result<QueryId, ComposeError> {
    let random = convenant_transport::random_bytes::<10>().map_err(|_| ComposeError::Random)?;
    Ok(QueryId::from_parts(asker.now.millis().unsigned_abs(), &random))
}
