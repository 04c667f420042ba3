//! What an auditor must be able to establish, and which findings bear on it.

use serde::Serialize;

use crate::Code;

macro_rules! questions {
    ($($name:ident: $english:literal / $dutch:literal),* $(,)?) => {
        /// A question that an audit answers.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Question {
            $(#[doc = $english] $name),*
        }

        impl Question {
            /// Every question, in the order in which a report answers them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The question in English.
            #[must_use]
            pub const fn in_english(self) -> &'static str {
                match self { $(Self::$name => $english),* }
            }

            /// The question in Dutch.
            #[must_use]
            pub const fn in_dutch(self) -> &'static str {
                match self { $(Self::$name => $dutch),* }
            }
        }
    };
}

questions! {
    Asked: "Who asked what, for which project and purpose, under whose mandate?" /
        "Wie vroeg wat, voor welk project en doel, met wiens mandaat?",
    Lawful: "Was it lawful then: same rules, same facts, same verdict?" /
        "Mocht het toen: dezelfde regels, dezelfde feiten, dezelfde uitspraak?",
    Refused: "Why was it refused?" / "Waarom is er geweigerd?",
    Fields: "Were only permitted fields returned?" / "Zijn alleen toegestane velden gegeven?",
    People: "How many people were processed, and how many hit?" /
        "Over hoeveel mensen ging het, en hoeveel treffers waren er?",
    Log: "Is the log complete and unaltered, and do the parties' logs agree?" /
        "Is het logboek volledig en ongewijzigd, en stemmen de logboeken van de partijen overeen?",
    Prepared: "Were subsidiarity, DPIA and information duty met in time?" /
        "Is op tijd voldaan aan subsidiariteit, DPIA en informatieplicht?",
    Destroyed: "Was everything destroyed in time?" / "Is alles op tijd vernietigd?",
    Hits: "What became of the hits?" / "Wat is er met de treffers gedaan?",
    Unusual: "Was there repeated probing, or use at odd hours?" /
        "Is er herhaald bevraagd, of buiten werktijd?",
    Readers: "Who read the logs?" / "Wie heeft de logboeken gelezen?",
}

impl Question {
    /// Whether its figures are counted by the coordinator's ledger where that is there, or hold what stands in it. What
    /// became of hits stands in the register.
    #[must_use]
    pub const fn counts_by_coordinator(self) -> bool {
        !matches!(self, Self::Hits)
    }

    /// The question that a finding bears on. What does not say otherwise bears on the log.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        match code {
            Code::QuerySignature | Code::QueryUnfit | Code::Mislabelled => Self::Asked,
            Code::Rules
            | Code::RegisterPosition
            | Code::RegisterMissing
            | Code::NotMadeAgain
            | Code::RegisterWentBack
            | Code::Covenant
            | Code::Verdict
            | Code::Slice
            | Code::Engine
            | Code::EngineDifference
            | Code::Undercounted
            | Code::Overcounted
            | Code::Recounted
            | Code::Late
            | Code::Unvouched
            | Code::NeverVouched => Self::Lawful,
            Code::Clauses | Code::Wording | Code::Subjects => Self::Refused,
            Code::Obligations | Code::TooManyRows => Self::Fields,
            Code::PaperLate | Code::ToldLater => Self::Prepared,
            Code::Overdue | Code::DestroyedLate | Code::NotDestroyed | Code::ArrivalDenied => {
                Self::Destroyed
            }
            Code::NoFeedback => Self::Hits,
            Code::OddHours
            | Code::Probing
            | Code::RefusedInARow
            | Code::Unwatched
            | Code::HitRate
            | Code::Alarm => Self::Unusual,
            _ => Self::Log,
        }
    }
}
