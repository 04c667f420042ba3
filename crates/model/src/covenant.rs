//! The covenant: goals, themes, partners, datasets and clauses as typed data, with the rules that the
//! clauses consist of.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    area::{AreaCode, AreaKind},
    documents::tag,
    ids::{ClauseId, CovenantId, DatasetId, FieldName, GoalId, Oin, ThemeId},
    parse::{BoundedText, ParseError},
    time::Date,
    value::FieldType,
    vouching::VouchedKey,
};

/// A covenant as written. [`CovenantText::check`] turns it into a [`Covenant`].
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CovenantText {
    /// Always `covenant`.
    pub document: tag::Covenant,
    /// Id, version, title and limits.
    pub covenant: Head,
    /// The closed list of goals (clause S3).
    pub goal: Vec<Goal>,
    /// The closed list of themes (clause S7).
    pub theme: Vec<Theme>,
    /// The partners (clause S1).
    pub partner: Vec<Partner>,
    /// The datasets and their fields.
    pub dataset: Vec<Dataset>,
    /// The clauses.
    pub clause: Vec<Clause>,
}

/// Identity of a covenant and the limits that every party enforces.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Id, for instance `lsi`.
    pub id: CovenantId,
    /// Version, from 1.
    pub version: u32,
    /// Title.
    pub title: BoundedText<200>,
    /// First day on which this version applies.
    pub valid_from: Date,
    /// Most minutes for which a signed query is valid.
    pub query_minutes: u16,
    /// Most minutes that a party's copy of the register may be old.
    pub register_minutes: u16,
    /// Most days for which a voucher holds (clause S10); needed where a dataset is vouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher_days: Option<u16>,
    /// Most rows of one `select` (clause S12).
    pub max_rows: u64,
    /// Smallest count that is disclosed as such.
    pub minimum_cell: u32,
    /// Counts are rounded to the nearest multiple of this.
    pub count_rounding: u32,
}

/// One goal of the cooperation.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Id.
    pub id: GoalId,
    /// The goal in the covenant's words.
    pub text: BoundedText<500>,
    /// Whether the goal holds only once the LSI has designated the abuse (clause S3, "related
    /// abuses"). Designations are documents of a later version of the register: until one is there,
    /// such a goal is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_designation: bool,
}

/// One theme.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Id.
    pub id: ThemeId,
    /// The theme in the covenant's words.
    pub text: BoundedText<500>,
}

/// A partner, or a kind of partner that may join.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// Kind: the part of a dataset's id before the slash.
    pub kind: BoundedText<64>,
    /// Name.
    pub name: BoundedText<200>,
    /// OIN; absent for a kind of which every member may join (municipalities, clause S2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oin: Option<Oin>,
}

/// A dataset that partners of one kind hold.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Id, `KIND/NAME`.
    pub id: DatasetId,
    /// What it is, in one line of Dutch.
    pub title: BoundedText<200>,
    /// The fields that hold its area (clause S10). A dataset that is bound neither by these nor by
    /// vouchers is not served.
    #[serde(default)]
    pub area: Vec<AreaField>,
    /// The keys for which it takes vouchers, where no field holds the project's kind of area: it answers
    /// only for subjects that a partner vouched for, which disclosed them within the area.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouched: Vec<VouchedKey>,
    /// The field with which a subject is verified (clause L14), where the dataset has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<FieldName>,
    /// Whether its rows are the residents of an area: an answer about a large part of them all raises an
    /// alarm (clause S12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub residents: bool,
    /// Whether its data fall under tax secrecy (clause L10).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fiscal: bool,
    /// Whether its data are police data, which need a written decision (clause L11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wpg: bool,
    /// Whether its data are the public prosecutor's, which are not given (clause L12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wjsg: bool,
    /// The fields.
    pub field: Vec<Field>,
}

/// A field that holds the area of a row.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AreaField {
    /// Name of the field.
    pub field: FieldName,
    /// The kind of area it holds.
    pub kind: AreaKind,
}

