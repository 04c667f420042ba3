//! What in a query offends a clause, in Dutch. A detail names fields, limits and dates, and only names
//! that covenant or register know: whatever else a requester wrote might be personal data.

use std::collections::BTreeSet;

use convenant_model::{
    Date, FieldName, Oin,
    covenant::{Covenant, Dataset, Parameter, Use},
    query::Target,
    register::{Decided, Project, RegisterState},
};

use crate::{
    Request, Rules,
    entities::is_identifying,
    facts::{Facts, Set},
};

/// A target that was refused, with what a detail may speak of.
pub(crate) struct Case<'a> {
    covenant: &'a Covenant,
    state: &'a RegisterState,
    decided: Option<&'a Decided>,
    dataset: Option<&'a Dataset>,
    target: &'a Target,
    facts: &'a Facts<'a>,
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
            decided: project.and_then(Project::decided),
            dataset: rules.covenant.dataset(&target.dataset),
            target,
            facts,
            today: request.at.date(),
        }
    }

    /// The detail of one clause and code; of one that this program does not know, that it refuses.
    pub(crate) fn detail(&self, clause: &str, code: &str) -> String {
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
            ("L1", "NIET_NOODZAKELIJK") => self.necessity(),
            ("L3", "CATEGORIE") => self.category(),
            ("L10", "FISCAAL_GEHEIM") => self.secrecy(),
            ("L13", "ART9") => self.special(),
            ("L13", "ART10") => self.criminal(),
            ("L14", "BSN") => self.bsn(),
            _ => "de vraag voldoet niet aan deze clausule".to_owned(),
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
        ])
    }

    fn goal(&self) -> String {
        let goal = self.covenant.text().goal.iter();
        let mut known = goal.filter(|goal| goal.id.as_str() == self.facts.query.goal);
        match known.next() {
            None => "het convenant kent dit doel niet".to_owned(),
            Some(goal) if goal.needs_designation => {
                format!("voor `{}` is geen aanwijzing door de LSI geregistreerd", goal.id)
            }
            Some(goal) => format!("`{}` is geen doel van dit project", goal.id),
        }
    }

    fn decision(&self) -> String {
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

    fn theme(&self) -> String {
        let query = &self.facts.query;
        let usable = |name: &str| {
            self.dataset
                .and_then(|dataset| dataset.field.iter().find(|field| field.name.as_str() == name))
                .is_some_and(|field| field.themes.iter().any(|t| t.as_str() == query.theme))
        };
        let used = query.used.iter().copied().chain(query.keyed_by);
        let unusable: Set<'_> = used.filter(|name| !usable(name)).collect();
        if query.theme != self.facts.project.theme {
            return "de vraag heeft een ander thema dan het project".to_owned();
        }
        named(self, "voor dit thema niet bruikbaar", &unusable)
            .unwrap_or_else(|| "de dataset heeft geen velden voor dit thema".to_owned())
    }

    fn area(&self) -> String {
        let kinds = &self.facts.project.area_kinds;
        if kinds.is_empty() {
            return "het project heeft geen gebied waarover is besloten".to_owned();
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

    fn validity(&self) -> String {
        self.decided.map_or_else(
            || "er is geen besluit dat vandaag geldt".to_owned(),
            |decided| {
                let decision = &decided.decision;
                format!(
                    "het besluit geldt van {} tot en met {}; vandaag is het {}",
                    decision.valid_from, decision.valid_until, self.today
                )
            },
        )
    }

    fn quota(&self) -> String {
        let (usage, project) = (&self.facts.usage, &self.facts.project);
        let (subjects, most) = (self.facts.query.subjects, self.facts.mandate.max_subjects);
        sentences([
            over(usage.queries, project.quota_queries, "vragen binnen het project"),
            over(usage.subjects, project.quota_subjects, "personen of objecten binnen het project"),
            over(subjects, most, "personen of objecten in één vraag, volgens het mandaat"),
        ])
    }

    fn duration(&self) -> String {
        let limit = |name: &str| {
            let clauses = &self.covenant.text().clause;
            let clause = clauses.iter().find(|clause| clause.id.as_str() == "S11");
            match clause.and_then(|clause| clause.params.get(name)) {
                Some(Parameter::Number(months)) => *months,
                _ => 0,
            }
        };
        let project = &self.facts.project;
        let (name, kind) = if project.extended {
            ("months_extended", "verlengde ")
        } else {
            ("months", "")
        };
        format!(
            "het project loopt {} hele maanden; de {kind}duur is ten hoogste {} maanden",
            project.months_running,
            limit(name)
        )
    }

    fn predicate(&self) -> String {
        let query = &self.facts.query;
        let untestable = self.chosen(&query.tested, |dataset, name| {
            dataset.field(name).is_none_or(|field| !field.filterable)
        });
        let ill_typed = &query.literals.ill_typed;
        let hit_only = self.chosen(&query.output, |dataset, name| {
            dataset.field(name).is_some_and(|field| field.usage == Use::HitOnly)
        });
        let blind = query.kind == "select" && query.subjects < 1 && !hit_only.is_empty();
        sentences([
            named(self, "geen selectiecriterium", &untestable),
            named(self, "de waarde past niet bij het veld", ill_typed),
            blind.then(|| {
                let names = self.names(&hit_only);
                format!("alleen bij opgegeven personen of objecten: {names}")
            }),
        ])
    }

    fn bulk(&self) -> String {
        let query = &self.facts.query;
        let key = query.keyed_by.filter(|key| !self.is_key(key));
        let text = |text: &str| Some(text.to_owned());
        let none = query.subjects < 1;
        sentences([
            match query.kind {
                "lookup" if none => text("opzoeken zonder personen of objecten"),
                "select" if none && query.anchors.is_empty() => {
                    text("selecteren zonder één bepaalde waarde (`=` of `in`) buiten het gebied")
                }
                _ => None,
            },
            key.and_then(|key| named(self, "geen sleutel", &Set::from([key]))),
        ])
    }

    fn is_key(&self, name: &str) -> bool {
        let fields = self.dataset.map_or(&[][..], |dataset| dataset.field.as_slice());
        let mut keys = fields.iter().filter(|field| field.usage == Use::Key);
        keys.any(|field| field.name.as_str() == name)
    }

    fn necessity(&self) -> String {
        let (grant, query) = (&self.facts.grant, &self.facts.query);
        if grant.kinds.is_empty() {
            return "de gegevensbijlage noemt deze dataset van deze partner niet".to_owned();
        }
        if !grant.kinds.contains(query.kind) {
            return format!("de gegevensbijlage staat geen vraag van de soort `{}` toe", query.kind);
        }
        let refused = self.chosen(&query.used, |dataset, name| {
            dataset.field(name).is_some_and(|field| field.usage == Use::Refused)
        });
        let shorter: Set<'_> = query.used.intersection(&grant.shorter).copied().collect();
        let known: Set<'_> = &(&grant.fields | &shorter) | &refused;
        let missing: Set<'_> = query.used.difference(&known).copied().collect();
        let too_long = query.retention_days > grant.retention_days || !shorter.is_empty();
        sentences([
            named(self, "niet in de gegevensbijlage", &missing),
            named(self, "door het convenant geweigerd", &refused),
            too_long.then(|| {
                format!("{} dagen bewaren is langer dan de gegevensbijlage toestaat", query.retention_days)
            }),
        ])
    }

    fn category(&self) -> String {
        let own = |name: &str| {
            let fields = self.dataset.map_or(&[][..], |dataset| dataset.field.as_slice());
            let field = fields.iter().find(|field| field.name.as_str() == name);
            field.and_then(|field| field.category).map(char::from)
        };
        let differs = |text: &&String| {
            text.rsplit_once(' ')
                .is_some_and(|(name, letter)| own(name).map(String::from).as_deref() != Some(letter))
        };
        let names = self.facts.grant.categories.iter().filter(differs);
        let names: Set<'_> = names.filter_map(|text| Some(text.rsplit_once(' ')?.0)).collect();
        let names = self.names(&names);
        format!("andere categorie in de gegevensbijlage dan in het convenant: {names}")
    }

    fn secrecy(&self) -> String {
        let kind = self.facts.requester_kind;
        if kind.is_empty() {
            return "wie vraagt, is geen ontvanger van fiscale gegevens".to_owned();
        }
        format!("een partner van de soort `{kind}` is geen ontvanger van fiscale gegevens")
    }

    fn special(&self) -> String {
        use convenant_model::covenant::Class;
        let of = |class| {
            move |dataset: &Dataset, name: &FieldName| {
                dataset.field(name).is_some_and(|field| field.class == class)
            }
        };
        let query = &self.facts.query;
        let sensitive = self.chosen(&query.tested, of(Class::Sensitive));
        sentences([
            named(self, "bijzondere gegevens", &self.chosen(&query.used, of(Class::Special))),
            named(self, "gevoelig, dus nooit een selectiecriterium", &sensitive),
        ])
    }

    fn criminal(&self) -> String {
        use convenant_model::covenant::Class;
        let criminal = self.chosen(&self.facts.query.used, |dataset, name| {
            dataset.field(name).is_some_and(|field| field.class == Class::Criminal)
        });
        sentences([named(self, "strafrechtelijke gegevens", &criminal)])
    }

    fn bsn(&self) -> String {
        let query = &self.facts.query;
        let readable = self.chosen(&query.literals.literals, |dataset, name| {
            dataset.field(name).is_some_and(is_identifying)
        });
        let verified_by = self.dataset.and_then(|dataset| dataset.verified_by.as_ref());
        let holding = &query.literals.holding_bsn - &readable;
        let wrong = query.verified_by != verified_by.map(FieldName::as_str);
        let keyed = query.keyed_by.is_some();
        sentences([
            named(self, "een waarde staat leesbaar in de vraag, bij", &readable),
            named(self, "vergeleken met een getal dat een BSN kan zijn", &holding),
            query
                .bsn_in_justification
                .then(|| "in de toelichting staat een getal dat een BSN kan zijn".to_owned()),
            (keyed && wrong).then(|| match verified_by {
                Some(field) => format!("personen worden hier gecontroleerd met `{field}`"),
                None => "deze dataset kent geen controle van personen".to_owned(),
            }),
        ])
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

    fn chosen<'b>(
        &self,
        names: &Set<'b>,
        choose: impl Fn(&Dataset, &FieldName) -> bool,
    ) -> Set<'b> {
        let chosen = |name: &&str| {
            let name = FieldName::new(*name).ok();
            let both = self.dataset.zip(name);
            both.is_some_and(|(dataset, name)| choose(dataset, &name))
        };
        names.iter().copied().filter(chosen).collect()
    }

    /// Names of fields; of those that the dataset does not have, only how many there are.
    fn names(&self, names: &Set<'_>) -> String {
        let fields = self.dataset.map_or(&[][..], |dataset| dataset.field.as_slice());
        let (known, unknown): (Vec<&str>, Vec<&str>) = names
            .iter()
            .partition(|name| fields.iter().any(|field| field.name.as_str() == **name));
        let mut shown: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        match unknown.len() {
            0 => {}
            1 => shown.push("1 onbekend veld".to_owned()),
            n => shown.push(format!("{n} onbekende velden")),
        }
        shown.join(", ")
    }
}

fn named(case: &Case<'_>, what: &str, names: &Set<'_>) -> Option<String> {
    (!names.is_empty()).then(|| format!("{what}: {}", case.names(names)))
}

fn over(count: i64, limit: i64, what: &str) -> Option<String> {
    (count > limit).then(|| format!("{count} {what}, ten hoogste {limit}"))
}

fn sentences<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
