//! What an audit finds. A code is stable: reports hold it and people look it up.

use std::fmt;

use convenant_model::QueryId;
use serde::{Serialize, Serializer};

use crate::register;

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The evidence does not hold.
    Finding,
    /// Something to look into, which has an innocent explanation.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The Dutch word for it.
    #[must_use]
    pub const fn in_dutch(self) -> &'static str {
        match self {
            Self::Finding => "bevinding",
            Self::Warning => "waarschuwing",
            Self::Note => "opmerking",
        }
    }
}

macro_rules! codes {
    ($($severity:ident $name:ident = $code:literal: $english:literal / $dutch:literal),* $(,)?) => {
        /// What an audit can find.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $english] $name),*
        }

        impl Code {
            /// Every code, in the order of documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// One English sentence that explains it.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$name => $english),* }
            }

            /// The same in Dutch.
            #[must_use]
            pub const fn in_dutch(self) -> &'static str {
                match self { $(Self::$name => $dutch),* }
            }
        }
    };
}

codes! {
    Finding RegisterDocument = "REGISTER_DOCUMENT":
        "A document of the register does not verify or is missing; it and what follows it count as absent." /
        "Een document van het register klopt niet of ontbreekt; het telt niet mee, en wat erna komt evenmin.",
    Finding RegisterCheckpoint = "REGISTER_CONTROLEPUNT":
        "The register's checkpoint does not verify, or its documents do not lead to it." /
        "Het controlepunt van het register klopt niet, of de documenten leiden er niet toe.",
    Finding RegisterNoCheckpoint = "REGISTER_CONTROLEPUNT_ONTBREEKT":
        "The register has documents and no signed checkpoint." /
        "Het register heeft documenten en geen ondertekend controlepunt.",
    Warning RegisterUnsigned = "REGISTER_NIET_GEDEKT":
        "Documents follow that the register's checkpoint does not cover yet, as a crash leaves them." /
        "Er volgen documenten die het controlepunt van het register nog niet dekt, zoals na een storing.",
    Finding Rules = "REGELS_ONBRUIKBAAR":
        "The rules of a version of the covenant do not compile." /
        "De regels van een versie van het convenant zijn niet bruikbaar.",

    Finding UnknownKey = "SLEUTEL_ONBEKEND":
        "The register names no key for this ledger." /
        "Het register noemt geen sleutel voor dit logboek.",
    Warning KeyUntold = "SLEUTEL_NIET_NA_TE_GAAN":
        "Whether the register names a key for this ledger cannot be told, because documents are missing or do not verify; the register's own finding tells of that." /
        "Of het register een sleutel voor dit logboek noemt is niet na te gaan, doordat er documenten ontbreken of niet kloppen; dat meldt de bevinding over het register zelf.",
    Finding KeyRevoked = "SLEUTEL_INGETROKKEN":
        "Signed with a key from the instant on from which it was revoked, as far as what is on record tells." /
        "Getekend met een sleutel vanaf het moment waarop die was ingetrokken, voor zover dat vastligt.",
    Finding LedgerTwice = "LOGBOEK_DUBBEL":
        "Two copies of one ledger contradict each other at the entry named, and not both are what the party signed; the figures count one." /
        "Twee kopieën van een logboek spreken elkaar bij de genoemde regel tegen, en niet beide zijn wat de partij tekende; de cijfers tellen er één.",
    Note CopyAgrees = "LOGBOEK_KOPIE":
        "Another copy of this ledger was handed over, an equal or an older one; the figures count one." /
        "Van dit logboek is nog een kopie overgelegd, een gelijke of een oudere; de cijfers tellen er één.",
    Warning CopyLonger = "LOGBOEK_KOPIE_LANGER":
        "Another copy of this ledger holds more entries, from the one named on, for which its party did not sign: they do not count." /
        "Een andere kopie van dit logboek heeft meer regels, vanaf de genoemde, waarvoor de partij niet tekende: ze tellen niet mee.",
    Warning CopyDamaged = "LOGBOEK_KOPIE_BESCHADIGD":
        "Another copy of this ledger is no longer whole: the entry named is damaged in it, or it ends there before its own checkpoint; what is behind was not compared." /
        "Een andere kopie van dit logboek is niet meer heel: de genoemde regel is erin beschadigd, of zij houdt daar op vóór haar eigen controlepunt; wat erachter stond is niet vergeleken.",
    Finding NoCheckpoint = "CONTROLEPUNT_ONTBREEKT":
        "The ledger has entries and no signed checkpoint." /
        "Het logboek heeft regels en geen ondertekend controlepunt.",
    Finding BadCheckpoint = "CONTROLEPUNT_ONGELDIG":
        "The checkpoint is malformed, another ledger's, or not signed with the party's key." /
        "Het controlepunt is misvormd, van een ander logboek, of niet met de sleutel van de partij getekend.",
    Finding Shortened = "LOGBOEK_INGEKORT":
        "The ledger ends early: there are fewer entries than the signed checkpoint states." /
        "Het logboek houdt te vroeg op: er zijn minder regels dan het ondertekende controlepunt noemt.",
    Finding Altered = "LOGBOEK_GEWIJZIGD":
        "The entries do not lead to the signed root; the entry named is the first that differs, where that can be told." /
        "De regels leiden niet tot de ondertekende wortel; de genoemde regel is de eerste die afwijkt, als dat te zien is.",
    Warning Uncovered = "REGELS_NIET_GEDEKT":
        "Entries follow that no checkpoint covers yet, as a crash leaves them." /
        "Er volgen regels die nog geen controlepunt dekt, zoals na een storing.",
    Finding SetBack = "LOGBOEK_TERUGGEZET":
        "The party signed for more entries before, as a witness, a timestamp or another copy holds: it was set back, or the copy is an old one; the entry named is the first that is missing." /
        "De partij tekende eerder voor meer regels, wat een getuige, een tijdstempel of een andere kopie bewaart: het is teruggezet, of de kopie is oud; de genoemde regel is de eerste die ontbreekt.",
    Finding Forked = "LOGBOEK_VERTAKT":
        "The party signed another history as well, as a witness, a timestamp or another copy holds; the first entry that differs is the one named, or one before it." /
        "De partij tekende ook een andere geschiedenis, die een getuige, een tijdstempel of een andere kopie bewaart; de eerste regel die afwijkt is de genoemde, of een regel ervoor.",
    Finding Statement = "GETUIGENIS_ONGELDIG":
        "What a witness holds as a checkpoint is not signed with the key of the ledger that it, or its file, names." /
        "Wat een getuige als controlepunt bewaart is niet getekend met de sleutel van het logboek dat het, of zijn bestand, noemt.",
    Finding Cosignature = "MEDEONDERTEKENING_ONGELDIG":
        "A checkpoint that should carry a witness's cosignature does not, or is not of this ledger." /
        "Een controlepunt dat door een getuige medeondertekend zou zijn is dat niet, of is niet van dit logboek.",
    Finding Stamped = "TIJDSTEMPEL_ONGELDIG":
        "A checkpoint under a timestamp is not signed with a key of this ledger." /
        "Een controlepunt met een tijdstempel is niet getekend met een sleutel van dit logboek.",
    Warning ConflictTold = "TEGENSTRIJD_GEMELD":
        "A witness recorded that this ledger was not what it had been, at the entry named or before it; the ledger itself shows whether that is so." /
        "Een getuige legde vast dat dit logboek niet meer was wat het was, bij de genoemde regel of ervoor; of dat klopt, blijkt uit het logboek zelf.",
    Finding ConflictUnproven = "TEGENSTRIJD_ONBEWEZEN":
        "The party recorded that another's ledger contradicts itself, and the checkpoints that it names do not prove it." /
        "De partij legde vast dat het logboek van een ander zichzelf tegenspreekt, en de genoemde controlepunten bewijzen dat niet.",
    Finding Tile = "TEGEL_AFWIJKEND":
        "Published tiles are missing or do not follow from the entries, which lead to the signed root: proofs made from them fail. The first is named." /
        "Gepubliceerde tegels ontbreken of volgen niet uit de regels, die wel tot de ondertekende wortel leiden: bewijzen daaruit kloppen niet. De eerste is genoemd.",
    Finding Damaged = "REGEL_BESCHADIGD":
        "An entry that was on record is no longer whole; what follows it cannot be read." /
        "Een vastgelegde regel is niet meer heel; wat erna komt is niet te lezen.",
    Finding Unreadable = "REGEL_ONLEESBAAR":
        "The bytes are not an entry in canonical form." /
        "De bytes zijn geen regel in canonieke vorm.",
    Finding OutOfSequence = "REGEL_BUITEN_VOLGORDE":
        "The entry's index is not the next one." /
        "Het nummer van de regel is niet het volgende.",
    Finding Foreign = "REGEL_VREEMD":
        "An entry of another party, or of a kind that has no place in this ledger." /
        "Een regel van een andere partij, of van een soort die niet in dit logboek hoort.",
    Note Torn = "HERSTART_NA_STORING":
        "The party started after a crash and cut off an incomplete last entry." /
        "De partij startte na een storing en sneed een onvolledige laatste regel af.",
    Note Behind = "BYTES_NA_LAATSTE_REGEL":
        "Behind the last whole entry stand bytes that are no entry, as a crash or another file leaves them; nobody signed for them." /
        "Achter de laatste hele regel staan bytes die geen regel zijn, zoals na een storing of uit een ander bestand; niemand tekende ervoor.",

    Finding RegisterPosition = "REGISTER_AFWIJKEND":
        "The decision names a register that is not a beginning of the one verified here." /
        "Het besluit noemt een register dat geen begin is van het hier gecontroleerde.",
    Finding RegisterMissing = "REGISTER_TE_KORT":
        "The decision names more documents than were handed over, so it cannot be made again." /
        "Het besluit noemt meer documenten dan er zijn overgelegd, en is dus niet over te doen.",
    Warning NotMadeAgain = "NIET_OVER_TE_DOEN":
        "Decisions that cannot be made again, because a document of the register before them does not verify or is missing, of which the register's own finding tells. The first is named." /
        "Besluiten die niet zijn over te doen, doordat een document van het register van daarvoor niet klopt of ontbreekt; dat meldt de bevinding over het register zelf. Het eerste is genoemd.",
    Finding RegisterWentBack = "REGISTER_TERUGGEZET":
        "The party decided with an older register than it had long before." /
        "De partij besloot met een ouder register dan zij al lang had.",
    Finding Covenant = "CONVENANT_AFWIJKEND":
        "The decision names another covenant than was in force in its register." /
        "Het besluit noemt een ander convenant dan in zijn register van kracht was.",
    Finding QuerySignature = "HANDTEKENING_VRAAG":
        "The recorded query is not signed with the requester's key." /
        "De vastgelegde vraag is niet getekend met de sleutel van de vrager.",
    Finding QueryUnfit = "VRAAG_ONGELDIG":
        "The recorded query should not have been taken: malformed, expired, not yet valid, or of another register." /
        "De vastgelegde vraag had niet aangenomen mogen worden: misvormd, verlopen, te vroeg, of van een ander register.",
    Finding Mislabelled = "BESLUIT_ONJUIST":
        "The decision's party, peer, query id or target is not that of the signed query." /
        "Partij, wederpartij, nummer of doel van het besluit is niet dat van de ondertekende vraag.",
    Finding DecidedTwice = "BESLUIT_DUBBEL":
        "The same query was decided on twice." /
        "Over dezelfde vraag is twee keer besloten.",
    Finding Verdict = "UITSPRAAK_AFWIJKEND":
        "The rules of that moment give another verdict." /
        "De regels van dat moment geven een andere uitspraak.",
    Finding Clauses = "CLAUSULES_AFWIJKEND":
        "The rules of that moment refuse under other clauses." /
        "De regels van dat moment weigeren op andere clausules.",
    Finding Obligations = "VERPLICHTINGEN_AFWIJKEND":
        "The permit obliges to something else than covenant and project give." /
        "De toestemming verplicht tot iets anders dan convenant en project meebrengen.",
    Finding Slice = "FEITEN_AFWIJKEND":
        "The facts that the rules saw have another hash." /
        "De feiten die de regels zagen hebben een andere hash.",
    Finding Wording = "UITLEG_AFWIJKEND":
        "The clauses are the same, their text or explanation is not." /
        "De clausules zijn dezelfde, hun tekst of uitleg niet.",
    Note Engine = "ANDERE_REGELMACHINE":
        "Decided with another version of the rules' engine; differences in facts and wording are notes." /
        "Besloten met een andere versie van de regelmachine; verschillen in feiten en uitleg zijn opmerkingen.",
    Note EngineDifference = "VERSCHIL_DOOR_REGELMACHINE":
        "Facts or wording differ under another version of the rules' engine; verdict and clauses do not." /
        "Feiten of uitleg verschillen onder een andere versie van de regelmachine; uitspraak en clausules niet.",
    Note Subjects = "PERSONEN_NIET_TE_HERBEOORDELEN":
        "Refused because of the unsealed subjects, which no ledger holds; this cannot be decided again." /
        "Geweigerd om de ontzegelde personen, die in geen logboek staan; dit is niet opnieuw te beoordelen.",
    Finding Undercounted = "TELLING_TE_LAAG":
        "The quota was counted lower than the permits on record add up to." /
        "Het verbruik is lager geteld dan de vastgelegde toestemmingen samen zijn.",
    Warning Overcounted = "TELLING_TE_HOOG":
        "The quota was counted higher than the permits on record add up to." /
        "Het verbruik is hoger geteld dan de vastgelegde toestemmingen samen zijn.",
    Finding Recounted = "OPNIEUW_GETELD":
        "The same was counted before, later than the decision says." /
        "Hetzelfde is eerder geteld, later dan het besluit zegt.",
    Finding Overdue = "ACHTERSTAND_AFWIJKEND":
        "The answers that should have been destroyed by then are counted differently." /
        "De antwoorden die toen vernietigd hadden moeten zijn, zijn anders geteld.",

    Finding NoDecision = "UITKOMST_ZONDER_BESLUIT":
        "An outcome without an earlier permit of the same query at the place that it names." /
        "Een uitkomst zonder eerdere toestemming voor dezelfde vraag op de genoemde plaats.",
    Finding ClosedTwice = "UITKOMST_DUBBEL":
        "The same exchange ended twice." /
        "Dezelfde uitwisseling eindigde twee keer.",
    Finding Outcome = "UITKOMST_ONJUIST":
        "The outcome contradicts itself or the decision." /
        "De uitkomst is in tegenspraak met zichzelf of met het besluit.",
    Warning Open = "UITWISSELING_OPEN":
        "A permit without an outcome: still under way, or cut off by a crash." /
        "Een toestemming zonder uitkomst: nog gaande, of afgebroken door een storing.",

    Warning Late = "TE_LAAT_VASTGELEGD":
        "The exchange ended on record long after its query had expired: it ran on, the machine stood still, or a clock was off." /
        "De uitwisseling eindigde volgens deze regel lang nadat de vraag was verlopen: zij liep door, de machine stond stil, of een klok liep niet gelijk.",
    Warning WentBack = "TIJD_TERUGGEZET":
        "The entry states an earlier time than one before it: it was written down afterwards, or the clock was set back." /
        "De regel noemt een eerdere tijd dan een regel ervoor: hij is achteraf vastgelegd, of de klok is teruggezet.",
    Warning TimesDisagree = "TIJDEN_STRIJDIG":
        "By the parties' times this was on record before what it followed from: one of their clocks was off, or a time is false." /
        "Volgens de tijden van de partijen is dit vastgelegd voordat gebeurde waar het op volgde: een van hun klokken liep niet gelijk, of een tijd is onwaar.",

    Warning Alarm = "EVENREDIGHEID":
        "An answer was out of proportion to the residents of the area: people should have looked at it." /
        "Een antwoord ging over een groot deel van alle inwoners van het gebied: mensen hadden ernaar moeten kijken.",

    Note ToldLater = "LATER_VERTELD":
        "People are told later that this was asked, by a reason and a day that the requester signed." /
        "Mensen horen pas later dat dit is gevraagd, om een reden en tot een dag die de vrager tekende.",
    Note OddHours = "BUITEN_WERKTIJD":
        "Asked outside working hours, or at a weekend." /
        "Gevraagd buiten werktijd, of in het weekend.",
    Warning Probing = "HERHAALD_BEVRAGEN":
        "One person asked nearly the same many times in a short time." /
        "Eén persoon vroeg in korte tijd vele malen vrijwel hetzelfde.",
    Warning RefusedInARow = "WEIGERINGEN_OP_RIJ":
        "Many questions of one person in a row were refused as a whole." /
        "Vele vragen van één persoon achter elkaar zijn in hun geheel geweigerd.",
    Warning Unwatched = "NIET_GEVOLGD":
        "So many people or kinds of questions that the rules on unusual use could not follow all: of these questions they say nothing." /
        "Zo veel personen of soorten vragen dat de regels voor ongewoon gebruik niet alles konden volgen: over deze vragen zeggen ze niets.",
    Warning HitRate = "TREFFERS_BUITEN_BEREIK":
        "An answer holds more or fewer hits than the approved proposal expects of its condition." /
        "Een antwoord bevat meer of minder treffers dan het goedgekeurde voorstel van zijn voorwaarde verwacht.",

    Warning PaperLate = "STUK_TE_LAAT":
        "What had to be there before the LSI decided, or before anybody asked, bears a later date." /
        "Wat er moest zijn voordat de LSI besloot, of voordat iemand iets vroeg, heeft een latere datum.",
    Warning DestroyedLate = "VERNIETIGING_TE_LAAT":
        "Answers, or the last of a project, were destroyed on record after the last day on which they could be kept." /
        "Antwoorden, of de laatste van een project, zijn volgens het register vernietigd na de laatste dag waarop ze bewaard mochten worden.",
    Warning NotDestroyed = "VERNIETIGING_ONTBREEKT":
        "The last day on which answers, or anything of a project, could be kept had passed, and they are not on record as destroyed." /
        "De laatste dag waarop antwoorden, of iets van een project, bewaard mochten worden was voorbij, en in het register staat niet dat ze vernietigd zijn.",
    Warning NoFeedback = "TERUGKOPPELING_ONTBREEKT":
        "The last day for feedback had passed, and a receiver has not said that it reported on every hit." /
        "De laatste dag voor terugkoppeling was voorbij, en een ontvanger heeft niet gezegd dat zij alle treffers heeft teruggekoppeld.",

    Finding OutcomeSignature = "HANDTEKENING_UITKOMST":
        "The outcome that the requester accepted is not signed with the partner's key." /
        "De uitkomst die de vrager aannam is niet getekend met de sleutel van de partner.",
    Finding Receipt = "ONTVANGST_ONJUIST":
        "The receipt contradicts the query or the signed outcome in it." /
        "Het ontvangstbewijs is in tegenspraak met de vraag of met de ondertekende uitkomst erin.",
    Warning ReceivedTwice = "ONTVANGST_DUBBEL":
        "Two receipts for the same target of the same query." /
        "Twee ontvangstbewijzen voor hetzelfde doel van dezelfde vraag.",
    Warning Declined = "ANTWOORD_AFGEWEZEN":
        "The requester did not accept what came, because it did not verify." /
        "De vrager nam niet aan wat er kwam, omdat het niet klopte.",
    Warning NotKept = "ANTWOORD_NIET_BEWAARD":
        "The requester could not keep what came, and has no answer." /
        "De vrager kon niet bewaren wat er kwam, en heeft geen antwoord.",
    Finding TooManyRows = "TE_VEEL_RIJEN":
        "The partner signed for more rows than its permit allows." /
        "De partner tekende voor meer rijen dan de toestemming toelaat.",

    Finding MissingAtNode = "BESLUIT_ONTBREEKT_KNOOPPUNT":
        "According to this entry the partner's node decided or answered, and its own ledger holds no such decision." /
        "Volgens deze regel besloot of antwoordde het knooppunt, maar zijn eigen logboek bevat dat besluit niet.",
    Warning NotReached = "KNOOPPUNT_NIET_BEREIKT":
        "The coordinator permitted it; the node's ledger says nothing of it, as when the node was not reached." /
        "De coördinator stond het toe; het logboek van het knooppunt zwijgt erover, zoals wanneer het niet bereikt werd.",
    Finding EndsEarly = "LOGBOEK_VEROUDERD":
        "Others hold decisions or answers that this ledger lacks, all later than its last entry, the one named: the copy is an old one, the ledger was cut short, or others went past the coordinator." /
        "Anderen hebben besluiten of antwoorden die dit logboek mist, alle van na zijn laatste regel, de genoemde: de kopie is oud, het logboek is ingekort, of anderen gingen buiten de coördinator om.",
    Note AfterEnd = "NA_EINDE_COORDINATOR":
        "Later than the last entry of the coordinator's ledger, which therefore does not tell of it; the finding on that ledger counts it." /
        "Van na de laatste regel van het logboek van de coördinator, dat er dus niets over zegt; de bevinding over dat logboek telt het mee.",
    Finding MissingAtCoordinator = "BESLUIT_ONTBREEKT_COORDINATOR":
        "A node decided or a requester received something that the coordinator did not permit on record." /
        "Een knooppunt besloot of een vrager ontving iets waarvoor de coördinator geen toestemming vastlegde.",
    Warning RefusedUnasked = "GEWEIGERD_BUITEN_COORDINATOR":
        "A node refused a query that the coordinator did not permit on record: somebody asked past it, and got nothing." /
        "Een knooppunt weigerde een vraag waarvoor de coördinator geen toestemming vastlegde: iemand vroeg buiten hem om, en kreeg niets.",
    Finding Unvouched = "TOESTEMMING_ZONDER_VOUCHER":
        "A node permitted an answer from a dataset without an area, and recorded nobody who vouched for the subjects." /
        "Een knooppunt stond een antwoord toe uit een dataset zonder gebied, en legde niemand vast die voor de personen instond.",
    Finding NeverVouched = "VOUCHER_ZONDER_ANTWOORD":
        "A node took vouchers of an answer that the partner that vouched has no record of to this requester." /
        "Een knooppunt nam vouchers aan van een antwoord dat volgens het logboek van wie instond nooit zo aan deze vrager is gegeven.",
    Finding OtherQuery = "ANDERE_VRAAG":
        "Two ledgers hold different signed queries under the same id." /
        "Twee logboeken bevatten onder hetzelfde nummer verschillende ondertekende vragen.",
    Warning LedgerMissing = "LOGBOEK_ONTBREEKT":
        "Others' ledgers say that this party decided or was answered, as at the place named, and its own was not handed over: what it would contradict is not seen." /
        "Volgens logboeken van anderen besloot deze partij of kreeg zij antwoord, zoals op de genoemde plaats, en haar eigen logboek is niet overgelegd: wat het zou tegenspreken blijft ongezien.",
    Finding OutcomesDiffer = "UITKOMSTEN_VERSCHILLEN":
        "Two ledgers say different things of how the exchange ended." /
        "Twee logboeken zeggen verschillende dingen over hoe de uitwisseling eindigde.",
    Note NotDelivered = "NIET_AANGEKOMEN":
        "The node answered in full; further on the answer did not arrive in full." /
        "Het knooppunt antwoordde volledig; verderop kwam het antwoord niet volledig aan.",
    Warning ArrivalDenied = "AANKOMST_ONTKEND":
        "Coordinator and node both record that all of the answer went out, and the receipt says that it broke off: then nothing has to be destroyed." /
        "Coördinator en knooppunt legden beide vast dat het hele antwoord is verzonden, en volgens het ontvangstbewijs brak het af: dan hoeft er niets vernietigd te worden.",
    Warning NoReceipt = "ONTVANGST_ONTBREEKT":
        "The answer was relayed in full, and the requester's ledger holds no receipt." /
        "Het antwoord is volledig doorgegeven, en het logboek van de vrager bevat geen ontvangstbewijs.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something that an audit found, and where. It holds no personal data.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// In which ledger; `register` for the register.
    pub ledger: String,
    /// Index of the entry or, in the register, of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// Id of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryId>,
    /// What the audit computed, or another ledger says: members and values as in the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What stands in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What the code means, in English.
    pub explanation: &'static str,
    /// The same in Dutch.
    pub uitleg: &'static str,
}

