//! From arguments to a question: partners by name, keys by the covenant.

use std::collections::BTreeSet;

use convenant_client::compose::{Question, Subjects, TargetQuestion};
use convenant_model::{
    DatasetId, FieldName, Oin,
    area::AreaCode,
    covenant::{Covenant, Dataset, Field, Use},
    parse::BoundedText,
    predicate::Predicate,
    query::{DelayedDisclosure, QueryKind},
    register::{Project, RegisterState},
    subjects::spells_bsn,
    value::FieldType,
};

use super::{
    Kind, QueryArgs, files, known,
    subjects::{Listed, person_key},
    vouchers::{self, Passing},
};
use crate::exit::usage;

/// What can be read from the command line alone.
pub(super) struct Asked {
    predicate: Option<Predicate>,
    subjects: Option<Listed>,
    vouchers: Passing,
    justification: BoundedText<1000>,
    delayed_disclosure: Option<DelayedDisclosure>,
}

/// A target once the register told who and what it is.
#[derive(Clone)]
pub(super) struct Resolved {
    /// The partner as it was asked for.
    pub(super) asked: String,
    /// The partner's name in its enrolment.
    pub(super) name: String,
    /// The partner.
    pub(super) partner: Oin,
    /// The dataset.
    pub(super) dataset: DatasetId,
}

