//! What codes of the evidence mean. A code stays what it is in every language.

use convenant_audit::{RefusalReport, SourceReport};
use convenant_model::{Problem, query::QueryKind, register::ProjectState};

use super::Page;
use crate::lang::Lang;

impl Page<'_> {
    /// A kind of question.
    pub(super) const fn kind(&self, kind: QueryKind) -> &'static str {
        match kind {
            QueryKind::Lookup => self.of("opzoeken (lookup)", "lookup"),
            QueryKind::Select => self.of("selecteren (select)", "select"),
            QueryKind::Count => self.of("tellen (count)", "count"),
        }
    }

    /// What was asked of whom, as no other source is called.
    pub(super) fn source(&self, source: &SourceReport) -> String {
        let (party, kind) = (self.party(&source.provider), self.kind(source.kind));
        format!("{}, {kind}, {}, {party}", source.project, source.dataset)
    }

    /// Where a project is in its life.
    pub(super) fn state(&self, state: ProjectState) -> String {
        let english = match state {
            ProjectState::Submitted => "submitted",
            ProjectState::Reviewed => "under review",
            ProjectState::Approved => "approved",
            ProjectState::Rejected => "rejected",
            ProjectState::Active => "active",
            ProjectState::Suspended => "suspended",
            ProjectState::Closing => "closing",
            ProjectState::Destroyed => "everything destroyed",
            ProjectState::Evaluated => "evaluated",
            ProjectState::Secured => "secured",
            ProjectState::Withdrawn => "withdrawn",
        };
        match self.lang {
            Lang::Nl => state.as_str().to_owned(),
            Lang::En => format!("{} ({english})", state.as_str()),
        }
    }

    /// Of what a refusal is: a clause by its title, or a problem without one.
    pub(super) fn reason(&self, refusal: &RefusalReport) -> String {
        let problem = || match Problem::from_code(&refusal.code) {
            Some(problem) => {
                self.of("geen clausule, maar een technische reden", problem.explanation())
            }
            None => self.of("onbekend", "unknown"),
        };
        refusal.title.clone().unwrap_or_else(|| problem().to_owned())
    }
}
