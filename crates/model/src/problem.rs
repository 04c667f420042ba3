//! The stable problem codes: what a party tells another when an exchange did not take place.
//!
//! A code is part of the protocol: `google.rpc.ErrorInfo.reason` carries it, ledgers hold it, and
//! `docs/problems.md` documents it. Refusals under the covenant carry their clauses besides
//! ([`crate::verdict::Refusal`]).

use serde::{Deserialize, Serialize};

macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal),* $(,)?) => {
        /// Why an exchange, a document or a request was not accepted.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Problem {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $name),*
        }

        impl Problem {
            /// Every problem, in the order of documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// One English sentence that explains the problem.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii_start()),* }
            }

            /// The problem with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

problems! {
    /// The peer showed no certificate, or one whose OIN or public key no enrolment names.
    Unauthenticated = "NIET_GEAUTHENTICEERD",
    /// The peer is known, but may not call this.
    NotAllowed = "NIET_BEVOEGD",
    /// The message is not what the protocol prescribes.
    Malformed = "ONJUIST_BERICHT",
    /// A signature does not verify.
    BadSignature = "ONJUISTE_HANDTEKENING",
    /// The query's time of expiry has passed.
    Expired = "VERLOPEN_VRAAG",
    /// The query was made in the future, or lives longer than the covenant allows.
    NotYetValid = "VRAAG_UIT_DE_TOEKOMST",
    /// A query with this id was received before.
    Replayed = "HERHAALDE_VRAAG",
    /// The sealed subjects do not open, or do not match what the signed query says of them.
    BadSubjects = "ONJUISTE_PERSONEN",
    /// The dataset answers only for subjects that come with a valid voucher, and some do not; nothing was
    /// read.
    NotVouched = "GEEN_VOUCHER",
    /// The covenant refuses the query; the clauses say why.
    Refused = "GEWEIGERD",
    /// The covenant's rules could not be evaluated, which is a refusal.
    RuleError = "REGELFOUT",
    /// The register at this party is older than the covenant allows.
    RegisterStale = "REGISTER_VEROUDERD",
    /// The register that the query was written against is not a prefix of this party's register.
    RegisterForked = "REGISTER_AFWIJKEND",
    /// The ledger shown was set back, or does not begin with what it was when it was cosigned last; it is not
    /// cosigned.
    LedgerConflict = "LOGBOEK_TEGENSTRIJDIG",
    /// There is no such ledger or file here.
    NotFound = "NIET_GEVONDEN",
    /// The document is not admitted to the register.
    DocumentNotAdmitted = "DOCUMENT_NIET_TOEGELATEN",
    /// What must be on record could not be recorded, so nothing was answered.
    NotRecorded = "NIET_VASTGELEGD",
    /// The data source did not answer.
    SourceUnavailable = "BRON_NIET_BESCHIKBAAR",
    /// More rows match than the covenant lets leave at once (clause S12); none left.
    TooManyRows = "TE_VEEL_RIJEN",
    /// The partner's node cannot be reached.
    NodeUnavailable = "KNOOPPUNT_NIET_BEREIKBAAR",
    /// The partner's node did not answer before the deadline.
    Late = "TE_LAAT",
    /// The requester went away, or a connection on the way to him broke, before the answer was complete.
    Cancelled = "AFGEBROKEN",
    /// What was permitted when the answer began no longer is: a suspension, or another document of the
    /// register, came meanwhile. What was sent before is void.
    Lapsed = "TOESTEMMING_VERVALLEN",
    /// There are more requests under way than this party serves at once.
    Overloaded = "OVERBELAST",
    /// A fault of this party; its log says more under the query's id.
    Internal = "INTERNE_FOUT",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_round_trip() {
        for problem in Problem::ALL {
            assert_eq!(Problem::from_code(problem.code()), Some(*problem));
            assert!(problem.explanation().ends_with('.'), "{problem:?}");
        }
    }
}
