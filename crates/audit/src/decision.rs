//! One decision in its ledger, held against the same made again and against what came before it.

use convenant_ledger::register::Register;
use convenant_model::{
    Date, Problem,
    entry::{Decision, RecordedVerdict, TargetVerdict},
    query::{Query, QueryKind},
};

use crate::{
    Code, Finding, LedgerKind, LedgerReplay, Place,
    account::{Decided, Ruled},
    again::{Again, Remade},
    grounds::Grounds,
    quota::Counted,
    register::shown,
    revoked::Revoked,
    signed::SignedQuery,
};

/// The kind of organisation whose connections a node takes.
const COORDINATOR: &str = "coordinator";

/// A decision in its ledger.
#[derive(Clone, Copy)]
struct Case<'d> {
    index: u64,
    decision: &'d Decision,
    query: &'d Query,
}

impl LedgerReplay<'_> {
    pub(crate) fn decision(&mut self, index: u64, decision: &Decision, again: Option<Again>) {
        self.counts.decision(decision);
        let unfit =
            Finding::new(Code::QueryUnfit, &self.told.name).entry(index).query(decision.query);
        let Some(Again { signed: SignedQuery { query, hash, .. }, remade }) = again else {
            return self.findings.push(unfit.found(Problem::Malformed.code()));
        };
        let asker = (&query.requester.partner, &query.requester.key);
        // Who asks mostly asked before.
        let known = self.grounds.take().filter(|one| one.is_of(&query.project, asker));
        let grounds = known.unwrap_or_else(|| Grounds::of(self.register, &query.project, asker));
        self.figures.decision((&self.told.name, index), decision, &query, &grounds);
        self.grounds = Some(grounds);
        let case = Case { index, decision, query: &query };
        self.check_labels(case);
        self.told.passed.note_decision(decision);
        self.check_key(case);
        self.check_delay(case);
        let taken_back = self.compare_again(case, remade);
        self.count(case, taken_back);
        let ruled = self.ruled.of(Ruled::new(decision, &query));
        let fresh = Decided::new((index, decision), (&query, hash), ruled);
        let first = self.told.decided.entry(decision.query).or_insert(fresh);
        if first.index != index {
            let first = format!("entry={}", first.index);
            self.say(case, Code::DecidedTwice, |one| one.expected(first));
        }
    }

    fn check_labels(&mut self, case: Case<'_>) {
        let Case { decision, query, .. } = case;
        let own = &self.told.name.party;
        let mut checks = vec![("query", decision.query == query.id)];
        match self.told.name.kind {
            LedgerKind::Coordinator => {
                checks.push(("peer", decision.peer == query.requester.partner));
            }
            LedgerKind::Node | LedgerKind::Receipts => {
                let mine = |one: &TargetVerdict| {
                    let asked = query.targets.get(one.target as usize);
                    asked.is_some_and(|target| target.partner == *own)
                };
                let one = matches!(decision.verdicts.as_slice(), [one] if mine(one));
                checks.push(("verdicts", one));
            }
        }
        for (member, agrees) in checks {
            if !agrees {
                self.say(case, Code::Mislabelled, |one| one.found(format!("member={member}")));
            }
        }
    }

    /// Whoever must tell people of an exchange withholds it for a time: somebody should look at the reasons. A
    /// node withholds, so its ledger is where that is told of; what was refused is withheld from nobody.
    fn check_delay(&mut self, case: Case<'_>) {
        let delay = case.query.delayed_disclosure.as_ref();
        let Some(delay) = delay.filter(|_| self.told.name.kind == LedgerKind::Node) else { return };
        let permits = |one: &TargetVerdict| matches!(one.verdict, RecordedVerdict::Permit { .. });
        if case.decision.verdicts.iter().any(permits) {
            let until = format!("until={}", delay.until);
            self.say(case, Code::ToldLater, |one| one.found(until));
        }
    }

    /// A refusal of such a query is as it should be.
    fn check_key(&mut self, case: Case<'_>) {
        let Case { decision, query, .. } = case;
        let requester = &query.requester;
        let revoked = Revoked::of(self.register, &requester.partner, &requester.key);
        let permits = |one: &TargetVerdict| matches!(one.verdict, RecordedVerdict::Permit { .. });
        let Some(revoked) = revoked.filter(|_| decision.verdicts.iter().any(permits)) else {
            return;
        };
        let covenant = self.register.register().state().covenant();
        let minutes = covenant.map_or(0, |one| i64::from(one.covenant.head().register_minutes));
        let signed = self.told.passed.of(decision, query, minutes);
        let finding = Finding::new(Code::KeyRevoked, &self.told.name).entry(case.index);
        self.findings.extend(revoked.judge(signed, finding.query(decision.query)));
    }

    /// Holds the decision against the same made again. Tells whether the ledger holds a refusal of subjects where the
    /// rules permit.
    fn compare_again(&mut self, case: Case<'_>, remade: Result<Remade, Code>) -> bool {
        let Remade { register, fits, verdicts } = match remade {
            Ok(remade) => remade,
            Err(Code::NotMadeAgain) => {
                self.unmade.get_or_insert((case.index, 0)).1 += 1;
                return false;
            }
            Err(fault) => {
                let known = shown(&self.register.position());
                let named = shown(&case.decision.register);
                // A register that is too short falls short of what was decided with.
                let (expected, found) = match fault {
                    Code::RegisterMissing => (named, known),
                    _ => (known, named),
                };
                self.say(case, fault, |one| one.expected(expected).found(found));
                return false;
            }
        };
        self.check_taken(case, fits, &register);
        self.check_progress(case, &register);
        self.check_overdue(case, &register);
        self.check_papers(case, &register);
        self.check_covenant(case, &register);
        let Some(again) = verdicts else {
            return false;
        };
        self.counts.made_again += u64::from(!again.subjects_refused);
        let (own, theirs) = (&again.engine, &case.decision.engine);
        if own != theirs && self.engines.insert(theirs.clone()) {
            self.say(case, Code::Engine, |one| one.expected(own).found(theirs));
        }
        if again.subjects_refused {
            self.say(case, Code::Subjects, |one| one);
        }
        for one in again.differences {
            self.say(case, one.code, |finding| finding.expected(one.expected).found(one.found));
        }
        again.subjects_refused
    }

    /// Whether the query could be taken, and came over the connection that it must come over.
    fn check_taken(&mut self, case: Case<'_>, fits: Result<(), Problem>, register: &Register) {
        if let Err(problem) = fits {
            let code = match problem {
                Problem::BadSignature => Code::QuerySignature,
                _ => Code::QueryUnfit,
            };
            self.say(case, code, |one| one.found(problem.code()));
        }
        let enrolment = register.state().enrolment(&case.decision.peer);
        let coordinator = enrolment.is_some_and(|one| one.kind.as_str() == COORDINATOR);
        if self.told.name.kind == LedgerKind::Node && !coordinator {
            self.say(case, Code::Mislabelled, |one| one.found("member=peer"));
        }
    }

    /// A party's register only grows. Queries that are under way while it does are not what is meant.
    fn check_progress(&mut self, case: Case<'_>, register: &Register) {
        let size = case.decision.register.size;
        let Some((newest, since)) = self.newest.filter(|(newest, _)| *newest >= size) else {
            self.newest = Some((size, case.decision.at));
            return;
        };
        let covenant = register.state().covenant();
        let minutes = covenant.map_or(0, |one| i64::from(one.covenant.head().register_minutes));
        if size < newest && case.decision.at.seconds_since(since) > minutes * 60 {
            let text = |size| format!("size={size}");
            self.say(case, Code::RegisterWentBack, |one| {
                one.expected(text(newest)).found(text(size))
            });
        }
    }

    /// Counts again what should have been destroyed by then (clause L6).
    fn check_overdue(&mut self, case: Case<'_>, register: &Register) {
        let Case { decision, query, .. } = case;
        let project = register.state().project(&query.project);
        let kept = self.kept.get_mut(&query.project);
        let overdue =
            kept.zip(project).map_or(0, |(kept, project)| kept.overdue(project, decision.at));
        if overdue != decision.used.overdue {
            let text = |overdue| format!("overdue={overdue}");
            self.say(case, Code::Overdue, |one| {
                one.expected(text(overdue)).found(text(decision.used.overdue))
            });
        }
    }

    /// Whether what had to be there before anybody asked bears a later date than a permit.
    fn check_papers(&mut self, case: Case<'_>, register: &Register) {
        let Case { index, decision, query, .. } = case;
        let permits = |one: &TargetVerdict| matches!(one.verdict, RecordedVerdict::Permit { .. });
        let project = register.state().project(&query.project);
        if let Some(project) = project.filter(|_| decision.verdicts.iter().any(permits)) {
            let place = Place { ledger: self.told.name.clone(), entry: index };
            self.unprepared.permit(&place, decision.at.date(), (&query.project, project));
        }
    }

    /// The covenant that was in force, held against the one that the decision names.
    fn check_covenant(&mut self, case: Case<'_>, register: &Register) {
        let named = case.decision.covenant;
        let in_force = register.state().covenant().map(|covenant| covenant.hash);
        if in_force != Some(named) {
            let expected = in_force.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
            self.say(case, Code::Covenant, |one| one.expected(expected).found(named));
        }
    }

    fn count(&mut self, case: Case<'_>, taken_back: bool) {
        let Case { index, decision, query, .. } = case;
        let subjects = |one: &TargetVerdict| {
            let target = query.targets.get(one.target as usize)?;
            Some(target.subjects.as_ref().map_or(0, |shape| u64::from(shape.count)))
        };
        let permitted = decision.verdicts.iter();
        let permitted =
            permitted.filter(|one| matches!(one.verdict, RecordedVerdict::Permit { .. }));
        let permitted = permitted.filter_map(subjects).reduce(u64::saturating_add);
        let taken_back = decision.verdicts.first().filter(|_| taken_back).and_then(subjects);
        let cells = self.count_cells(case);
        let counted = Counted {
            index,
            query: decision.query,
            used: decision.used,
            permitted,
            taken_back,
            cells,
        };
        let tally = self.tallies.entry(query.project.clone()).or_default();
        if let Err(recorded) = tally.count(counted) {
            self.say(case, Code::Undercounted, |one| {
                one.expected(usage(recorded)).found(usage(decision.used))
            });
        }
    }

    /// Holds the numbers that a decision permits against those permitted before; gives how many there are.
    fn count_cells(&mut self, case: Case<'_>) -> u64 {
        let Case { decision, query, .. } = case;
        if query.kind != QueryKind::Count {
            return 0;
        }
        let permits = |one: &&TargetVerdict| matches!(one.verdict, RecordedVerdict::Permit { .. });
        let mut cells = 0;
        for verdict in decision.verdicts.iter().filter(permits) {
            let number = verdict.target as usize;
            let Some(target) = query.targets.get(number) else { continue };
            let stated = decision.counted.get(number).copied().flatten();
            let counted = self.counted.entry(query.project.clone()).or_default();
            let last = counted.last(target);
            counted.note(target, decision.at.date());
            cells += 1;
            if last > stated {
                let text = |day: Option<Date>| {
                    day.map_or_else(|| "counted=never".to_owned(), |day| format!("counted={day}"))
                };
                self.say(case, Code::Recounted, |one| one.expected(text(last)).found(text(stated)));
            }
        }
        cells
    }

    fn say(&mut self, case: Case<'_>, code: Code, with: impl FnOnce(Finding) -> Finding) {
        let finding =
            Finding::new(code, &self.told.name).entry(case.index).query(case.decision.query);
        self.findings.push(with(finding));
    }
}

pub(crate) fn usage(used: convenant_model::entry::Usage) -> String {
    format!("queries={} subjects={} cells={}", used.queries, used.subjects, used.cells)
}
