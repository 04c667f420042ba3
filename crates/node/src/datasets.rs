//! The datasets that a node serves, bound to the covenant in force.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use convenant_ledger::register::Register;
use convenant_model::{
    DatasetId, Date, Digest, FieldName, Oin, ProjectId,
    area::{AreaCode, AreaKind},
    covenant::Covenant,
    documents::{Annex, Ruling},
    query::QueryKind,
    value::FieldType,
};
use convenant_source::{Binding, DatasetConfig, Source, open};

use crate::NodeError;

/// The datasets, bound to one version of the covenant.
pub struct Datasets {
    covenant: Digest,
    served: BTreeMap<DatasetId, Served>,
}

/// One dataset with the source behind it.
pub(crate) struct Served {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) binding: Binding,
    kinds: BTreeMap<FieldName, FieldType>,
    areas: BTreeSet<AreaKind>,
    vouched: Vec<FieldName>,
}

/// What a node gives out under one project, for people to read before they start it.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The dataset.
    pub dataset: DatasetId,
    /// The project.
    pub project: ProjectId,
    /// The partner whose project leader may ask.
    pub to: Oin,
    /// The fields that the project is granted and the source has.
    pub fields: Vec<FieldName>,
    /// The kinds of query.
    pub kinds: Vec<QueryKind>,
    /// The area to which rows are limited (clause S10).
    pub area: Vec<AreaCode>,
    /// The keys of which subjects must be vouched for, where the dataset does not hold the project's area
    /// (clause S10).
    pub vouched: Vec<FieldName>,
    /// First and last day.
    pub days: (Date, Date),
    /// The provider's legal basis (clause A3).
    pub basis: String,
}

impl Datasets {
    /// Binds the configured datasets to the covenant and checks each source, before anything is
    /// served. `tells` says whether the node keeps account of whom answers are about.
    ///
    /// # Errors
    /// Names the dataset, field or column that is not as the covenant needs it.
    pub async fn bind(
        covenant: &Covenant,
        hash: Digest,
        configs: &[DatasetConfig],
        tells: bool,
    ) -> Result<Self, NodeError> {
        let mut served = BTreeMap::new();
        for config in configs {
            let dataset = covenant.dataset(&config.id);
            let dataset = dataset.ok_or_else(|| NodeError::NoDataset(config.id.clone()))?;
            let binding = Binding::new(dataset, config)?;
            let binding = if tells { binding } else { binding.telling_nobody() };
            let source = open(binding.clone(), &config.source)?;
            source.check().await?;
            let kinds = dataset.field.iter().map(|field| (field.name.clone(), field.kind));
            let vouched = dataset.vouched.iter().map(|vouched| vouched.key.clone()).collect();
            let areas = dataset.area.iter().map(|area| area.kind).collect();
            let one = Served { source, binding, kinds: kinds.collect(), areas, vouched };
            if served.insert(config.id.clone(), one).is_some() {
                return Err(NodeError::Twice(config.id.clone()));
            }
        }
        Ok(Self { covenant: hash, served })
    }

    /// Hash of the covenant that the datasets are bound to.
    pub(crate) const fn covenant(&self) -> Digest {
        self.covenant
    }

    /// The dataset with this id.
    pub(crate) fn get(&self, id: &DatasetId) -> Option<&Served> {
        self.served.get(id)
    }

    /// What the node would give out under the register's projects, to whom and on which basis.
    #[must_use]
    pub fn exposed(&self, register: &Register, own: &Oin) -> Vec<Exposed> {
        let mut found = Vec::new();
        for (id, project) in register.state().projects() {
            let Some(decided) = project.decided() else {
                continue;
            };
            if decided.decision.outcome != Ruling::Approved {
                continue;
            }
            let annexes = decided.proposal.annex.iter().filter(|annex| annex.provider == *own);
            for annex in annexes {
                let fields = self.fields(annex);
                found.push(Exposed {
                    dataset: annex.dataset.clone(),
                    project: id.clone(),
                    to: decided.proposal.responsible.clone(),
                    fields,
                    kinds: annex.kinds.iter().copied().collect(),
                    area: decided.proposal.area.iter().cloned().collect(),
                    vouched: self.vouched(annex, &decided.proposal.area),
                    days: (decided.decision.valid_from, decided.decision.valid_until),
                    basis: annex.basis_provider.to_string(),
                });
            }
        }
        found
    }

    fn vouched(&self, annex: &Annex, area: &BTreeSet<AreaCode>) -> Vec<FieldName> {
        let served = self.get(&annex.dataset);
        let served = served.filter(|one| !area.iter().all(|code| one.areas.contains(&code.kind())));
        served.map(|served| served.vouched.clone()).unwrap_or_default()
    }

    fn fields(&self, annex: &Annex) -> Vec<FieldName> {
        let Some(served) = self.get(&annex.dataset) else {
            return Vec::new();
        };
        let names = annex.field.iter().map(|field| &field.name);
        names.filter(|name| served.binding.serves(name)).cloned().collect()
    }
}

impl Served {
    /// Type of a field in the covenant.
    pub(crate) fn kind(&self, field: &FieldName) -> Option<FieldType> {
        self.kinds.get(field).copied()
    }

    /// Whether rows may be about people, by a field with their number.
    pub(crate) fn holds_people(&self) -> bool {
        self.kinds.values().any(|kind| *kind == FieldType::Bsn)
    }
}
