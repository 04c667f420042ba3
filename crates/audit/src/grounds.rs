//! What lets somebody ask: a mandate that names the key (clause S6), the days of the project (clause S10), and a key
//! that was not revoked. Told by the whole register, so that who reads a report sees what held when.

use convenant_model::{
    Date, Oin, ProjectId, Timestamp,
    documents::{Holder, Mandate, Role},
    keys::VerifyingKey,
    register::{Decided, Project},
};
use serde::Serialize;

use crate::RegisterEvidence;

/// A mandate that names somebody's key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MandateReport {
    /// The first day on which it holds.
    pub valid_from: Date,
    /// The last one.
    pub valid_until: Date,
    /// The document of the register that gives it.
    pub document: Option<u64>,
}

/// What lets one person ask in one project.
pub(crate) struct Grounds<'a> {
    register: &'a RegisterEvidence,
    of: (ProjectId, Oin, VerifyingKey),
    /// The mandate that ends first comes first.
    mandates: Vec<(&'a Mandate, &'a Holder)>,
    /// The last day of the project, where it was approved.
    last_day: Option<Date>,
    revoked: Option<Timestamp>,
}

impl<'a> Grounds<'a> {
    pub(crate) fn of(
        register: &'a RegisterEvidence,
        project: &ProjectId,
        (partner, key): (&Oin, &VerifyingKey),
    ) -> Self {
        let of = (project.clone(), partner.clone(), key.clone());
        let state = register.register().state();
        let project = state.project(project);
        let given = project.into_iter().flat_map(|one| one.mandates());
        let named = given.filter(|mandate| mandate.partner == *partner).filter_map(|mandate| {
            let holder = mandate.holder.iter().find(|holder| holder.key == *key)?;
            Some((mandate.as_ref(), holder))
        });
        let mut mandates: Vec<_> = named.collect();
        mandates.sort_by_key(|(mandate, _)| (mandate.valid_until, mandate.valid_from));
        let approved = project.and_then(Project::decided).filter(|decided| decided.approves());
        Self {
            register,
            of,
            mandates,
            last_day: approved.map(Decided::last_day),
            revoked: state.revoked_from(partner, key),
        }
    }

    /// Whether it is this person's, in this project.
    pub(crate) fn is_of(&self, project: &ProjectId, (partner, key): (&Oin, &VerifyingKey)) -> bool {
        let (of_project, of_partner, of_key) = &self.of;
        of_project == project && of_partner == partner && of_key == key
    }

    /// Whether all of it held at an instant.
    pub(crate) fn held(&self, at: Timestamp) -> bool {
        let day = at.date();
        let on = |(mandate, _): &(&Mandate, &Holder)| {
            (mandate.valid_from..=mandate.valid_until).contains(&day)
        };
        self.mandates.iter().any(on)
            && self.last_day.is_none_or(|last| day <= last)
            && self.revoked.is_none_or(|from| at < from)
    }

    /// The function that the last of the mandates names, and whether it is the project leader's.
    pub(crate) fn function(&self) -> Option<(&'a str, bool)> {
        let (_, holder) = self.mandates.last()?;
        Some((holder.function.as_str(), holder.role == Role::Leader))
    }

    /// From when on the key is revoked.
    pub(crate) const fn revoked(&self) -> Option<Timestamp> {
        self.revoked
    }

    pub(crate) fn mandates(&self) -> Vec<MandateReport> {
        let report = |(mandate, _): &(&Mandate, &Holder)| MandateReport {
            valid_from: mandate.valid_from,
            valid_until: mandate.valid_until,
            document: self.register.filed().mandate(mandate),
        };
        self.mandates.iter().map(report).collect()
    }
}
