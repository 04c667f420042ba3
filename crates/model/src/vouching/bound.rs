//! What a covenant must say for a dataset to be bound by vouchers, and who may vouch.

use super::{VouchedKey, VouchingField};
use crate::{
    covenant::{Covenant, CovenantText, Dataset, Fault, Use, repeated},
    documents::Proposal,
    ids::{DatasetId, FieldName},
    value::FieldType,
};

impl Dataset {
    /// The key with this name, if the dataset takes vouchers for it.
    #[must_use]
    pub fn vouched_key(&self, key: &FieldName) -> Option<&VouchedKey> {
        self.vouched.iter().find(|vouched| vouched.key == *key)
    }

    fn takes(&self, dataset: &DatasetId, field: &FieldName) -> bool {
        self.vouched.iter().any(|vouched| vouched.accepts(dataset, field))
    }
}

impl VouchedKey {
    /// Whether an answer from this dataset may vouch for the key with values of this field.
    #[must_use]
    pub fn accepts(&self, dataset: &DatasetId, field: &FieldName) -> bool {
        self.by.iter().any(|one| one.dataset == *dataset && one.field == *field)
    }
}

impl Covenant {
    /// The fields of a dataset for whose values another dataset takes vouchers.
    pub fn vouchable<'a>(&'a self, dataset: &'a Dataset) -> impl Iterator<Item = &'a FieldName> {
        let names = dataset.field.iter().map(|field| &field.name);
        let all = &self.text().dataset;
        names.filter(|name| all.iter().any(|other| other.takes(&dataset.id, name)))
    }

    /// Whether somebody provides a dataset in a project that takes vouchers for values of this field, and needs
    /// them there. For nobody's use, nothing is vouched for.
    #[must_use]
    pub fn is_vouching_of_use(
        &self,
        proposal: &Proposal,
        dataset: &DatasetId,
        field: &FieldName,
    ) -> bool {
        let provided = proposal.annex.iter().filter_map(|annex| self.dataset(&annex.dataset));
        let mut needing = provided.filter(|other| !other.holds_area(&proposal.area));
        needing.any(|other| other.takes(dataset, field))
    }
}

type Checked = Result<(), Fault>;

impl CovenantText {
    /// A dataset is bound by its own area or by vouchers (see [`Dataset::holds_area`]); those come from
    /// keys of the same type in datasets that hold an area of their own.
    pub(crate) fn check_vouched(&self, dataset: &Dataset) -> Checked {
        let fault = |member: String, message| Err((member, message));
        if dataset.vouched.is_empty() {
            return Ok(());
        }
        if self.covenant.voucher_days.is_none_or(|days| days == 0) {
            return fault(".vouched".to_owned(), "the covenant does not say `voucher_days`");
        }
        if let Some(j) = repeated(dataset.vouched.iter().map(|vouched| &vouched.key)) {
            return fault(format!(".vouched[{j}].key"), "this key was named before");
        }
        for (j, vouched) in dataset.vouched.iter().enumerate() {
            let Some(kind) = key_type(dataset, &vouched.key) else {
                return fault(format!(".vouched[{j}].key"), "no key field of text has this name");
            };
            let accepted = |one: &VouchingField| self.vouches(one, kind);
            if vouched.by.is_empty() || !vouched.by.iter().all(accepted) {
                let message = "names no key of the same type in a dataset that holds its own area";
                return fault(format!(".vouched[{j}].by"), message);
            }
        }
        Ok(())
    }

    fn vouches(&self, one: &VouchingField, kind: FieldType) -> bool {
        let mut named = self.dataset.iter().filter(|dataset| dataset.id == one.dataset);
        named.any(|other| !other.area.is_empty() && key_type(other, &one.field) == Some(kind))
    }
}

