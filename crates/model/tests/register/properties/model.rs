//! The life of a project in the simplest form: months instead of instants, and no documents.

use std::collections::{BTreeMap, BTreeSet};

use convenant_model::{Digest, register::ProjectState as S};

/// A month from January 2026 on.
type Month = u16;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Party {
    Gemeente,
    Uwv,
    Svb,
}

/// What somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Propose(u32),
    Attest(u32, Party),
    Decide { version: u32, approved: bool, on: Month, until: Month, both: bool },
    Mandate(u32, Party),
    Extend { version: u32, on: Month, until: Month },
    Suspend(Option<Party>, Month),
    Resume(Option<Party>, Month, Month),
    Withdraw(Option<Party>, Month),
    Close(Month),
    Feedback(Party, bool),
    Destroy(Party, bool, Month),
    Report,
    Secure,
    Revoke(Party, Month),
    Depart(Party, Month),
}

/// What somebody does to a project, signed by some parties and some keys of the LSI.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) project: usize,
    pub(crate) what: What,
    pub(crate) signed: Vec<Party>,
    pub(crate) lsi: usize,
}

/// The responsible partner, first and last month of a version. The participants are always the same two.
pub(crate) const fn version(number: u32) -> (Party, Month, Month) {
    match number {
        1 => (Party::Gemeente, 1, 20),
        2 => (Party::Uwv, 4, 24),
        _ => (Party::Gemeente, 2, 25),
    }
}

const PARTICIPANTS: [Party; 2] = [Party::Gemeente, Party::Uwv];

#[derive(Clone, Debug, Default)]
struct Life {
    versions: u32,
    attested: BTreeSet<(u32, Party)>,
    /// Version, whether approved, first and last month, month of the decision.
    force: Option<(u32, bool, Month, Month, Month)>,
    ruled: Option<(Month, u32)>,
    began: Option<Month>,
    mandates: BTreeSet<(u32, Party)>,
    halted: BTreeMap<(Option<Party>, Month), Option<Month>>,
    left: BTreeMap<Party, Month>,
    withdrawn: Option<Month>,
    closed: Option<Month>,
    reported: BTreeSet<Party>,
    emptied: Vec<(Party, Month)>,
    report: bool,
    secured: bool,
}

/// What is known of all projects.
#[derive(Default)]
pub(crate) struct Model {
    lives: BTreeMap<usize, Life>,
    revoked: BTreeSet<Party>,
    departed: BTreeMap<Party, Month>,
    seen: BTreeSet<Digest>,
}

fn earlier(from: Month, before: Option<Month>) -> bool {
    before.is_none_or(|before| from < before)
}

impl Life {
    fn approved(&self) -> Option<(u32, Month, Month)> {
        self.force
            .filter(|force| force.1)
            .map(|(version, _, first, last, _)| (version, first, last))
    }

    fn ended(&self, at: Month) -> bool {
        self.force.is_some_and(|(_, approved, _, last, _)| !approved || at > last)
            || self.closed.is_some_and(|from| from <= at)
            || self.withdrawn.is_some_and(|from| from <= at)
    }

    fn receivers(&self) -> BTreeSet<Party> {
        let responsible = self.force.map(|force| version(force.0).0);
        self.mandates.iter().map(|(_, by)| *by).chain(responsible).collect()
    }

    /// The month from which on nothing is left with anybody.
    fn empty_from(&self) -> Option<Month> {
        let first = |receiver: &Party| {
            let own = self.emptied.iter().filter(|(by, at)| by == receiver && self.ended(*at));
            own.map(|(_, at)| *at).min()
        };
        let each: Option<Vec<_>> = self.receivers().iter().map(first).collect();
        each?.into_iter().max()
    }

    fn open(&self) -> bool {
        self.withdrawn.is_none() && self.closed.is_none() && self.empty_from().is_none()
    }

    fn counts_from(&self, start: Month) -> Month {
        self.began.map_or(start, |began| began.min(start))
    }

    fn state(&self, at: Month) -> S {
        let undecided = || {
            let all = PARTICIPANTS.iter().all(|one| self.attested.contains(&(self.versions, *one)));
            if all { S::Reviewed } else { S::Submitted }
        };
        if self.withdrawn.is_some_and(|from| from <= at) {
            return S::Withdrawn;
        }
        let Some((number, approved, first, _, _)) = self.force else { return undecided() };
        if !approved {
            let pending = self.ruled.is_some_and(|(_, latest)| self.versions > latest);
            return if pending { undecided() } else { S::Rejected };
        }
        if self.ended(at) {
            return match (self.empty_from(), self.report, self.secured) {
                (Some(from), true, true) if from <= at => S::Secured,
                (Some(from), true, false) if from <= at => S::Evaluated,
                (Some(from), false, _) if from <= at => S::Destroyed,
                _ => S::Closing,
            };
        }
        let halted = self.halted.iter().any(|((by, from), until)| {
            by.is_none() && *from <= at && until.is_none_or(|until| at < until)
        });
        let mandated = self.mandates.iter().any(|(version, _)| *version == number);
        match (halted, first <= at && mandated) {
            (true, _) => S::Suspended,
            (false, true) => S::Active,
            (false, false) => S::Approved,
        }
    }
}

impl Model {
    pub(crate) fn state(&self, project: usize, at: Month) -> Option<S> {
        let life = self.lives.get(&project).filter(|life| life.versions > 0);
        life.map(|life| life.state(at))
    }

    fn by(&self, act: &Act, party: Party) -> bool {
        act.signed.contains(&party) && !self.revoked.contains(&party)
    }