/// A field of a dataset.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Official Dutch name.
    pub name: FieldName,
    /// Type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Sensitivity.
    pub class: Class,
    /// One of the seventeen categories (clause L3); absent for a field that is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// What the covenant lets the field be used for.
    #[serde(rename = "use")]
    pub usage: Use,
    /// The themes for which it may be used (clause S7).
    #[serde(default)]
    pub themes: BTreeSet<ThemeId>,
    /// The closed list of values, for a code; empty where the list is kept elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<BoundedText<100>>,
    /// Whether a predicate may test it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub filterable: bool,
}

/// Sensitivity of a field.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Ordinary personal data.
    Ordinary,
    /// A BSN (clause L14).
    Bsn,
    /// Sensitive; never a criterion of selection (clause L13), for instance a residence title.
    Sensitive,
    /// A special category of AVG article 9 (clause L13).
    Special,
    /// Criminal data of AVG article 10 (clause L13).
    Criminal,
}

/// What the covenant lets a field be used for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// A matching key: subjects are values of it. May be answered where a project is granted it; its
    /// values are never literals of a predicate.
    Key,
    /// May be answered where a project is granted it.
    Allowed,
    /// May be answered for given subjects only, never in a `select` without them.
    HitOnly,
    /// Holds an area; may be answered where a project is granted it.
    Scope,
    /// Goes with every answer where the source has it (clause L15).
    Accompany,
    /// Never leaves.
    Refused,
}

/// One of the seventeen closed categories of data (clause L3), `a` to `q`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "char", into = "char")]
pub struct Category(char);

impl TryFrom<char> for Category {
    type Error = &'static str;
    fn try_from(letter: char) -> Result<Self, Self::Error> {
        if ('a'..='q').contains(&letter) {
            Ok(Self(letter))
        } else {
            Err("a category is a letter from `a` to `q`")
        }
    }
}

impl From<Category> for char {
    fn from(category: Category) -> Self {
        category.0
    }
}

/// A term that a covenant counts in months from a project's first day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Term {
    /// For which a project lasts as a rule (clause S11).
    Usual,
    /// For which a project lasts by a decision with reasons (clause S11).
    Longest,
    /// By which hits are reported on (clause L6).
    Feedback,
    /// By which everything is destroyed (clause L6).
    Destruction,
}

/// A clause: a lawyer's text and numbers beside the rules that carry them out.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Id, for instance `S10`.
    pub id: ClauseId,
    /// Title in a few words of Dutch.
    pub title: BoundedText<100>,
    /// When the clause is checked.
    pub stage: BTreeSet<Stage>,
    /// The clause in Dutch.
    pub text: BoundedText<2000>,
    /// The numbers and lists that a lawyer changes; rules read them from the covenant's entity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Parameter>,
    /// The rules; empty for a clause that no machine can check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<Rule>,
    /// Who sees to a clause that no machine can check, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisational: Option<BoundedText<500>>,
}

/// When a clause is checked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// When a project is approved.
    Approval,
    /// At every exchange.
    Query,
    /// Afterwards: retention, destruction, reporting.
    Afterwards,
}

/// A rule in Cedar with the code under which it refuses.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The refusal code, for instance `BUITEN_GEBIED`.
    pub code: BoundedText<64>,
    /// The rule: one Cedar policy, a `forbid`.
    pub cedar: BoundedText<4000>,
}

/// A number or list of a clause.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Parameter {
    /// A whole number.
    Number(i64),
    /// A list of texts.
    List(BTreeSet<String>),
}

/// A covenant whose parts agree with each other: names are unique, and what refers exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Covenant {
    text: CovenantText,
    datasets: BTreeMap<DatasetId, usize>,
}