/// Type of a key field, if its values are texts: those have one spelling at every partner.
fn key_type(dataset: &Dataset, name: &FieldName) -> Option<FieldType> {
    let field = dataset.field(name).filter(|field| field.usage == Use::Key)?;
    matches!(field.kind, FieldType::Bsn | FieldType::BagObject | FieldType::Text)
        .then_some(field.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::from_toml;

    const COVENANT: &str = r#"
document = "covenant"
goal = []
theme = []
clause = []
[covenant]
id = "x"
version = 1
title = "x"
valid_from = "2026-01-01"
query_minutes = 15
register_minutes = 60
voucher_days = 7
max_rows = 10
minimum_cell = 10
count_rounding = 5
[[partner]]
kind = "a"
name = "A"
[[dataset]]
id = "a/own"
title = "holds its own area"
area = [{ field = "gemeente", kind = "GM" }]
field = [
  { name = "bsn", type = "bsn", class = "bsn", category = "h", use = "key" },
  { name = "object", type = "bag-object", class = "ordinary", category = "h", use = "key" },
  { name = "partner", type = "bsn", class = "bsn", category = "h", use = "hit-only" },
  { name = "gemeente", type = "gemeentecode", class = "ordinary", category = "h", use = "scope" },
]
[[dataset]]
id = "a/vouched"
title = "holds none"
vouched = [{ key = "bsn", by = [{ dataset = "a/own", field = "bsn" }] }]
field = [
  { name = "bsn", type = "bsn", class = "bsn", category = "h", use = "key" },
  { name = "nummer", type = "integer", class = "ordinary", category = "h", use = "key" },
]
"#;

    fn checked(from: &str, to: &str) -> Result<Covenant, String> {
        assert!(COVENANT.contains(from), "{from}");
        let text: CovenantText = from_toml("c", &COVENANT.replace(from, to)).unwrap();
        text.check("c").map_err(|error| error.to_string())
    }

    #[test]
    fn a_dataset_is_vouched_by_keys_of_datasets_with_an_area() {
        let covenant = checked("x", "x").unwrap();
        let [own, vouched] = covenant.text().dataset.as_slice() else { panic!("two datasets") };
        assert!(own.is_bound() && vouched.is_bound());
        let names: Vec<_> = covenant.vouchable(own).map(FieldName::as_str).collect();
        assert_eq!(names, ["bsn"]);
        assert_eq!(covenant.vouchable(vouched).count(), 0);
        let name = |text| FieldName::new(text).unwrap();
        let key = vouched.vouched_key(&name("bsn")).unwrap();
        assert!(key.accepts(&own.id, &name("bsn")) && !key.accepts(&own.id, &name("object")));
        assert!(!key.accepts(&vouched.id, &name("bsn")));
        assert!(vouched.vouched_key(&name("nummer")).is_none());
    }

    #[test]
    fn a_dataset_with_an_area_takes_vouchers_for_other_kinds_of_area() {
        let area = "vouched = [{ key = \"bsn\"";
        let with = format!("area = [{{ field = \"gemeente\", kind = \"GM\" }}]\n{area}");
        let field = "  { name = \"nummer\"";
        let own = "  { name = \"gemeente\", type = \"gemeentecode\", class = \"ordinary\", \
                   category = \"h\", use = \"scope\" },\n";
        let text = COVENANT.replace(area, &with).replace(field, &format!("{own}{field}"));
        let text: CovenantText = from_toml("c", &text).unwrap();
        let covenant = text.check("c").unwrap();
        let dataset = &covenant.text().dataset[1];
        let held = |codes: &[&str]| {
            dataset.holds_area(&codes.iter().map(|code| code.parse().unwrap()).collect())
        };
        assert!(held(&["GM0599"]) && held(&["GM0599", "GM0518"]));
        assert!(!held(&["BU05990101"]) && !held(&["GM0599", "BU05990101"]) && !held(&[]));
    }

    #[test]
    fn everything_else_is_no_covenant() {
        let by = "field = \"bsn\" }] }]";
        for (from, to, what) in [
            ("voucher_days = 7\n", "", "voucher_days"),
            ("voucher_days = 7\n", "voucher_days = 0\n", "voucher_days"),
            ("vouched = [{ key = \"bsn\"", "vouched = [{ key = \"nummer\"", "no key field"),
            ("vouched = [{ key = \"bsn\"", "vouched = [{ key = \"geen\"", "no key field"),
            (by, "field = \"object\" }] }]", "no key of the same type"),
            (by, "field = \"partner\" }] }]", "no key of the same type"),
            (
                "by = [{ dataset = \"a/own\"",
                "by = [{ dataset = \"a/vouched\"",
                "holds its own area",
            ),
            ("by = [{ dataset = \"a/own\", field = \"bsn\" }]", "by = []", "holds its own area"),
        ] {
            let fault = checked(from, to).unwrap_err();
            assert!(fault.contains(what), "{to}: {fault}");
        }
    }
}
