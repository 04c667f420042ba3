//! What in a query offends a clause, in Dutch. A detail names fields, limits and dates, and otherwise only
//! what covenant or register know: whatever else a requester wrote might be personal data. A field that the dataset does
//! not have is named too, unless it could be somebody's number (docs/adr/0014).

use std::collections::BTreeSet;

use convenant_model::{
    Date, Oin, Timestamp,
    covenant::{Covenant, Dataset, Field},
    query::Target,
    register::{Decided, Project, RegisterState},
};

use crate::{
    Request, Rules,
    facts::{Facts, NEVER, Set},
};

mod fields;

/// A target that was refused, with what a detail may speak of.
pub(crate) struct Case<'a> {
    covenant: &'a Covenant,
    state: &'a RegisterState,
    project: Option<&'a Project>,
    decided: Option<&'a Decided>,
    dataset: Option<&'a Dataset>,
    target: &'a Target,
    facts: &'a Facts<'a>,
    at: Timestamp,
    today: Date,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        rules: &'a Rules,
        state: &'a RegisterState,
        request: &Request<'a>,
        target: &'a Target,
        facts: &'a Facts<'a>,
    ) -> Self {
        let project = state.project(&request.query.project);
        Self {
            covenant: &rules.covenant,
            state,
            project,
            decided: project.and_then(Project::decided),
            dataset: rules.covenant.dataset(&target.dataset),
            target,
            facts,
            at: request.at,
            today: request.at.date(),
        }
    }

    /// The detail of one clause and code. Where this program has nothing to say, because it does not
    /// know the code or a lawyer changed what the rule refuses, it says that the clause refuses.
    pub(crate) fn detail(&self, clause: &str, code: &str) -> String {
        let detail = self.known(clause, code);
        if detail.is_empty() {
            return "de vraag voldoet niet aan deze clausule".to_owned();
        }
        detail
    }

    fn known(&self, clause: &str, code: &str) -> String {
        match (clause, code) {
            ("S1", "GEEN_PARTNER") => self.partners(),
            ("S2", "GEEN_DEELNEMER") => self.participants(),
            ("S3", "DOEL") => self.goal(),
            ("S4", "GEEN_LSI_BESLUIT") => self.decision(),
            ("S6", "MANDAAT") => self.mandate(),
            ("S7", "THEMA") => self.theme(),
            ("S10", "BUITEN_GEBIED") => self.area(),
            ("S10", "VERLOPEN") => self.validity(),
            ("S10", "QUOTUM") => self.quota(),
            ("S11", "DUUR") => self.duration(),
            ("S12", "GEEN_PREDICAAT") => self.predicate(),
            ("S12", "BULK") => self.bulk(),
            ("S15", "ROL") => self.role(),
            ("L1", "NIET_NOODZAKELIJK") => self.necessity(),
            ("L3", "CATEGORIE") => self.category(),
            ("L4", "AFLEIDBAAR") => self.derivable(),
            ("L6", "BEWAARTERMIJN") => self.terms(),
            ("L9", "DOORVERSTREKKING") => {
                "de gegevensbijlage noemt geen verzoek van de ontvanger".to_owned()
            }
            ("L10", "FISCAAL_GEHEIM") => self.secrecy(),
            ("L11", "WPG") => {
                "de gegevensbijlage noemt geen besluit over politiegegevens".to_owned()
            }
            ("L12", "WJSG") => "deze dataset wordt niet verstrekt".to_owned(),
            ("A3", "GRONDSLAG") => {
                "de gegevensbijlage noemt niet van elk een eigen grondslag".to_owned()
            }
            ("L13", "ART9") => self.special(),
            ("L13", "ART10") => self.criminal(),
            ("L14", "BSN") => self.bsn(),
            _ => String::new(),
        }
    }

    fn partners(&self) -> String {
        let missing = self.without(|oin| self.facts.partners_today.contains(oin));
        format!("op {} geen ingeschreven partner: {missing}", self.today)
    }

    fn participants(&self) -> String {
        let takes_part = |oin: &Oin| self.facts.project.participants.contains(oin);
        let missing = self.without(takes_part);
        let not_served = if self.dataset.is_some() {
            format!("de bevraagde partner levert `{}` niet", self.target.dataset)
        } else {
            "de gevraagde dataset staat niet in het convenant".to_owned()
        };
        sentences([
            (!missing.is_empty()).then(|| format!("geen deelnemer aan het project: {missing}")),
            (!self.facts.served).then_some(not_served),
            self.project.and_then(|one| one.withheld(self.facts.provider, self.at)).map(|one| {
                format!("de bevraagde partner schortte zijn levering op, vanaf {}", one.from)
            }),
        ])
    }

    fn goal(&self) -> String {
        let goal = self.covenant.text().goal.iter();
        let mut known = goal.filter(|goal| goal.id.as_str() == self.facts.query.goal);
        match known.next() {
            None => "het convenant kent dit doel niet".to_owned(),
            Some(goal) if goal.needs_designation && !self.facts.query.designated => {
                format!("voor `{}` geldt vandaag geen aanwijzing door de LSI", goal.id)
            }
            Some(goal) => format!("`{}` is geen doel van dit project", goal.id),
        }
    }

    fn decision(&self) -> String {
        if let Some(one) = self.project.and_then(|project| project.suspended(self.at)) {
            return format!("de LSI schortte het project op, vanaf {}", one.from);
        }
        let text = if self.decided.is_none() {
            "de LSI heeft over dit project niet besloten"
        } else if self.facts.project.approved {
            "de vraag noemt een andere versie van het voorstel dan de LSI heeft goedgekeurd"
        } else {
            "de LSI heeft het voorstel afgewezen"
        };
        text.to_owned()
    }

    fn mandate(&self) -> String {
        if self.facts.project.responsible == Some(self.facts.requester) {
            format!("geen mandaat dat op {} geldt voor deze sleutel", self.today)
        } else {
            "wie vraagt, is niet de verantwoordelijke partner van het project".to_owned()
        }
    }

    fn area(&self) -> String {
        let kinds = &self.facts.project.area_kinds;
        if kinds.is_empty() {
            return "het project heeft geen gebied waarover is besloten".to_owned();
        }
        let vouched = self.dataset.map_or(&[][..], |dataset| dataset.vouched.as_slice());
        if !vouched.is_empty() {
            let keys: Vec<_> = vouched.iter().map(|one| format!("`{}`", one.key)).collect();
            return format!(
                "de dataset kent het gebied van het project niet en antwoordt alleen over verzegelde personen of objecten met \
                 een voucher, met als sleutel: {}",
                keys.join(", ")
            );
        }
        let held: BTreeSet<String> = self
            .dataset
            .map_or(&[][..], |dataset| dataset.area.as_slice())
            .iter()
            .map(|area| format!("{:?}", area.kind))
            .collect();
        let missing: Vec<_> = kinds.difference(&held).map(String::as_str).collect();
        let missing = missing.join(", ");
        format!("de dataset kent het gebied van het project niet (soort gebied: {missing})")
    }

    fn role(&self) -> String {
        let roles: Vec<_> = self.facts.mandate.roles.iter().map(|one| format!("`{one}`")).collect();
        format!("met de rol {} worden geen vragen gesteld", roles.join(", "))
    }

    fn derivable(&self) -> String {
        let limit = |name: &str| self.covenant.number("L4", name).unwrap_or_default();
        let (query, since) = (&self.facts.query, self.facts.usage.days_since_counted);
        let (few, least) = (query.subjects, limit("min_subjects"));
        let few = (query.keyed_by.is_some() && few < least)
            .then(|| format!("{few} personen of objecten, ten minste {least}"));
        let again = match query.keyed_by {
            _ if since >= NEVER => None,
            Some(_) => Some("hetzelfde, of wat ervan af te trekken is, is al geteld".to_owned()),
            None => Some(format!(
                "hetzelfde, of wat ervan af te trekken is, is {} geleden geteld",
                days(since)
            )),
        };
        sentences([few, again])
    }

    fn terms(&self) -> String {
        let (project, query) = (&self.facts.project, &self.facts.query);
        let overdue = self.facts.usage.overdue;
        let left = project.days_to_destruction.max(0);
        let late = (query.retention_days > left).then(|| {
            let (asked, left) = (days(query.retention_days), days(left));
            format!("{asked} bewaren gevraagd, uiterlijk over {left} is alles vernietigd")
        });
        sentences([
            match overdue {
                ..=0 => None,
                1 => Some("1 antwoord had vernietigd moeten zijn".to_owned()),
                _ => Some(format!("{overdue} antwoorden hadden vernietigd moeten zijn")),
            },
            project
                .feedback_overdue
                .then(|| "over treffers is niet op tijd teruggekoppeld".to_owned()),
            late,
        ])
    }

    fn validity(&self) -> String {
        if self.facts.project.ended {
            return "het project is afgesloten of ingetrokken".to_owned();
        }
        self.decided.map_or_else(
            || "er is geen besluit dat vandaag geldt".to_owned(),
            |decided| {
                let decision = &decided.decision;
                format!(
                    "het besluit geldt van {} tot en met {}; vandaag is het {}",
                    decision.valid_from,
                    decided.last_day(),
                    self.today
                )
            },
        )
    }

    fn quota(&self) -> String {
        let (usage, project) = (&self.facts.usage, &self.facts.project);
        let mandate = &self.facts.mandate;
        let mandated = !mandate.given_by.is_empty();
        let (subjects, most) = (self.facts.query.subjects, mandate.max_subjects);
        sentences([
            over(usage.queries, project.quota_queries, "vragen binnen het project"),
            over(usage.subjects, project.quota_subjects, "personen of objecten binnen het project"),
            (self.facts.query.kind == "count")
                .then(|| over(usage.cells, project.quota_cells, "aantallen binnen het project"))
                .flatten(),
            mandated
                .then(|| {
                    over(subjects, most, "personen of objecten in één vraag, volgens het mandaat")
                })
                .flatten(),
        ])
    }

    fn duration(&self) -> String {
        let limit = |name: &str| self.covenant.number("S11", name).unwrap_or_default();
        let project = &self.facts.project;
        let (name, kind) =
            if project.extended { ("months_extended", "verlengde ") } else { ("months", "") };
        format!(
            "het project loopt {} hele maanden; de {kind}duur is ten hoogste {} maanden",
            project.months_running,
            limit(name)
        )
    }

    fn secrecy(&self) -> String {
        let kind = self.facts.requester_kind;
        if kind.is_empty() {
            return "wie vraagt, is geen ontvanger van fiscale gegevens".to_owned();
        }
        format!("een partner van de soort `{kind}` is geen ontvanger van fiscale gegevens")
    }

    /// Of requester and provider, those that do not hold; an OIN only if the register knows it.
    fn without(&self, holds: impl Fn(&Oin) -> bool) -> String {
        let parties = [
            (self.facts.requester, "de vragende organisatie"),
            (self.facts.provider, "de bevraagde organisatie"),
        ];
        let missing = parties.into_iter().filter(|(oin, _)| !holds(oin));
        let shown = missing.map(|(oin, role)| match self.state.enrolment(oin) {
            Some(_) => format!("{role} (`{oin}`)"),
            None => role.to_owned(),
        });
        shown.collect::<Vec<_>>().join(" en ")
    }

    fn field(&self, name: &str) -> Option<&'a Field> {
        let fields = self.dataset?.field.iter();
        let mut named = fields.filter(|field| field.name.as_str() == name);
        named.next()
    }

    /// Of some names, those of fields that the dataset has and that are chosen.
    fn those<'b>(&self, names: &Set<'b>, choose: impl Fn(&Field) -> bool) -> Set<'b> {
        let chosen = |name: &&str| self.field(name).is_some_and(&choose);
        names.iter().copied().filter(chosen).collect()
    }

    /// `what: names`, if there are names. One that the dataset does not have and that could be somebody's number is
    /// only counted (docs/adr/0014).
    fn named(&self, what: &str, names: &Set<'_>) -> Option<String> {
        let (numbers, names): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| self.field(name).is_none() && is_number(name));
        let shown = names.iter().map(|name| match self.field(name) {
            Some(_) => format!("`{name}`"),
            None => format!("`{name}` (onbekend)"),
        });
        let mut shown: Vec<_> = shown.collect();
        match numbers.len() {
            0 => {}
            1 => shown.push("1 onbekend veld".to_owned()),
            n => shown.push(format!("{n} onbekende velden")),
        }
        (!shown.is_empty()).then(|| format!("{what}: {}", shown.join(", ")))
    }
}

/// Whether a name has as many digits as a date of birth or a BSN.
fn is_number(name: &str) -> bool {
    name.bytes().filter(u8::is_ascii_digit).count() >= 8
}

/// A number of days, in words.
fn days(number: i64) -> String {
    if number == 1 { "1 dag".to_owned() } else { format!("{number} dagen") }
}

fn over(count: i64, limit: i64, what: &str) -> Option<String> {
    (count > limit).then(|| format!("{count} {what}, ten hoogste {limit}"))
}

fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
