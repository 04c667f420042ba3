//! Details about the fields of a query: theme, predicate, bulk, necessity, category, class, BSN.

use convenant_model::{
    FieldName,
    covenant::{Class, Use},
};

use super::{Case, days, sentences};
use crate::{entities::is_identifying, facts::Set};

impl Case<'_> {
    pub(super) fn theme(&self) -> String {
        let query = &self.facts.query;
        if query.theme != self.facts.project.theme {
            return "de vraag heeft een ander thema dan het project".to_owned();
        }
        let all: Set<'_> = query.used.iter().copied().chain(query.keyed_by).collect();
        let usable = self
            .those(&all, |field| field.themes.iter().any(|theme| theme.as_str() == query.theme));
        self.named("voor dit thema niet bruikbaar", &(&all - &usable))
            .unwrap_or_else(|| "de dataset heeft geen velden voor dit thema".to_owned())
    }

    pub(super) fn predicate(&self) -> String {
        let query = &self.facts.query;
        let testable = self.those(&query.tested, |field| field.filterable);
        let hit_only = self.those(&query.output, |field| field.usage == Use::HitOnly);
        let blind = query.kind == "select" && query.subjects < 1;
        let hit_only = if blind { hit_only } else { Set::new() };
        sentences([
            self.named("geen selectiecriterium", &(&query.tested - &testable)),
            self.named("de waarde past niet bij het veld", &query.literals.ill_typed),
            self.named("alleen bij opgegeven personen of objecten", &hit_only),
            (!query.published)
                .then(|| "het voorstel noemt deze voorwaarde niet voor deze dataset".to_owned()),
        ])
    }

    pub(super) fn bulk(&self) -> String {
        let query = &self.facts.query;
        let none = query.subjects < 1;
        let blind = match query.kind {
            "lookup" if none => Some("opzoeken zonder personen of objecten"),
            "select" if none && query.anchors.is_empty() => {
                Some("selecteren zonder één bepaalde waarde (`=` of `in`) buiten het gebied")
            }
            _ => None,
        };
        let keyed_by: Set<'_> = query.keyed_by.into_iter().collect();
        let keys = self.those(&keyed_by, |field| field.usage == Use::Key);
        sentences([blind.map(str::to_owned), self.named("geen sleutel", &(&keyed_by - &keys))])
    }

    pub(super) fn necessity(&self) -> String {
        let (grant, query) = (&self.facts.grant, &self.facts.query);
        if grant.kinds.is_empty() {
            return "de gegevensbijlage noemt deze dataset van deze partner niet".to_owned();
        }
        if !grant.kinds.contains(query.kind) {
            let kind = query.kind;
            return format!("de gegevensbijlage staat geen vraag van de soort `{kind}` toe");
        }
        let refused = self.those(&query.used, |field| field.usage == Use::Refused);
        let granted = &(&grant.fields | &grant.shorter) | &refused;
        let asked = query.retention_days;
        let too_long = asked > grant.retention_days || !query.used.is_disjoint(&grant.shorter);
        sentences([
            self.named("niet in de gegevensbijlage", &(&query.used - &granted)),
            self.named("door het convenant geweigerd", &refused),
            too_long.then(|| {
                format!("{} bewaren is langer dan de gegevensbijlage toestaat", days(asked))
            }),
        ])
    }

    pub(super) fn category(&self) -> String {
        // A category stands in the facts as "field letter".
        let categories = self.facts.grant.categories.iter();
        let differs = categories.filter_map(|text| {
            let (name, letter) = text.rsplit_once(' ')?;
            let own = self.field(name)?.category.map(char::from);
            (own.map(String::from).as_deref() != Some(letter)).then_some(name)
        });
        let what = "andere categorie in de gegevensbijlage dan in het convenant";
        self.named(what, &differs.collect()).unwrap_or_default()
    }

    pub(super) fn special(&self) -> String {
        let query = &self.facts.query;
        let special = self.those(&query.used, |field| field.class == Class::Special);
        let sensitive = self.those(&query.tested, |field| field.class == Class::Sensitive);
        sentences([
            self.named("bijzondere gegevens", &special),
            self.named("gevoelig, dus nooit een selectiecriterium", &sensitive),
        ])
    }

    pub(super) fn criminal(&self) -> String {
        let used = &self.facts.query.used;
        let criminal = self.those(used, |field| field.class == Class::Criminal);
        sentences([self.named("strafrechtelijke gegevens", &criminal)])
    }

    pub(super) fn bsn(&self) -> String {
        let query = &self.facts.query;
        let readable = self.those(&query.literals.literals, is_identifying);
        let holding = &query.literals.holding_bsn - &readable;
        let justification = "in de toelichting staat een getal dat een BSN kan zijn";
        sentences([
            self.named("een waarde staat leesbaar in de vraag, bij", &readable),
            self.named("vergeleken met een getal dat een BSN kan zijn", &holding),
            query.bsn_in_justification.then(|| justification.to_owned()),
            self.verification(),
        ])
    }

    fn verification(&self) -> Option<String> {
        let query = &self.facts.query;
        let own = self.dataset.and_then(|dataset| dataset.verified_by.as_ref());
        if query.keyed_by.is_none() || query.verified_by == own.map(FieldName::as_str) {
            return None;
        }
        let key = query.keyed_by.and_then(|key| self.field(key));
        let bsn = key.is_some_and(|key| key.class == Class::Bsn);
        match own {
            Some(field) if bsn => Some(format!("een BSN wordt hier gecontroleerd met `{field}`")),
            _ if query.verified_by.is_none() => None,
            _ => Some("met dit veld wordt hier niet gecontroleerd".to_owned()),
        }
    }
}