/// A member and what is wrong with it.
pub(crate) type Fault = (String, &'static str);

impl CovenantText {
    /// Checks that the parts agree with each other.
    ///
    /// # Errors
    /// Names `file` and the member at fault.
    pub fn check(self, file: &str) -> Result<Covenant, ParseError> {
        self.check_names()
            .and_then(|()| self.check_datasets())
            .map_err(|(member, message)| ParseError::new(file, member, message))?;
        let ids = self.dataset.iter().enumerate().map(|(i, dataset)| (dataset.id.clone(), i));
        Ok(Covenant { datasets: ids.collect(), text: self })
    }

    fn check_names(&self) -> Result<(), Fault> {
        let fault = |member: String, message| Err((member, message));
        if let Some(i) = repeated(self.goal.iter().map(|goal| &goal.id)) {
            return fault(format!("goal[{i}].id"), "this goal was defined before");
        }
        if let Some(i) = repeated(self.theme.iter().map(|theme| &theme.id)) {
            return fault(format!("theme[{i}].id"), "this theme was defined before");
        }
        if let Some(i) = repeated(self.clause.iter().map(|clause| &clause.id)) {
            return fault(format!("clause[{i}].id"), "this clause was defined before");
        }
        if let Some(i) = repeated(self.dataset.iter().map(|dataset| &dataset.id)) {
            return fault(format!("dataset[{i}].id"), "this dataset was defined before");
        }
        for (i, clause) in self.clause.iter().enumerate() {
            if clause.rule.is_empty() == clause.organisational.is_none() {
                let message = "a clause has either rules or `organisational`";
                return fault(format!("clause[{i}]"), message);
            }
        }
        if self.covenant.minimum_cell == 0 || self.covenant.count_rounding == 0 {
            return fault(
                "covenant".to_owned(),
                "`minimum_cell` and `count_rounding` are at least 1",
            );
        }
        Ok(())
    }

    fn check_datasets(&self) -> Result<(), Fault> {
        self.dataset.iter().enumerate().try_for_each(|(i, dataset)| {
            self.check_dataset(dataset)
                .map_err(|(member, message)| (format!("dataset[{i}]{member}"), message))
        })
    }

    fn check_dataset(&self, dataset: &Dataset) -> Result<(), Fault> {
        if !self.partner.iter().any(|partner| partner.kind.as_str() == dataset.id.kind()) {
            return Err((".id".to_owned(), "no partner is of the kind before the slash"));
        }
        if let Some(j) = repeated(dataset.field.iter().map(|field| &field.name)) {
            return Err((format!(".field[{j}].name"), "this field was defined before"));
        }
        for (j, area) in dataset.area.iter().enumerate() {
            let field = dataset.field(&area.field);
            if !field.is_some_and(|field| holds(field.kind, area.kind)) {
                return Err((format!(".area[{j}]"), "no field of this name holds such an area"));
            }
        }
        if dataset.verified_by.as_ref().is_some_and(|name| dataset.field(name).is_none()) {
            return Err((".verified_by".to_owned(), "the dataset has no such field"));
        }
        self.check_vouched(dataset)?;
        for (j, field) in dataset.field.iter().enumerate() {
            self.check_field(field)
                .map_err(|(member, message)| (format!(".field[{j}]{member}"), message))?;
        }
        Ok(())
    }

    fn check_field(&self, field: &Field) -> Result<(), (&'static str, &'static str)> {
        if field.themes.iter().any(|theme| !self.theme.iter().any(|known| known.id == *theme)) {
            return Err((".themes", "the covenant has no such theme"));
        }
        if field.usage != Use::Refused && field.category.is_none() {
            return Err((".category", "a field that may be used has a category (clause L3)"));
        }
        if field.usage == Use::Refused && (field.filterable || !field.themes.is_empty()) {
            return Err(("", "a refused field has no themes and is not filterable"));
        }
        if (field.kind == FieldType::Bsn) != (field.class == Class::Bsn) {
            return Err((".class", "type `bsn` and class `bsn` go together (clause L14)"));
        }
        let testable =
            matches!(field.usage, Use::Allowed | Use::Scope) && field.class == Class::Ordinary;
        if field.filterable && !testable {
            let message = "only ordinary fields that are `allowed` or `scope` can be filterable";
            return Err((".filterable", message));
        }
        Ok(())
    }
}

impl Covenant {
    /// The covenant as written.
    #[must_use]
    pub const fn text(&self) -> &CovenantText {
        &self.text
    }

    /// Id, version, title and limits.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.text.covenant
    }

    /// The dataset with this id.
    #[must_use]
    pub fn dataset(&self, id: &DatasetId) -> Option<&Dataset> {
        self.datasets.get(id).and_then(|i| self.text.dataset.get(*i))
    }

    /// The goal with this id.
    #[must_use]
    pub fn goal(&self, id: &GoalId) -> Option<&Goal> {
        self.text.goal.iter().find(|goal| goal.id == *id)
    }

    /// The theme with this id.
    #[must_use]
    pub fn theme(&self, id: &ThemeId) -> Option<&Theme> {
        self.text.theme.iter().find(|theme| theme.id == *id)
    }

    /// The clause with this id.
    #[must_use]
    pub fn clause(&self, id: &ClauseId) -> Option<&Clause> {
        self.text.clause.iter().find(|clause| clause.id == *id)
    }

    /// A number that a lawyer set in a clause, for instance the months of S11.
    #[must_use]
    pub fn number(&self, clause: &str, name: &str) -> Option<i64> {
        let clause = self.text.clause.iter().find(|one| one.id.as_str() == clause)?;
        match clause.params.get(name)? {
            Parameter::Number(number) => Some(*number),
            Parameter::List(_) => None,
        }
    }

    /// Months of a term, from the clause that sets it. A number that is no number of months is none at all, so
    /// that nothing fits in such a term.
    #[must_use]
    pub fn months(&self, term: Term) -> u16 {
        let (clause, name, otherwise) = match term {
            Term::Usual => ("S11", "months", 12),
            Term::Longest => ("S11", "months_extended", 24),
            Term::Feedback => ("L6", "feedback_months", 20),
            Term::Destruction => ("L6", "destruction_months", 24),
        };
        u16::try_from(self.number(clause, name).unwrap_or(otherwise)).unwrap_or(0)
    }

    /// The share of an area's residents, in percent, from which an answer about them raises an alarm (clause
    /// S12). A covenant that sets none, or a number that is no share, has one at every answer.
    #[must_use]
    pub fn alarm_percent(&self) -> u8 {
        let percent = self.number("S12", "alarm_percent").and_then(|set| u8::try_from(set).ok());
        percent.filter(|percent| *percent <= 100).unwrap_or(0)
    }

    /// Whether every organisation of a kind may join (clause S2).
    #[must_use]
    pub fn is_open_to(&self, kind: &str) -> bool {
        self.text.partner.iter().any(|one| one.kind.as_str() == kind && one.oin.is_none())
    }

    /// Whether the covenant lists this organisation as a partner of this kind, or lets every
    /// organisation of the kind join (clauses S1 and S2).
    #[must_use]
    pub fn lists(&self, oin: &Oin, kind: &str) -> bool {
        let of_kind = |partner: &&Partner| partner.kind.as_str() == kind;
        let listed = |partner: &Partner| partner.oin.as_ref().is_none_or(|own| own == oin);
        self.text.partner.iter().filter(of_kind).any(listed)
    }
}

