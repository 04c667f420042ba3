//! Questions to the datasets of the example, for a test to change where it wants them wrong.

use convenant_client::compose::{Question, Subjects, TargetQuestion};
use convenant_demo::Party;
use convenant_model::{
    FieldName, GoalId, ProjectId, parse::BoundedText, query::QueryKind, subjects::Subject,
    vouching::Vouchers,
};

use crate::{Fallible, Fault, PROJECT};

/// A question under the example's project.
///
/// # Errors
/// Never with the texts that stand here.
pub fn question(kind: QueryKind, targets: Vec<TargetQuestion>) -> Fallible<Question> {
    Ok(Question {
        project: ProjectId::new(PROJECT)?,
        kind,
        targets,
        goal: Some(GoalId::new("toeslagenfraude")?),
        retention_days: None,
        justification: BoundedText::new("Adressen uit het plan van aanpak")?,
        delayed_disclosure: None,
        minutes: 10,
    })
}

/// What is asked of a partner's only dataset.
///
/// # Errors
/// When the partner serves none, or a name is malformed.
pub fn target(party: &Party, fields: &[&str]) -> Fallible<TargetQuestion> {
    let dataset = party.datasets.first().ok_or("the partner serves nothing")?;
    Ok(TargetQuestion {
        partner: party.oin.clone(),
        dataset: dataset.clone(),
        fields: names(fields)?,
        predicate: None,
        subjects: None,
        vouch: None,
    })
}

/// The same about these people, by their BSN.
///
/// # Errors
/// Never with the names that stand here.
pub fn about(mut target: TargetQuestion, list: Vec<Subject>) -> Fallible<TargetQuestion> {
    let verified = list.iter().any(|subject| subject.verify.is_some());
    target.subjects = Some(Subjects {
        key: FieldName::new("burgerservicenummer")?,
        verified_by: verified.then(|| FieldName::new("geboorte_datum")).transpose()?,
        list,
        vouchers: Vec::new(),
    });
    Ok(target)
}

/// The same under a condition.
///
/// # Errors
/// When it is no predicate.
pub fn when(mut target: TargetQuestion, predicate: &str) -> Fallible<TargetQuestion> {
    target.predicate = Some(predicate.parse()?);
    Ok(target)
}

/// The same, with the partner vouching for the values of this field.
///
/// # Errors
/// When it is no name.
pub fn vouching(mut target: TargetQuestion, field: &str) -> Fallible<TargetQuestion> {
    target.vouch = Some(FieldName::new(field)?);
    Ok(target)
}

/// What is asked about subjects for whom there are vouchers, by this key.
///
/// # Errors
/// When the key is no name.
pub fn vouched(
    mut target: TargetQuestion,
    key: &str,
    list: Vec<Subject>,
    vouchers: Vec<Vouchers>,
) -> Fallible<TargetQuestion> {
    let key = FieldName::new(key)?;
    target.subjects = Some(Subjects { key, verified_by: None, list, vouchers });
    Ok(target)
}

/// The same question under another project of the example, for the goal of migrant labour.
///
/// # Errors
/// When the project's id is malformed.
pub fn under(mut question: Question, project: &str) -> Fallible<Question> {
    question.project = ProjectId::new(project)?;
    question.goal = Some(GoalId::new("overtreding-arbeidswetgeving")?);
    Ok(question)
}

fn names(fields: &[&str]) -> Fallible<Vec<FieldName>> {
    fields.iter().map(|name| FieldName::new(*name).map_err(Fault::from)).collect()
}
