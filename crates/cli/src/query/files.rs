//! Names of result files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use convenant_client::{
    output::{Format, OutputError},
    vouchers_path,
};

use super::asking::Resolved;
use crate::{exit::usage, files::has_folder};

/// A file for each target: the one asked for, or with several targets `NAME.PARTNER.EXTENSION`.
pub(super) fn names(
    out: &Path,
    targets: &[Resolved],
    vouchers: bool,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut taken = BTreeSet::new();
    let names: Vec<_> = match targets {
        [_] => vec![out.to_owned()],
        several => several.iter().map(|target| own_name(out, target, &mut taken)).collect(),
    };
    for name in &names {
        writable(name)?;
        absent(name, vouchers)?;
    }
    Ok(names)
}

/// Refuses a name before anything is asked: an answer that cannot be kept is wasted and on record.
pub(super) fn writable(name: &Path) -> anyhow::Result<()> {
    Format::of(name).map_err(|error| usage(error.to_string()))?;
    has_folder(name)
}

/// Nothing is written over: neither rows nor the vouchers beside them.
pub(super) fn absent(name: &Path, vouchers: bool) -> anyhow::Result<()> {
    let beside = vouchers.then(|| vouchers_path(name));
    match [Some(name.to_owned()), beside].into_iter().flatten().find(|path| path.exists()) {
        Some(path) => Err(usage(OutputError::Exists(path).to_string())),
        None => Ok(()),
    }
}

fn own_name(out: &Path, target: &Resolved, taken: &mut BTreeSet<String>) -> PathBuf {
    let dataset = target.dataset.as_str().rsplit('/').next().unwrap_or_default();
    let mut label = slug(&target.asked);
    if taken.contains(&label) {
        label = format!("{label}-{dataset}");
    }
    let mut number = 2;
    let plain = label.clone();
    while !taken.insert(label.clone()) {
        label = format!("{plain}-{number}");
        number += 1;
    }
    let extension = out.extension().unwrap_or_default().to_string_lossy();
    out.with_extension(format!("{label}.{extension}"))
}

fn slug(text: &str) -> String {
    text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use convenant_model::{DatasetId, Oin};

    use super::*;

    fn target(asked: &str, dataset: &str) -> Resolved {
        Resolved {
            asked: asked.to_owned(),
            name: asked.to_owned(),
            partner: Oin::new("00000099000000002000").unwrap(),
            dataset: DatasetId::new(dataset).unwrap(),
        }
    }

    #[test]
    fn every_target_has_a_file_of_its_own() {
        let targets = [
            target("Den Haag", "gemeente/brp_persoon"),
            target("uwv", "uwv/a"),
            target("uwv", "uwv/b"),
            target("UWV", "uwv/b"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("r.csv");
        let names = names(&out, &targets, true).unwrap();
        let shown: Vec<_> = names.iter().map(|name| name.to_str().unwrap()).collect();
        let expected = ["r.den-haag.csv", "r.uwv.csv", "r.uwv-b.csv", "r.uwv-b-2.csv"];
        assert_eq!(shown, expected.map(|name| folder.path().join(name).display().to_string()));
        let nowhere = super::names(&out.join("r.csv"), &targets, true).unwrap_err();
        assert!(nowhere.to_string().ends_with("r.csv` is no folder"), "{nowhere}");
        assert!(super::names(Path::new("r.txt"), &targets[..1], false).is_err());
    }
}