impl Dataset {
    /// The field with this name.
    #[must_use]
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.field.iter().find(|field| field.name == *name)
    }

    /// Whether something holds its answers within a project's area: a field of its own, or vouchers.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        !self.area.is_empty() || !self.vouched.is_empty()
    }

    /// Whether its own fields hold an area of every one of these kinds. Where they do not, it answers for
    /// vouched subjects only (clause S10); where they do, vouchers play no part.
    #[must_use]
    pub fn holds_area(&self, codes: &BTreeSet<AreaCode>) -> bool {
        let held = |code: &AreaCode| self.area.iter().any(|area| area.kind == code.kind());
        !codes.is_empty() && codes.iter().all(held)
    }

    /// The columns of an answer in sequence: what was asked for, then what must go with it (clause L15),
    /// each once.
    #[must_use]
    pub fn columns(&self, asked: &[FieldName]) -> Vec<FieldName> {
        let accompany = self.field.iter().filter(|field| field.usage == Use::Accompany);
        let accompany = accompany.map(|field| &field.name);
        let mut seen = BTreeSet::new();
        asked.iter().chain(accompany).filter(|name| seen.insert(*name)).cloned().collect()
    }
}

fn holds(field: FieldType, area: AreaKind) -> bool {
    match area {
        AreaKind::GM => matches!(field, FieldType::Gemeentecode | FieldType::CbsCode),
        AreaKind::WK | AreaKind::BU => field == FieldType::CbsCode,
        AreaKind::BAG => field == FieldType::BagObject,
    }
}

/// Index of the first item that equals an earlier one.
pub(crate) fn repeated<T: Ord>(items: impl Iterator<Item = T>) -> Option<usize> {
    let mut seen = BTreeSet::new();
    items.enumerate().find_map(|(i, item)| (!seen.insert(item)).then_some(i))
}
