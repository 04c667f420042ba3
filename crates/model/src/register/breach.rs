//! What can be wrong with a document of the register, by the clause that says so.

use std::fmt;

use serde::Serialize;

use super::texts::members_with_bsn;
use crate::documents::DocumentKind;

macro_rules! breaches {
    ($($name:ident: $clause:literal $code:literal, $english:literal, $dutch:literal;)*) => {
        /// What is wrong with a member of a document.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Breach {
            $(#[doc = concat!("Clause ", $clause, ": ", $english, ".")] $name),*
        }

        impl Breach {
            /// Every breach.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Id of the clause that is breached.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self { $(Self::$name => $clause),* }
            }

            /// The clause's code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What is wrong, in English.
            #[must_use]
            pub const fn english(self) -> &'static str {
                match self { $(Self::$name => $english),* }
            }

            /// What is wrong, in Dutch.
            #[must_use]
            pub const fn dutch(self) -> &'static str {
                match self { $(Self::$name => $dutch),* }
            }
        }
    };
}

breaches! {
    Empty: "S13" "FORMAT", "is empty", "is leeg";
    EndsBeforeStart: "S13" "FORMAT", "lies before the first day", "ligt voor de eerste dag";
    Repeated: "S13" "FORMAT", "stands there twice", "staat er dubbel";
    AfterRecord: "S13" "FORMAT", "is later than the record that states it", "is later dan het verslag dat het meldt";
    MoreThanWhole: "S13" "FORMAT", "is more than the whole", "is meer dan het geheel";
    UnknownDataset: "S13" "FORMAT", "the covenant has no such dataset", "het convenant kent deze dataset niet";
    UnknownField: "S13" "FORMAT", "the dataset has no such field", "de dataset kent dit veld niet";
    OtherCovenant: "S13" "FORMAT", "is not the covenant of this register", "is niet het convenant van dit register";
    NoCovenant: "S13" "VOLGORDE", "the register holds no covenant yet", "het register bevat nog geen convenant";
    Version: "S13" "VOLGORDE", "is not the next version", "is niet de volgende versie";
    Superseded: "S13" "VOLGORDE", "is older than what it would replace", "is ouder dan wat het zou vervangen";
    UnknownProject: "S13" "VOLGORDE", "the register holds no such project", "het register kent dit project niet";
    UnknownSuspension: "S13" "VOLGORDE", "no suspension of this project has this hash", "geen opschorting van dit project heeft deze hash";
    EndsAlready: "S13" "VOLGORDE", "the suspension ends no later than that already", "de opschorting eindigt al niet later dan dat";
    BeforeSuspension: "S13" "VOLGORDE", "lies before the suspension", "ligt voor de opschorting";
    Withdrawn: "S13" "VOLGORDE", "the project was withdrawn", "het project is ingetrokken";
    Running: "S13" "VOLGORDE", "somebody has a mandate already: close the project", "iemand heeft al een mandaat: sluit het project af";
    Closed: "S13" "VOLGORDE", "the project was closed", "het project is afgesloten";
    Emptied: "S13" "VOLGORDE", "everything of the project was destroyed", "alles van het project is vernietigd";
    SaidBefore: "S13" "VOLGORDE", "was said before, and no later", "is al eerder gemeld, en niet later";
    NotEnded: "S13" "VOLGORDE", "the project has not ended", "het project is niet beëindigd";
    NotDestroyed: "S13" "VOLGORDE", "a receiver has not recorded that everything was destroyed", "een ontvanger heeft niet vastgelegd dat alles is vernietigd";
    NoFeedback: "S13" "VOLGORDE", "a receiver has not reported on every hit", "een ontvanger heeft niet over alle treffers teruggekoppeld";
    NotReported: "S13" "VOLGORDE", "there is no final report", "er is geen eindrapport";

    Unlisted: "S1" "GEEN_PARTNER", "the covenant does not list this organisation as a partner of this kind", "het convenant noemt deze organisatie niet als partner van deze soort";
    NotEnrolled: "S1" "GEEN_PARTNER", "is not enrolled", "is niet ingeschreven";
    Left: "S1" "GEEN_PARTNER", "has left the covenant", "is uitgetreden";
    RevokedKey: "S1" "GEEN_PARTNER", "is a key that was revoked", "is een ingetrokken sleutel";
    UnknownKey: "S1" "GEEN_PARTNER", "is no key of this organisation in the register", "is geen sleutel van deze organisatie in het register";
    NoAccession: "S2" "GEEN_DEELNEMER", "has not acceded, or with another signing key", "is niet toegetreden, of met een andere sleutel";
    NotOpen: "S2" "GEEN_DEELNEMER", "nobody of this kind joins by an accession", "van deze soort treedt niemand toe";
    LeftProject: "S2" "GEEN_DEELNEMER", "has left the project", "is uit het project gestapt";
    NotParticipant: "S2" "GEEN_DEELNEMER", "does not take part in the project", "neemt niet deel aan het project";
    ForeignDataset: "S2" "GEEN_DEELNEMER", "the covenant has no such dataset for a partner of this kind", "het convenant kent deze dataset niet voor een partner van deze soort";

    UnknownGoal: "S3" "DOEL", "is no goal of the covenant", "is geen doel van het convenant";
    NotDesignated: "S3" "DOEL", "the LSI has designated no abuse under this goal", "de LSI heeft onder dit doel geen misstand aangewezen";
    NeedsNone: "S3" "DOEL", "is no goal that needs a designation", "is geen doel dat een aanwijzing nodig heeft";
    UnknownProposal: "S4" "GEEN_LSI_BESLUIT", "no proposal of this project has this hash", "geen voorstel van dit project heeft deze hash";
    NotApproved: "S4" "GEEN_LSI_BESLUIT", "the LSI approved no such project", "de LSI heeft zo'n project niet goedgekeurd";
    NoResponsible: "S5" "VERANTWOORDELIJKE", "the responsible partner does not take part", "de verantwoordelijke partner neemt niet deel";
    ForeignProposer: "S5" "VERANTWOORDELIJKE", "a partner proposes that does not take part", "een voorsteller neemt niet deel";
    OtherProposers: "S5" "VERANTWOORDELIJKE", "none of them proposed the version before", "geen van hen stelde de vorige versie voor";
    NotResponsible: "S6" "MANDAAT", "only the responsible partner does this", "alleen de verantwoordelijke partner doet dit";
    NoLeader: "S6" "MANDAAT", "a mandate of the responsible partner names one leader at most", "een mandaat van de verantwoordelijke partner noemt hoogstens één projectleider";
    SecondLeader: "S6" "MANDAAT", "a leader names no leader", "een projectleider benoemt geen projectleider";
    NoSuchMandate: "S6" "MANDAAT", "is no mandate of this project with a leader", "is geen mandaat van dit project met een projectleider";
    BeyondMandate: "S6" "MANDAAT", "goes beyond the leader's own mandate", "gaat verder dan het eigen mandaat van de projectleider";
    UnknownTheme: "S7" "THEMA", "is no theme of the covenant", "is geen thema van het convenant";
    OtherTheme: "S7" "THEMA", "the covenant does not list this field for the project's theme", "het convenant wijst dit veld niet aan voor het thema van het project";
    NoMeasure: "S8" "SUBSIDIARITEIT", "no earlier measure is recorded", "er is geen eerdere maatregel vastgelegd";
    LateMeasure: "S8" "SUBSIDIARITEIT", "was not tried before the project starts", "is niet geprobeerd voordat het project begint";
    FewPartners: "S9" "MEERWAARDE", "fewer than two partners take part", "er doen minder dan twee partners mee";
    NoArea: "S10" "BUITEN_GEBIED", "no area is given", "er is geen gebied gegeven";
    AreaOfDataset: "S10" "BUITEN_GEBIED", "the dataset holds no area and takes no vouchers, so it cannot be served", "de dataset kent geen gebied en neemt geen vouchers aan, en kan dus niet worden geleverd";
    OutsideTerm: "S10" "VERLOPEN", "lies outside the term that it belongs to", "ligt buiten de termijn waar het bij hoort";
    NoQuota: "S10" "QUOTUM", "a quota is at least one", "een quotum is ten minste één";
    TooLong: "S11" "DUUR", "lies after the longest duration", "ligt na de langste duur";
    AfterEnd: "S11" "DUUR", "the project had ended by then", "het project was toen al afgelopen";
    NoLonger: "S11" "DUUR", "is not later than the last day so far", "is niet later dan de laatste dag tot nu toe";
    NotFilterable: "S12" "GEEN_PREDICAAT", "the covenant does not let a condition test this field", "het convenant laat dit veld niet in een voorwaarde toe";

    NotNecessary: "L1" "NIET_NOODZAKELIJK", "the covenant never lets this field be used", "het convenant laat dit veld nooit gebruiken";
    NoAttestation: "L2" "ATTEST", "a participant's attestation is not among what was decided on", "een verklaring van een deelnemer ontbreekt bij wat is besloten";
    UnknownAttestation: "L2" "ATTEST", "is no attestation of this proposal", "is geen verklaring bij dit voorstel";
    NoDpia: "S14" "DPIA", "there is no data protection impact assessment", "er is geen gegevensbeschermingseffectbeoordeling (DPIA)";
    NoFgAdvice: "S14" "DPIA", "there is no advice of the data protection officer", "er is geen advies van de functionaris voor gegevensbescherming";
    LatePaper: "S14" "DPIA", "was made after the decision", "is gemaakt na het besluit";
    NoSecurityPlan: "S13" "FORMAT", "there is no security plan", "er is geen beveiligingsplan";
    NoRiskAnalysis: "S13" "FORMAT", "there is no risk analysis", "er is geen risicoanalyse";
    NoCommunicationPlan: "S16" "COMMUNICATIE", "there is no communication plan", "er is geen communicatieplan";
    WrongCategory: "L3" "CATEGORIE", "is not the field's category in the covenant", "is niet de categorie van het veld in het convenant";
    KeptTooLong: "L6" "BEWAARTERMIJN", "is longer than the covenant lets anything be kept", "is langer dan het convenant iets laat bewaren";
    NoReason: "L16" "SIGNAAL", "hits that were not followed up need a reason", "treffers zonder vervolg hebben een reden nodig";
    NoWpgDecision: "L11" "WPG", "police data need a written decision for this cooperation", "politiegegevens vragen een schriftelijk besluit voor deze samenwerking";
    NoWeightyInterest: "L12" "WJSG", "data of the public prosecutor are not given", "gegevens van het Openbaar Ministerie worden niet gegeven";
    SpecialCategory: "L13" "ART9", "is a special category of personal data", "is een bijzondere categorie van persoonsgegevens";
    CriminalData: "L13" "ART10", "is criminal data", "is een strafrechtelijk gegeven";
    HoldsBsn: "L14" "BSN", "holds a BSN", "bevat een BSN";
    SharedBasis: "A3" "GRONDSLAG", "is the provider's basis word for word: each states its own", "is woordelijk de grondslag van de leverancier: ieder noemt zijn eigen";
    NoPredicate: "J1" "PREDICAAT", "no hits can be expected", "er zijn geen treffers te verwachten";
}

