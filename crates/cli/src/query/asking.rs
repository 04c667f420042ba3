//! From arguments to a question: partners by name, keys by the covenant.

use convenant_client::compose::{Question, Subjects, TargetQuestion};
use convenant_model::{
    DatasetId, Oin,
    covenant::{Covenant, Dataset, Field},
    documents::Enrolment,
    parse::BoundedText,
    predicate::Predicate,
    query::{DelayedDisclosure, QueryKind},
    register::RegisterState,
    value::FieldType,
};

use super::{
    Kind, QueryArgs, files,
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
        if let ([_], Some(out)) = (args.targets.as_slice(), &args.out) {
            files::checked(out)?;
        }
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
        require_goal(args, state)?;
        let resolved = args.targets.iter().map(|target| resolve(target, state, covenant));
        let resolved = resolved.collect::<anyhow::Result<Vec<_>>>()?;
        let targets = resolved.iter().map(|target| self.target(args, covenant, target));
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
        covenant: &Covenant,
        target: &Resolved,
    ) -> anyhow::Result<TargetQuestion> {
        let dataset = dataset(covenant, &target.dataset)?;
        let subjects = match &self.subjects {
            Some(listed) => Some(self.subjects(listed, args, dataset)?),
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
        dataset: &Dataset,
    ) -> anyhow::Result<Subjects> {
        let subjects = subjects(listed, args, dataset)?;
        match dataset.vouched_key(&subjects.key) {
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
fn require_goal(args: &QueryArgs, state: &RegisterState) -> anyhow::Result<()> {
    let decided = state.project(&args.project).and_then(|project| project.decided());
    let goals = decided.map(|decided| &decided.proposal.goals);
    match goals {
        Some(goals) if args.goal.is_none() && goals.len() > 1 => {
            let ids: Vec<_> = goals.iter().map(|goal| goal.as_str()).collect();
            Err(usage(format!("`--goal` is missing: the project has {}", ids.join(" and "))))
        }
        _ => Ok(()),
    }
}

fn subjects(listed: &Listed, args: &QueryArgs, dataset: &Dataset) -> anyhow::Result<Subjects> {
    let field = match &args.key {
        Some(name) => dataset
            .field(name)
            .ok_or_else(|| usage(format!("`{}` has no field `{name}`", dataset.id)))?,
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

fn resolve(text: &str, state: &RegisterState, covenant: &Covenant) -> anyhow::Result<Resolved> {
    let (asked, name) = text
        .split_once('/')
        .ok_or_else(|| usage(format!("target `{text}` is not `PARTNER/DATASET`")))?;
    let enrolment = partner(asked, state)?;
    let whole = name.contains('/');
    let id = if whole { name.to_owned() } else { format!("{}/{name}", enrolment.kind) };
    let id = DatasetId::new(id).map_err(|error| usage(format!("target `{text}`: {error}")))?;
    dataset(covenant, &id)?;
    Ok(Resolved {
        asked: asked.to_owned(),
        name: enrolment.name.to_string(),
        partner: enrolment.partner.clone(),
        dataset: id,
    })
}

fn dataset<'a>(covenant: &'a Covenant, id: &DatasetId) -> anyhow::Result<&'a Dataset> {
    let dataset = covenant.dataset(id);
    dataset.ok_or_else(|| usage(format!("the covenant has no dataset `{id}`")))
}

/// The partner with this OIN, or the only one whose name holds the text.
fn partner<'a>(asked: &str, state: &'a RegisterState) -> anyhow::Result<&'a Enrolment> {
    if let Ok(oin) = asked.parse::<Oin>() {
        let enrolment = state.enrolment(&oin).map(AsRef::as_ref);
        return enrolment.ok_or_else(|| usage(format!("`{oin}` is not enrolled")));
    }
    let wanted = asked.to_lowercase();
    let serving = state.enrolments().filter(|enrolment| enrolment.node.is_some());

    let found: Vec<_> =
        serving.filter(|one| one.name.as_str().to_lowercase().contains(&wanted)).collect();
    match found.as_slice() {
        [only] => Ok((*only).as_ref()),
        [] => Err(usage(format!("no enrolled partner with a node has `{asked}` in its name"))),
        several => {
            let names: Vec<_> = several.iter().map(|one| one.name.as_str()).collect();
            Err(usage(format!("`{asked}` is in several names: {}", names.join(", "))))
        }
    }
}
