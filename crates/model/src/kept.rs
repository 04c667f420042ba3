//! The answers that a party gave or relayed and that their receiver may still keep, with the day by which each
//! must be destroyed (clause L6). Every party counts them from its own ledger, and an auditor counts them again.

use std::collections::BTreeMap;

use crate::{
    entry::Status,
    ids::{Oin, QueryId},
    query::{Query, QueryKind},
    register::{Answer, Project},
    time::{Date, Timestamp},
};

/// The last day on which an answer may be kept that was complete at an instant. Receiver, parties and auditor
/// count the same days.
#[must_use]
pub fn last_day(answered: Timestamp, retention_days: u16) -> Date {
    answered.date().plus_days(i32::from(retention_days))
}

/// Answers of one project that may still be kept, by their last day.
#[derive(Clone, Debug, Default)]
pub struct KeptAnswers {
    by_day: BTreeMap<Date, BTreeMap<Between, Vec<Given>>>,
}

/// Who answered and who received: very many answers have both in common.
type Between = (Oin, Oin);
/// The query, and when it was answered.
type Given = (QueryId, Timestamp);

impl KeptAnswers {
    /// Notes how one target of a query ended. What was not answered in full is void; a number is about
    /// nobody.
    pub fn note(&mut self, query: &Query, provider: &Oin, status: &Status, at: Timestamp) {
        if *status != Status::Answered || query.kind == QueryKind::Count {
            return;
        }
        let receiver = query.requester.partner.clone();
        let answer = Answer { query: query.id, provider: provider.clone(), receiver, at };
        self.keep(answer, last_day(at, query.retention_days));
    }

    /// Notes an answer that may be kept until the end of a day.
    pub fn keep(&mut self, answer: Answer, last_day: Date) {
        let Answer { query, provider, receiver, at } = answer;
        let of_day = self.by_day.entry(last_day).or_default();
        of_day.entry((provider, receiver)).or_default().push((query, at));
    }

    /// How many answers should have been destroyed before the day of this instant, and by the register were
    /// not by then. Those that were are forgotten: no document takes a destruction back.
    pub fn overdue(&mut self, project: &Project, at: Timestamp) -> u64 {
        let mut overdue = 0;
        for of_day in self.by_day.range_mut(..at.date()).map(|(_, of_day)| of_day) {
            for ((provider, receiver), kept) in of_day.iter_mut() {
                kept.retain(|(query, given)| {
                    let (provider, receiver) = (provider.clone(), receiver.clone());
                    let answer = Answer { query: *query, provider, receiver, at: *given };
                    !project.is_destroyed(&answer, at)
                });
                overdue += kept.len() as u64;
            }
            of_day.retain(|_, kept| !kept.is_empty());
        }
        self.by_day.retain(|_, of_day| !of_day.is_empty());
        overdue
    }
}
