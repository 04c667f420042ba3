//! What the partners hold: rows that a test writes down, under the covenant's names.

use std::{fs, path::Path};

use convenant_demo::{DatasetSpec, PartnerSpec, Source};
use convenant_model::{
    DatasetId, FieldName, Oin,
    covenant::{Covenant, Use},
    subjects::is_bsn,
};

/// Rows of one dataset; the first line names the fields, commas stand between the cells.
pub(super) struct Rows {
    dataset: &'static str,
    fields: &'static str,
    lines: Vec<String>,
}

impl Rows {
    pub(super) fn of(dataset: &'static str, fields: &'static str) -> Self {
        Self { dataset, fields, lines: Vec::new() }
    }

    pub(super) fn row(&mut self, line: impl Into<String>) {
        let line = line.into();
        assert_eq!(line.split(',').count(), self.fields.split(',').count(), "{line}");
        self.lines.push(line);
    }

    fn file(&self) -> String {
        format!("data/{}.csv", self.dataset.replace('/', "-"))
    }

    fn spec(&self, covenant: &Covenant) -> DatasetSpec {
        let id = DatasetId::new(self.dataset).unwrap();
        let held: Vec<_> = self.fields.split(',').collect();
        let fields = covenant.dataset(&id).unwrap().field.iter();
        let usable = fields.filter(|field| field.usage != Use::Refused).map(|field| &field.name);
        let (bound, absent): (Vec<&FieldName>, Vec<&FieldName>) =
            usable.partition(|name| held.contains(&name.as_str()));
        DatasetSpec {
            id,
            source: Source::Csv { path: self.file() },
            columns: bound.into_iter().map(|name| (name.clone(), name.to_string())).collect(),
            absent: absent.into_iter().cloned().collect(),
        }
    }

    fn write(&self, node: &Path) {
        fs::create_dir_all(node.join("data")).unwrap();
        let text = [&[self.fields.to_owned()], self.lines.as_slice()].concat().join("\n");
        fs::write(node.join(self.file()), text + "\n").unwrap();
    }
}

/// A partner.
#[derive(Clone, Copy)]
pub(super) struct Party {
    pub(super) name: &'static str,
    pub(super) oin: &'static str,
    kind: &'static str,
}

pub(super) const ROTTERDAM: Party =
    Party { name: "rotterdam", kind: "gemeente", oin: "00000099000000000599" };
pub(super) const UWV: Party = Party { name: "uwv", kind: "uwv", oin: "00000099000000002000" };
pub(super) const SVB: Party = Party { name: "svb", kind: "svb", oin: "00000099000000003000" };
pub(super) const TOESLAGEN: Party =
    Party { name: "toeslagen", kind: "toeslagen", oin: "00000099000000004000" };

pub(super) const IND: Party = Party { name: "ind", kind: "ind", oin: "00000099000000005000" };
pub(super) const INSPECTION: Party =
    Party { name: "arbeidsinspectie", kind: "arbeidsinspectie", oin: "00000099000000006000" };
pub(super) const TAX: Party =
    Party { name: "belastingdienst", kind: "belastingdienst-mkb", oin: "00000099000000007000" };
pub(super) const POLICE: Party =
    Party { name: "politie", kind: "politie", oin: "00000099000000008000" };

impl Party {
    pub(super) const fn holds(self, rows: Vec<Rows>) -> Holder {
        Holder { party: self, rows }
    }
}

/// A partner with what it holds.
pub(super) struct Holder {
    pub(super) party: Party,
    pub(super) rows: Vec<Rows>,
}

impl Holder {
    pub(super) fn spec(&self, covenant: &Covenant) -> PartnerSpec {
        PartnerSpec {
            name: self.party.name.to_owned(),
            title: self.party.name.to_owned(),
            kind: self.party.kind.to_owned(),
            oin: Oin::new(self.party.oin).unwrap(),
            datasets: self.rows.iter().map(|rows| rows.spec(covenant)).collect(),
        }
    }

    pub(super) fn write(&self, node: &Path) {
        self.rows.iter().for_each(|rows| rows.write(node));
    }
}

/// The number of somebody who does not exist: numbers in use do not start with a 9.
pub(super) fn bsn(number: usize) -> String {
    let mut candidates = (900_100_000..).map(|number: usize| number.to_string());
    candidates.by_ref().filter(|text| is_bsn(text)).nth(number).unwrap()
}

/// A BAG object of the municipality.
pub(super) fn object(number: usize) -> String {
    format!("059901{number:010}")
}
