//! What a federation is to consist of. The example is one specification; a test writes its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
};

use convenant_model::{
    DatasetId, Date, FieldName, Oin,
    covenant::{Covenant, CovenantText},
    documents::{Proposal, Ruling},
    parse::from_toml,
};

use crate::{
    config::Source,
    documents::COVENANT_TOML,
    error::{DemoError, Result},
};

/// A federation: a coordinator, partners with their nodes, a project leader, an auditor, a covenant
/// and projects.
#[derive(Clone, Debug)]
pub struct FederationSpec {
    /// The day from which certificates and enrolments are counted.
    pub today: Date,
    /// The covenant as TOML.
    pub covenant: String,
    /// Where the daemons listen on 127.0.0.1.
    pub ports: Ports,
    /// The partners.
    pub partners: Vec<PartnerSpec>,
    /// Name of the partner in whose organisation the project leader works.
    pub leader: String,
    /// The projects, in the order of submission.
    pub projects: Vec<ProjectSpec>,
    /// Seconds between two looks of a node at the register.
    pub poll_seconds: u32,
    /// OTLP endpoint of the daemons, if any.
    pub otlp: Option<String>,
}

/// Ports on 127.0.0.1.
#[derive(Clone, Debug)]
pub enum Ports {
    /// The coordinator listens on this port, the nodes on those that follow.
    From(u16),
    /// One for the coordinator and one for each node, in the order of the partners.
    Given(Vec<u16>),
}

/// A partner.
#[derive(Clone, Debug)]
pub struct PartnerSpec {
    /// Short name, of lower-case letters, digits and `-`: that of its folder.
    pub name: String,
    /// Name in its enrolment.
    pub title: String,
    /// Kind in the covenant, for instance `gemeente`.
    pub kind: String,
    /// OIN.
    pub oin: Oin,
    /// The datasets that its node serves; without any it has no node.
    pub datasets: Vec<DatasetSpec>,
}

/// A dataset that a node serves.
#[derive(Clone, Debug)]
pub struct DatasetSpec {
    /// Id in the covenant.
    pub id: DatasetId,
    /// Where the rows are. Paths are relative to the node's folder.
    pub source: Source,
    /// Column of the source for each field of the covenant that it has.
    pub columns: BTreeMap<FieldName, String>,
    /// Fields of the covenant that it does not have.
    pub absent: BTreeSet<FieldName>,
}

/// A project: its proposal, and what came of it.
#[derive(Clone, Debug)]
pub struct ProjectSpec {
    /// The proposal.
    pub proposal: Proposal,
    /// The LSI's decision, if there is one yet.
    pub decision: Option<DecisionTerms>,
    /// The leader's mandate, if there is one yet. It needs an approving decision.
    pub mandate: Option<MandateTerms>,
}

/// Terms of a decision of the LSI.
#[derive(Clone, Debug)]
pub struct DecisionTerms {
    /// What was decided.
    pub outcome: Ruling,
    /// Why.
    pub reason: String,
    /// First day on which the project may exchange data.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
    /// Whether more than twelve months were decided on with reasons.
    pub extended: bool,
}

/// Terms of the leader's mandate.
#[derive(Clone, Copy, Debug)]
pub struct MandateTerms {
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
    /// Most subjects in one query.
    pub max_subjects: u32,
}

impl FederationSpec {
    /// A federation under the example covenant, as yet without partners and projects, on ports from
    /// 7600.
    #[must_use]
    pub fn new(today: Date, leader: &str) -> Self {
        Self {
            today,
            covenant: COVENANT_TOML.to_owned(),
            ports: Ports::From(7600),
            partners: Vec::new(),
            leader: leader.to_owned(),
            projects: Vec::new(),
            poll_seconds: 5,
            otlp: None,
        }
    }

    /// The covenant, checked.
    ///
    /// # Errors
    /// Names line and member of the first fault.
    pub fn covenant(&self) -> Result<Covenant> {
        let text: CovenantText = from_toml("covenant.toml", &self.covenant)?;
        Ok(text.check("covenant.toml")?)
    }
}

impl ProjectSpec {
    /// A project that the LSI approved for the whole of its term, with a mandate for as long.
    #[must_use]
    pub fn approved(proposal: Proposal, max_subjects: u32) -> Self {
        let (valid_from, valid_until) = (proposal.start, proposal.end);
        Self {
            decision: Some(DecisionTerms {
                outcome: Ruling::Approved,
                reason: "De LSI acht het voorstel noodzakelijk en evenredig; lichtere middelen \
                         volstonden niet."
                    .to_owned(),
                valid_from,
                valid_until,
                extended: false,
            }),
            mandate: Some(MandateTerms { valid_from, valid_until, max_subjects }),
            proposal,
        }
    }

    /// A project on which the LSI has not decided.
    #[must_use]
    pub const fn undecided(proposal: Proposal) -> Self {
        Self { proposal, decision: None, mandate: None }
    }
}

impl Ports {
    /// The addresses of so many daemons, the coordinator's first.
    pub(crate) fn addresses(&self, needed: usize) -> Result<Vec<SocketAddr>> {
        let ports: Vec<u16> = match self {
            Self::From(first) => (*first..=u16::MAX).take(needed).collect(),
            Self::Given(ports) => ports.iter().copied().take(needed).collect(),
        };
        let given = ports.len();
        if given < needed {
            return Err(DemoError::Ports { needed, given });
        }
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(ports.into_iter().map(address).collect())
    }
}
