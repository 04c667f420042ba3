//! What covenant and register know of what is asked. A name that they do not know, a number or a day beyond what they
//! allow, and subjects without what verifies them are told before anything is sent; whom and what they know and do
//! not grant is sent all the same, to be refused and recorded with the clause.

use std::{collections::BTreeSet, sync::Arc};

use convenant_client::compose::Subjects;
use convenant_model::{
    Clock as _, DatasetId, Date, FieldName, GoalId, Oin, ProjectId,
    covenant::{Class, Covenant, Dataset, Field, Use},
    documents::Enrolment,
    predicate::Predicate,
    query::{DelayedDisclosure, MAX_TARGETS},
    register::{Project, RegisterState},
};
use convenant_transport::SystemClock;

use super::{QueryArgs, asking::Resolved, subjects::Listed};
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

/// The partner and the dataset of a target, as they were asked for.
pub(super) fn parts(target: &str) -> anyhow::Result<(&str, &str)> {
    let parts =
        target.split_once('/').filter(|(partner, name)| !partner.is_empty() && !name.is_empty());
    parts.ok_or_else(|| {
        usage(format!("`--target`: {} is not `PARTNER/DATASET`", names::shown(target)))
    })
}

/// Whom to ask which dataset.
pub(super) fn target(
    text: &str,
    state: &RegisterState,
    covenant: &Covenant,
) -> anyhow::Result<Resolved> {
    let (asked, name) = parts(text)?;
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
    delay.map_or(Ok(()), |delay| delayed(delay.until, (project, covenant)))
}

/// People are told later than now, and by the day on which all of the project must be destroyed (clause L6).
fn delayed(until: Date, (project, covenant): (&Project, &Covenant)) -> anyhow::Result<()> {
    let today = SystemClock.now().date();
    let last = last_day(project, covenant, today);
    if until < today {
        let last = last.map(|last| format!(" to {last}")).unwrap_or_default();
        return Err(usage(format!("`--delay-until`: {until} is past; allowed is {today}{last}")));
    }
    match last.filter(|last| until > *last) {
        None => Ok(()),
        Some(last) => Err(usage(format!(
            "`--delay-until`: {until}; allowed is {today} to {last}, when all of the project must be destroyed \
             (clause L6)"
        ))),
    }
}

/// The last day on which anything of the project may be kept. Where it is past, nothing may be asked at all, and
/// others say so with the clause.
fn last_day(project: &Project, covenant: &Covenant, today: Date) -> Option<Date> {
    project.terms(covenant).map(|terms| terms.destruction).filter(|last| *last >= today)
}

/// A result is kept no longer than the annexes about what is asked grant (clause L1), nor longer than anything of
/// the project (clause L6). What no annex is about is for others to refuse.
pub(super) fn retention(
    asked: Option<u16>,
    (project, covenant): (&Project, &Covenant),
    targets: &[Resolved],
) -> anyhow::Result<()> {
    let Some(asked) = asked.map(i32::from) else { return Ok(()) };
    let today = SystemClock.now().date();
    let end = last_day(project, covenant, today).map(|last| {
        let left = last.days_since_epoch() - today.days_since_epoch();
        (left, format!("all of the project must be destroyed by {last} (clause L6)"))
    });
    let granted = targets.iter().filter_map(|target| granted(project, target));
    match end.into_iter().chain(granted).min_by_key(|(most, _)| *most) {
        Some((most, why)) if asked > most => {
            Err(usage(format!("`--retention`: {asked}; allowed is 0 to {most}: {why}")))
        }
        _ => Ok(()),
    }
}

/// The most days that an annex about a target grants, and the words for that.
fn granted(project: &Project, target: &Resolved) -> Option<(i32, String)> {
    let Resolved { name, partner, dataset, .. } = target;
    let annexes = &project.decided()?.proposal.annex;
    let about = annexes.iter().filter(|one| one.provider == *partner && one.dataset == *dataset);
    let most = about.map(|annex| i32::from(annex.retention_days)).max()?;
    let name = output::shown(name);
    Some((most, format!("no data annex grants more of `{dataset}` of {name} (clause L1)")))
}

/// A BSN goes with what verifies it, where the dataset has that and the covenant its clause.
pub(super) fn verified(
    covenant: &Covenant,
    dataset: &Dataset,
    (subjects, listed): (&Subjects, &Listed),
) -> anyhow::Result<()> {
    let bsn = dataset.field(&subjects.key).is_some_and(|key| key.class == Class::Bsn);
    let clause = covenant.text().clause.iter().any(|clause| clause.id.as_str() == "L14");
    match dataset.verified_by.as_ref().filter(|_| bsn && clause && !listed.verified()) {
        Some(by) => Err(listed.lacks(by, &dataset.id)),
        None => Ok(()),
    }
}

/// A name as it is compared: `den-haag` and `denhaag` are in `Gemeente Den Haag`.
fn spelled(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
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
    let wanted = spelled(asked);
    let named = |one: &&Arc<Enrolment>| spelled(one.name.as_str()).contains(&wanted);
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