    /// Whether the register takes the document of an act.
    pub(crate) fn admits(&self, act: &Act, payload: Digest) -> bool {
        if self.seen.contains(&payload) {
            return false;
        }
        let none = Life::default();
        let life = self.lives.get(&act.project).unwrap_or(&none);
        let quorum = act.lsi >= 2;
        let by = |party| self.by(act, party);
        let takes_part = |party: &Party| PARTICIPANTS.contains(party);
        let known = life.versions > 0;
        let responsible = life.approved().map(|(number, ..)| version(number).0);
        match act.what {
            What::Propose(number) => {
                let (_, start, end) = version(number);
                let there =
                    |one| !self.departed.contains_key(&one) && !life.left.contains_key(&one);
                number == life.versions + 1
                    && PARTICIPANTS.into_iter().all(|one| by(one) && there(one))
                    && life.open()
                    && end < life.counts_from(start) + 24
            }
            What::Attest(number, party) => {
                number <= life.versions && takes_part(&party) && by(party)
            }
            What::Decide { version: number, approved, on, until, both } => {
                let (_, start, end) = version(number);
                let attested = |one: &Party| life.attested.contains(&(number, *one));
                let named = if both { &PARTICIPANTS[..] } else { &PARTICIPANTS[..1] };
                let again = life.approved().is_some_and(|(in_force, ..)| in_force == number);
                quorum
                    && number <= life.versions
                    && named.iter().all(attested)
                    && (both || !approved)
                    && (start..=end).contains(&until)
                    && until < life.counts_from(start) + 24
                    && life
                        .ruled
                        .is_none_or(|(day, latest)| day <= on && (again || latest <= number))
                    && (!approved || life.approved().is_none_or(|(_, _, last)| on <= last))
                    && life.open()
            }
            What::Mandate(number, party) => {
                life.approved().is_some_and(|(in_force, ..)| in_force == number)
                    && responsible == Some(party)
                    && by(party)
                    && life.open()
            }
            What::Extend { version: number, on, until } => {
                let decided = life.force.map_or(0, |force| force.4);
                quorum
                    && life.open()
                    && life.approved().is_some_and(|(in_force, _, last)| {
                        let start = life.counts_from(version(number).1);
                        let in_time = decided <= on && on <= last;
                        in_force == number && in_time && until > last && until < start + 24
                    })
            }
            What::Suspend(party, _) => {
                life.approved().is_some()
                    && party.map_or(quorum, |party| takes_part(&party) && by(party))
            }
            What::Resume(party, halted, from) => {
                let found = life.halted.get(&(party, halted));
                found.is_some_and(|until| from >= halted && earlier(from, *until))
                    && party.map_or(quorum, by)
            }
            What::Withdraw(Some(party), from) => {
                let free =
                    life.withdrawn.is_none() && earlier(from, life.left.get(&party).copied());
                known && takes_part(&party) && free && (by(party) || quorum)
            }
            What::Withdraw(None, from) => {
                let signer = responsible.unwrap_or(version(life.versions).0);
                let idle = life.mandates.is_empty() && earlier(from, life.withdrawn);
                known && idle && (by(signer) || quorum)
            }
            What::Close(from) => responsible.is_some_and(|one| {
                (by(one) || quorum) && life.withdrawn.is_none() && earlier(from, life.closed)
            }),
            What::Feedback(party, _) => life.began.is_some() && takes_part(&party) && by(party),
            What::Destroy(party, complete, at) => {
                let ended = !complete || life.ended(at);
                life.began.is_some() && takes_part(&party) && by(party) && ended
            }
            What::Report => responsible.is_some_and(|one| {
                let reported = life.receivers().is_subset(&life.reported);
                by(one) && life.empty_from().is_some() && reported && !life.report
            }),
            What::Secure => responsible.is_some_and(|one| by(one) && life.report && !life.secured),
            What::Revoke(party, _) => by(party) || quorum,
            What::Depart(party, from) => {
                (by(party) || quorum) && earlier(from, self.departed.get(&party).copied())
            }
        }
    }

    /// Takes an act that is admitted.
    pub(crate) fn take(&mut self, act: &Act, payload: Digest) {
        self.seen.insert(payload);
        match act.what {
            What::Revoke(party, _) => drop(self.revoked.insert(party)),
            What::Depart(party, from) => drop(self.departed.insert(party, from)),
            what => self.lives.entry(act.project).or_default().take(what),
        }
    }
}

impl Life {
    fn take(&mut self, what: What) {
        match what {
            What::Propose(number) => self.versions = number,
            What::Attest(number, party) => drop(self.attested.insert((number, party))),
            What::Decide { version: number, approved, on, until, .. } => {
                let start = version(number).1;
                let latest = self.ruled.map_or(0, |(_, latest)| latest).max(number);
                self.ruled = Some((on, latest));
                if approved {
                    self.began = Some(self.counts_from(start));
                }
                let other = self.approved().is_some_and(|(in_force, ..)| in_force != number);
                if approved || !other {
                    self.force = Some((number, approved, start, until, on));
                }
            }
            What::Mandate(number, party) => drop(self.mandates.insert((number, party))),
            What::Extend { until, .. } => {
                self.force = self
                    .force
                    .map(|(number, approved, first, _, on)| (number, approved, first, until, on));
            }
            What::Suspend(party, from) => drop(self.halted.insert((party, from), None)),
            What::Resume(party, halted, from) => {
                self.halted.insert((party, halted), Some(from));
            }
            What::Withdraw(Some(party), from) => drop(self.left.insert(party, from)),
            What::Withdraw(None, from) => self.withdrawn = Some(from),
            What::Close(from) => self.closed = Some(from),
            What::Feedback(party, true) => drop(self.reported.insert(party)),
            What::Destroy(party, true, at) => self.emptied.push((party, at)),
            What::Report => self.report = true,
            What::Secure => self.secured = true,
            _ => {}
        }
    }
}