/// One thing that is wrong with a document, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// Kind of the document.
    pub kind: DocumentKind,
    /// Path of the member, for instance `annex[0].field[2].category`.
    pub member: String,
    /// What is wrong.
    pub breach: Breach,
    /// What exactly, where the breach alone does not say: an OIN, a number, a name.
    pub detail: Option<String>,
}

impl Fault {
    /// The fault in Dutch, for people.
    #[must_use]
    pub fn dutch(&self) -> String {
        self.said(self.breach.dutch(), "clausule")
    }

    /// The fault in English.
    #[must_use]
    pub fn english(&self) -> String {
        self.said(self.breach.english(), "clause")
    }

    fn said(&self, text: &str, clause: &str) -> String {
        let detail = self.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        format!("`{}` {text}{detail} ({clause} {})", self.member, self.breach.clause())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

/// Collects what is wrong with one document, so that all of it is said at once.
#[derive(Debug)]
pub(super) struct Check {
    kind: DocumentKind,
    faults: Vec<Fault>,
}

impl Check {
    pub(super) const fn of(kind: DocumentKind) -> Self {
        Self { kind, faults: Vec::new() }
    }

    /// Notes a breach unless something holds.
    pub(super) fn that(&mut self, holds: bool, member: impl Into<String>, breach: Breach) {
        if !holds {
            self.note(member, breach, None);
        }
    }

    /// The same, with what exactly is wrong.
    pub(super) fn that_of(
        &mut self,
        holds: bool,
        member: impl Into<String>,
        breach: Breach,
        detail: impl fmt::Display,
    ) {
        if !holds {
            self.note(member, breach, Some(detail.to_string()));
        }
    }

    /// Notes every text of a document that holds a BSN.
    pub(super) fn texts(&mut self, document: &impl Serialize) {
        let value = serde_json::to_value(document).unwrap_or_default();
        for member in members_with_bsn(&value) {
            self.note(member, Breach::HoldsBsn, None);
        }
    }

    fn note(&mut self, member: impl Into<String>, breach: Breach, detail: Option<String>) {
        self.faults.push(Fault { kind: self.kind, member: member.into(), breach, detail });
    }

    /// Everything that was noted.
    pub(super) fn faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Nothing, if nothing was noted.
    pub(super) fn done(self) -> Result<(), super::AdmissionError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(super::AdmissionError::Faults { kind: self.kind, faults: self.faults })
    }

    /// An error at once: what comes after makes no sense without this.
    pub(super) fn stop(
        mut self,
        member: impl Into<String>,
        breach: Breach,
    ) -> super::AdmissionError {
        self.note(member, breach, None);
        super::AdmissionError::Faults { kind: self.kind, faults: self.faults }
    }

    pub(super) const fn kind(&self) -> DocumentKind {
        self.kind
    }
}
