//! Vouchers on the command line (clause S10): for which field a partner is to vouch, and which kept ones go
//! with the subjects. No error here repeats a subject: it names lines.

use std::{fs, path::PathBuf};

use convenant_client::compose::{Subjects, TargetQuestion};
use convenant_exchange::{Kept, pass_on};
use convenant_model::{
    Clock as _, FieldName,
    covenant::{Covenant, Dataset},
};
use convenant_transport::SystemClock;
use zeroize::Zeroizing;

use super::{QueryArgs, subjects::Listed};
use crate::{
    exit::{Named as _, usage},
    output,
};

/// Most lines that an error names.
const MOST_LINES: usize = 20;

/// The field that a partner is to vouch for: the one named, or the only one that vouchers can be for.
pub(super) fn field(
    named: Option<&FieldName>,
    covenant: &Covenant,
    dataset: &Dataset,
    args: &QueryArgs,
) -> anyhow::Result<FieldName> {
    let possible: Vec<_> = covenant.vouchable(dataset).collect();
    let id = &dataset.id;
    let field = match (named, possible.as_slice()) {
        (_, []) => {
            return Err(usage(format!("no dataset of the covenant takes vouchers of `{id}`")));
        }
        (None, [only]) => only,
        (Some(name), several) if several.contains(&name) => name,
        (_, several) => {
            let names: Vec<_> = several.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(" or ");
            return Err(usage(format!("`{id}` can vouch for {names}: name one with `--vouch=`")));
        }
    };
    if args.fields.contains(field) {
        Ok(field.clone())
    } else {
        Err(usage(format!("`--vouch` needs `{field}` among the `--fields`")))
    }
}

/// Vouchers that go with the subjects.
pub(super) struct Passing(Vec<(PathBuf, Kept)>);

impl Passing {
    pub(super) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let read = |path: &PathBuf| {
            let bytes = fs::read(path).map(Zeroizing::new);
            let bytes =
                bytes.named(|| format!("the vouchers in `{}` cannot be read", path.display()))?;
            let kept = Kept::read(&bytes);
            let kept = kept.map_err(|error| usage(format!("`{}`: {error}", path.display())))?;
            Ok((path.clone(), kept))
        };
        Ok(Self(paths.iter().map(read).collect::<anyhow::Result<_>>()?))
    }

    /// Vouchers that no dataset asks for are a mistake, and would go nowhere unnoticed.
    pub(super) fn require_use(&self, targets: &[TargetQuestion]) -> anyhow::Result<()> {
        let used = targets.iter().filter_map(|target| target.subjects.as_ref());
        if self.0.is_empty() || used.into_iter().any(|subjects| !subjects.vouchers.is_empty()) {
            return Ok(());
        }
        Err(usage("none of the datasets takes `--vouchers` for these subjects"))
    }

    /// The subjects with a voucher for each.
    pub(super) fn pass_on(
        &self,
        subjects: Subjects,
        listed: &Listed,
        args: &QueryArgs,
        dataset: &Dataset,
    ) -> anyhow::Result<Subjects> {
        let id = &dataset.id;
        if self.0.is_empty() {
            // Asked all the same: whether it may be is not for this side to say.
            output::note(&format!(
                "`{id}` does not know the project's area and answers only for subjects that a partner vouched for: look them up \
                 with `--vouch` first, and pass what that keeps with `--vouchers`"
            ));
            return Ok(subjects);
        }
        let (mut usable, now) = (Vec::new(), SystemClock.now());
        for (path, kept) in &self.0 {
            let vouching = kept.vouching();
            let path = path.display();
            if vouching.expires <= now {
                let expired = vouching.expires;
                return Err(usage(format!("the vouchers in `{path}` expired on {expired}")));
            }
            if vouching.project != args.project {
                let other = &vouching.project;
                return Err(usage(format!("the vouchers in `{path}` are for project `{other}`")));
            }
            let key = dataset.vouched_key(&subjects.key);
            if key.is_some_and(|key| key.accepts(&vouching.dataset, &vouching.key)) {
                usable.push(kept);
            }
        }
        let Subjects { key, verified_by, list, .. } = subjects;
        let (list, vouchers) = pass_on(&usable, list).map_err(|missing| {
            let lines = shown(&listed.lines_of(&missing));
            usage(format!("{} subject(s) without a voucher for `{id}`: {lines}", missing.len()))
        })?;
        Ok(Subjects { key, verified_by, list, vouchers })
    }
}

fn shown(lines: &[usize]) -> String {
    let (first, rest) = lines.split_at(lines.len().min(MOST_LINES));
    let numbers: Vec<_> = first.iter().map(ToString::to_string).collect();
    let and_more = if rest.is_empty() { "" } else { " and more" };
    format!("line {}{and_more}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_lines_and_not_too_many() {
        assert_eq!(shown(&[3, 7]), "line 3, 7");
        let many: Vec<_> = (1..=21).collect();
        assert!(shown(&many).ends_with(" 19, 20 and more"));
    }
}
