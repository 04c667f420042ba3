//! Each document in one line, for lists.

use super::{
    Accession, Attestation, Closure, Departure, Designation, Destruction, Enrolment, Extension,
    Feedback, FinalReport, Mandate, ProjectDecision, Proposal, Resumption, Revocation, Ruling,
    Securing, Suspension, Withdrawal,
};
use crate::{covenant::CovenantText, ids::Oin};

/// What can be said of something in one line of English.
pub trait Summary {
    /// The line.
    fn summary(&self) -> String;
}

macro_rules! summaries {
    ($($document:ty: |$one:ident| $line:expr;)*) => {$(
        impl Summary for $document {
            fn summary(&self) -> String {
                let $one = self;
                $line
            }
        }
    )*};
}

summaries! {
    CovenantText: |one| {
        let head = &one.covenant;
        format!("{} version {}: {}", head.id, head.version, head.title)
    };
    Accession: |one| format!("{} {} ({}) from {}", one.partner, one.name, one.kind, one.from);
    Enrolment: |one| {
        format!("{} {} ({}) until {}", one.partner, one.name, one.kind, one.valid_until)
    };
    Departure: |one| format!("{} leaves from {}", one.partner, one.from);
    Revocation: |one| format!("a key of {} from {}", one.partner, one.from);
    Designation: |one| format!("{}: {} until {}", one.goal, one.title, one.valid_until);
    Proposal: |one| format!("{} version {}: {}", one.project, one.version, one.title);
    Attestation: |one| format!("{} by {}", one.project, one.partner);
    ProjectDecision: |one| {
        let ruling = if one.outcome == Ruling::Approved { "approved" } else { "rejected" };
        format!("{} {ruling}, {} to {}", one.project, one.valid_from, one.valid_until)
    };
    Mandate: |one| {
        format!("{} {} holder(s) until {}", one.project, one.holder.len(), one.valid_until)
    };
    Extension: |one| format!("{} until {}", one.project, one.valid_until);
    Suspension: |one| {
        format!("{} suspended ({}) from {}", one.project, whose(one.partner.as_ref()), one.from)
    };
    Resumption: |one| format!("{} resumed from {}", one.project, one.from);
    Withdrawal: |one| {
        format!("{} withdrawn ({}) from {}", one.project, whose(one.partner.as_ref()), one.from)
    };
    Closure: |one| format!("{} closed from {}", one.project, one.from);
    Feedback: |one| {
        let last = if one.complete { ", the last" } else { "" };
        format!("{} by {}: {} answer(s){last}", one.project, one.partner, one.item.len())
    };
    Destruction: |one| {
        let last = if one.complete { ", nothing is left" } else { "" };
        format!("{} by {}: {} answer(s){last}", one.project, one.partner, one.item.len())
    };
    FinalReport: |one| format!("{}: {} of {} hits right", one.project, one.confirmed, one.hits);
    Securing: |one| format!("{} by {} from {}", one.project, one.owner, one.date);
}

fn whose(partner: Option<&Oin>) -> String {
    partner.map_or_else(|| "all of it".to_owned(), |oin| format!("by {oin}"))
}