impl Asked {
    pub(super) fn read(args: &QueryArgs) -> anyhow::Result<Self> {
        let counts = matches!(args.kind, Some(Kind::Count));
        if args.fields.is_empty() != counts {
            let fault = if counts { "a count has no `--fields`" } else { "`--fields` is missing" };
            return Err(usage(fault));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = args.fields.iter().find(|name| !seen.insert(*name)) {
            return Err(named_twice(twice));
        }
        if let Some(out) = &args.out {
            files::writable(out)?;
            if let [_] = args.targets.as_slice() {
                files::absent(out, args.vouch.is_some())?;
            }
        }
        args.targets.iter().try_for_each(|target| known::parts(target).map(drop))?;
        // Parsed here and not by clap, whose error would repeat the text with its literals.
        let predicate = args.condition.as_ref().map(|text| text.parse()).transpose();
        let subjects = args.subjects.as_ref().map(|path| Listed::read(path)).transpose()?;
        let justification = BoundedText::new(args.justification.clone());
        Ok(Self {
            predicate: predicate.map_err(|error| usage(format!("`--where`: {error}")))?,
            subjects,
            vouchers: Passing::read(&args.vouchers)?,
            justification: justification
                .map_err(|error| usage(format!("`--justification`: {error}")))?,
            delayed_disclosure: delay(args)?,
        })
    }

    pub(super) fn question(
        self,
        args: &QueryArgs,
        state: &RegisterState,
    ) -> anyhow::Result<(Question, Vec<Resolved>)> {
        let covenant = state.covenant().ok_or_else(|| usage("the register holds no covenant"))?;
        let covenant = &covenant.covenant;
        let project = known::project(state, &args.project)?;
        goal(args, project, covenant)?;
        known::limits(args, self.delayed_disclosure.as_ref(), (project, covenant))?;
        let resolved = args.targets.iter().map(|target| known::target(target, state, covenant));
        let resolved = resolved.collect::<anyhow::Result<Vec<_>>>()?;
        known::targets(&resolved)?;
        known::retention(args.retention, (project, covenant), &resolved)?;
        let area = area(project);
        let targets = resolved.iter().map(|target| self.target(args, (covenant, &area), target));
        let targets = targets.collect::<anyhow::Result<Vec<_>>>()?;
        self.require_verifier(&targets)?;
        self.vouchers.require_use(&targets)?;
        let question = Question {
            project: args.project.clone(),
            kind: args.kind.map_or_else(|| default_kind(covenant, &targets), QueryKind::from),
            targets,
            goal: args.goal.clone(),
            retention_days: args.retention,
            justification: self.justification,
            delayed_disclosure: self.delayed_disclosure,
            minutes: args.minutes,
        };
        Ok((question, resolved))
    }

    fn target(
        &self,
        args: &QueryArgs,
        (covenant, area): (&Covenant, &BTreeSet<AreaCode>),
        target: &Resolved,
    ) -> anyhow::Result<TargetQuestion> {
        let dataset = known::dataset(covenant, &target.dataset)?;
        known::fields(dataset, &args.fields, self.predicate.as_ref())?;
        let subjects = match &self.subjects {
            Some(listed) => Some(self.subjects(listed, args, (covenant, dataset, area))?),
            None => None,
        };
        let vouch = args.vouch.as_ref();
        let vouch = vouch.map(|field| vouchers::field(field.as_ref(), covenant, dataset, args));
        Ok(TargetQuestion {
            partner: target.partner.clone(),
            dataset: target.dataset.clone(),
            fields: args.fields.clone(),
            predicate: self.predicate.clone(),
            subjects,
            vouch: vouch.transpose()?,
        })
    }

    fn subjects(
        &self,
        listed: &Listed,
        args: &QueryArgs,
        (covenant, dataset, area): (&Covenant, &Dataset, &BTreeSet<AreaCode>),
    ) -> anyhow::Result<Subjects> {
        let subjects = subjects(listed, args, dataset)?;
        known::verified(covenant, dataset, (&subjects, listed))?;
        // Vouchers play no part where the dataset knows by itself who lives in the area.
        match dataset.vouched_key(&subjects.key).filter(|_| !dataset.holds_area(area)) {
            Some(_) => self.vouchers.pass_on(subjects, listed, args, dataset),
            None => Ok(subjects),
        }
    }

    /// A second column that no dataset verifies by is a mistake, and would go nowhere unnoticed.
    fn require_verifier(&self, targets: &[TargetQuestion]) -> anyhow::Result<()> {
        let given = self.subjects.as_ref().is_some_and(Listed::verified);
        let used = targets.iter().filter_map(|target| target.subjects.as_ref());
        if given && !used.into_iter().any(|subjects| subjects.verified_by.is_some()) {
            return Err(usage(
                "the subjects have a second column, but the covenant verifies none of the datasets \
                 by one",
            ));
        }
        Ok(())
    }
}

/// The area of a project, as the LSI decided on it.
fn area(project: &Project) -> BTreeSet<AreaCode> {
    project.decided().map(|decided| decided.proposal.area.clone()).unwrap_or_default()
}

/// Both options or, as clap sees to, neither.
fn delay(args: &QueryArgs) -> anyhow::Result<Option<DelayedDisclosure>> {
    let (Some(until), Some(reason)) = (args.delay_until, &args.delay_reason) else {
        return Ok(None);
    };
    let reason = BoundedText::new(reason.clone());
    let reason = reason.map_err(|error| usage(format!("`--delay-reason`: {error}")))?;
    Ok(Some(DelayedDisclosure { reason, until }))
}

/// Of several goals the leader chooses one: which it was is part of the evidence.
fn goal(args: &QueryArgs, project: &Project, covenant: &Covenant) -> anyhow::Result<()> {
    let goals = project.decided().map(|decided| &decided.proposal.goals);
    match (&args.goal, goals) {
        (Some(goal), _) => known::goal(covenant, goal),
        (None, Some(goals)) if goals.len() > 1 => {
            let ids: Vec<_> = goals.iter().map(|goal| goal.as_str()).collect();
            Err(usage(format!("`--goal` is missing: the project has {}", ids.join(" and "))))
        }
        (None, _) => Ok(()),
    }
}

fn named_twice(name: &FieldName) -> anyhow::Error {
    // A name may be a subject that was put in the wrong place.
    if spells_bsn(name.as_str()) {
        return usage("`--fields`: a name that holds a BSN stands there twice");
    }
    usage(format!("`--fields`: `{name}` stands there twice"))
}

fn subjects(listed: &Listed, args: &QueryArgs, dataset: &Dataset) -> anyhow::Result<Subjects> {
    let field = match &args.key {
        Some(name) => known::field(dataset, "--key", name, |field| field.usage == Use::Key)?,
        None => person_key(dataset).ok_or_else(|| {
            usage(format!("`{}` has not exactly one BSN: name the `--key`", dataset.id))
        })?,
    };
    let verified_by = dataset.verified_by.clone().filter(|_| listed.verified());
    let list = listed.of(dataset, field)?;
    Ok(Subjects { key: field.name.clone(), verified_by, list, vouchers: Vec::new() })
}

/// People are looked up; rows without subjects, or by address, are selected.
fn default_kind(covenant: &Covenant, targets: &[TargetQuestion]) -> QueryKind {
    let of_people = |target: &TargetQuestion| {
        let key = target.subjects.as_ref().map(|subjects| &subjects.key);
        let field = covenant.dataset(&target.dataset).zip(key);
        let field: Option<&Field> = field.and_then(|(dataset, key)| dataset.field(key));
        field.is_some_and(|field| field.kind == FieldType::Bsn)
    };
    if targets.iter().all(of_people) { QueryKind::Lookup } else { QueryKind::Select }
}
