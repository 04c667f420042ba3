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

    /// Why nobody decided on a message.
    pub(super) fn not_taken_because(&self, problem: Problem) -> &'static str {
        let dutch = match problem {
            // The only refusal that is no decision on record: both daemons write it so.
            Problem::Refused => {
                return self.of(
                    "geweigerd op grond van het convenant; de vraag kan een persoon noemen, en staat daarom niet zelf \
                     in het logboek",
                    "refused under the covenant; the query may name a person, and is therefore not in the ledger itself",
                );
            }
            Problem::NotAllowed => {
                "de afzender mag dit niet vragen, of niet namens deze organisatie"
            }
            Problem::Malformed => "het bericht is niet wat het protocol voorschrijft",
            Problem::BadSignature => "een handtekening klopt niet",
            Problem::Expired => "de vraag was verlopen",
            Problem::NotYetValid => {
                "de vraag is in de toekomst gemaakt, of langer geldig dan het convenant toelaat"
            }
            Problem::Replayed => "een vraag met dit nummer was al ontvangen",
            Problem::BadSubjects => {
                "de verzegelde personen gaan niet open, of zijn niet die van de vraag"
            }
            Problem::NotVouched => "niet voor alle personen staat iemand in",
            Problem::RuleError => "de regels van het convenant waren niet toe te passen",
            Problem::RegisterStale => "het register van deze partij was te oud",
            Problem::RegisterForked => "de vraag gaat uit van een ander register",
            Problem::Overloaded => "er waren te veel vragen tegelijk",
            _ => "zie docs/problems.md bij de software",
        };
        self.of(dutch, problem.explanation())
    }
}