impl Finding {
    pub(crate) fn new(code: Code, ledger: impl fmt::Display) -> Self {
        Self {
            code,
            severity: code.severity(),
            ledger: ledger.to_string(),
            entry: None,
            query: None,
            expected: None,
            found: None,
            explanation: code.explanation(),
            uitleg: code.in_dutch(),
        }
    }

    /// What [`Self::entry`] counts, in Dutch: an entry of a ledger or a document of the register.
    #[must_use]
    pub fn unit_in_dutch(&self) -> &'static str {
        if self.ledger == register::NAME { "document" } else { "regel" }
    }

    /// The same in English.
    #[must_use]
    pub fn unit_in_english(&self) -> &'static str {
        if self.ledger == register::NAME { "document" } else { "entry" }
    }

    pub(crate) const fn entry(mut self, index: u64) -> Self {
        self.entry = Some(index);
        self
    }

    pub(crate) const fn query(mut self, id: QueryId) -> Self {
        self.query = Some(id);
        self
    }

    pub(crate) fn expected(mut self, expected: impl fmt::Display) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    pub(crate) fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = Some(found.to_string());
        self
    }
}

/// Findings of one code that are not told of one by one, because there are so many.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LeftOut {
    /// What.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// In which ledger.
    pub ledger: String,
    /// How many more there are.
    pub number: u64,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, ledger, number } = self;
        write!(f, "{} {code}: {ledger}, nog {number} keer", severity.in_dutch())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.severity.in_dutch(), self.code, self.ledger)?;
        if let Some(entry) = self.entry {
            write!(f, ", {} {entry}", self.unit_in_dutch())?;
        }
        if let Some(query) = self.query {
            write!(f, ", vraag {query}")?;
        }
        write!(f, "\n    {}", self.uitleg)?;
        let [expected, found] = self.told_in_dutch();
        if let Some(expected) = expected {
            write!(f, "\n    verwacht:   {expected}")?;
        }
        if let Some(found) = found {
            write!(f, "\n    vastgelegd: {found}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_explained() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(code.explanation().ends_with('.') && code.in_dutch().ends_with('.'), "{code}");
        }
    }
}
