//! What covenant and register know of what is asked. A name that they do not know, and a number beyond what they
//! allow every query, is told before anything is sent; what they know and do not grant is sent all the same, to
//! be refused and recorded with the clause.

use std::{collections::BTreeSet, sync::Arc};

use convenant_model::{
    Clock as _, DatasetId, FieldName, GoalId, Oin, ProjectId,
    covenant::{Covenant, Dataset, Field, Use},
    documents::Enrolment,
    predicate::Predicate,
    query::{DelayedDisclosure, MAX_TARGETS},
    register::{Project, RegisterState},
};
use convenant_transport::SystemClock;

use super::{QueryArgs, asking::Resolved};
use crate::{exit::usage, names, names::unknown, output};

/// The project.
pub(super) fn project<'s>(state: &'s RegisterState, id: &ProjectId) -> anyhow::Result<&'s Project> {
    state.project(id).ok_or_else(|| {
        let known = state.projects().map(|(id, _)| id.as_str());
        unknown("`--project`: the register holds no project", id.as_str(), known)
    })
}

/// One of the covenant's goals. Whether it is one of the project's is for others to say.
pub(super) fn goal(covenant: &Covenant, id: &GoalId) -> anyhow::Result<()> {
    if covenant.goal(id).is_some() {
        return Ok(());
    }
    let known = covenant.text().goal.iter().map(|goal| goal.id.as_str());
    Err(unknown("`--goal`: the covenant has no goal", id.as_str(), known))
}

/// Whom to ask which dataset.
pub(super) fn target(
    text: &str,
    state: &RegisterState,
    covenant: &Covenant,
) -> anyhow::Result<Resolved> {
    let (asked, name) = text.split_once('/').ok_or_else(|| {
        usage(format!("`--target`: {} is not `PARTNER/DATASET`", names::shown(text)))
    })?;
    let enrolment = partner(asked, state)?;
    let whole = name.contains('/');
    let id = if whole { name.to_owned() } else { format!("{}/{name}", enrolment.kind) };
    let id = DatasetId::new(id).map_err(|_| {
        usage(format!(
            "`--target`: {} names no dataset, as in `uwv/polisadministratie`",
            names::shown(text)
        ))
    })?;
    dataset(covenant, &id)?;
    Ok(Resolved {
        asked: asked.to_owned(),
        name: enrolment.name.to_string(),
        partner: enrolment.partner.clone(),
        dataset: id,
    })
}

/// A query asks no more partners than it can, and each of them once.
pub(super) fn targets(resolved: &[Resolved]) -> anyhow::Result<()> {
    if resolved.len() > MAX_TARGETS {
        return Err(usage(format!("`--target`: 1 to {MAX_TARGETS} can be asked in one query")));
    }
    let mut seen = BTreeSet::new();
    match resolved.iter().find(|target| !seen.insert(&target.partner)) {
        None => Ok(()),
        Some(twice) => {
            let name = output::shown(&twice.name);
            Err(usage(format!(
                "`--target`: {name} is asked twice; a query asks each partner once, so ask again in another"
            )))
        }
    }
}

/// A dataset of the covenant.
pub(super) fn dataset<'a>(covenant: &'a Covenant, id: &DatasetId) -> anyhow::Result<&'a Dataset> {
    covenant.dataset(id).ok_or_else(|| {
        let known = covenant.text().dataset.iter().map(|dataset| dataset.id.as_str());
        unknown("`--target`: the covenant has no dataset", id.as_str(), known)
    })
}

/// The fields that are asked for, and those that a condition compares.
pub(super) fn fields(
    dataset: &Dataset,
    asked: &[FieldName],
    condition: Option<&Predicate>,
) -> anyhow::Result<()> {
    for name in asked {
        field(dataset, "--fields", name, |field| field.usage != Use::Refused)?;
    }
    for name in condition.map(Predicate::fields).unwrap_or_default() {
        field(dataset, "--where", name, |field| field.filterable)?;
    }
    Ok(())
}

/// A field of the dataset. Where there is no such one, those that are of use with the option are told.
pub(super) fn field<'a>(
    dataset: &'a Dataset,
    option: &str,
    name: &FieldName,
    of_use: impl Fn(&Field) -> bool,
) -> anyhow::Result<&'a Field> {
    dataset.field(name).ok_or_else(|| {
        let known = dataset.field.iter().filter(|field| of_use(field));
        let place = format!("`{option}`: `{}` has no field", dataset.id);
        unknown(&place, name.as_str(), known.map(|field| field.name.as_str()))
    })
}

/// The numbers and days that every query is held to, whatever it asks.
pub(super) fn limits(
    args: &QueryArgs,
    delay: Option<&DelayedDisclosure>,
    (project, covenant): (&Project, &Covenant),
) -> anyhow::Result<()> {
    let most = covenant.head().query_minutes;
    if !(1..=most).contains(&args.minutes) {
        let asked = args.minutes;
        return Err(usage(format!("`--minutes`: {asked}; the covenant allows 1 to {most}")));
    }
    let today = SystemClock.now().date();
    match delay.filter(|delay| !delay.holds_on(today)) {
        None => Ok(()),
        Some(delay) => {
            let last = project.terms(covenant).map(|terms| terms.destruction.max(today));
            let last = last.map(|last| format!(" to {last}")).unwrap_or_default();
            let until = delay.until;
            Err(usage(format!("`--delay-until`: {until} is past; allowed is {today}{last}")))
        }
    }
}

/// The partner with this OIN, or the only one whose name holds the text.
fn partner<'a>(asked: &str, state: &'a RegisterState) -> anyhow::Result<&'a Enrolment> {
    let serving = || state.enrolments().filter(|enrolment| enrolment.node.is_some());
    if let Ok(oin) = asked.parse::<Oin>() {
        let enrolment = state.enrolment(&oin).map(AsRef::as_ref);
        let known = serving().map(|one| one.partner.as_str());
        return enrolment
            .ok_or_else(|| unknown("`--target`: the register enrols no", asked, known));
    }
    let wanted = asked.to_lowercase();
    let named = |one: &&Arc<Enrolment>| one.name.as_str().to_lowercase().contains(&wanted);
    let found: Vec<_> = serving().filter(named).collect();
    match found.as_slice() {
        [only] => Ok((*only).as_ref()),
        [] => {
            let place = "`--target`: no partner with a node has in its name";
            Err(unknown(place, asked, serving().map(|one| one.name.as_str())))
        }
        several => {
            let several: Vec<_> = several.iter().map(|one| one.name.as_str()).collect();
            let (asked, several) = (names::shown(asked), output::shown(&several.join(", ")));
            Err(usage(format!("`--target`: {asked} is in several names: {several}")))
        }
    }
}
