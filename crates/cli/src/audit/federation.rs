//! Whether a folder is an example federation, as `convenant demo` writes it.

use std::path::Path;

use crate::exit::usage;

const REGISTER: &str = "coordinator/state/register";

/// Without these nothing can be replayed.
const LAYOUT: [&str; 3] = ["auditor/client.toml", "nodes", REGISTER];

/// An error that says what was looked for, unless all of it is there.
pub(super) fn is_one(dir: &Path) -> anyhow::Result<()> {
    let missing: Vec<_> = LAYOUT.into_iter().filter(|name| !dir.join(name).exists()).collect();
    let what = match missing.as_slice() {
        [] => return Ok(()),
        _ if dir.is_file() => "it is a file".to_owned(),
        _ if !dir.exists() => "there is no such folder".to_owned(),
        [REGISTER] => format!("there is no `{REGISTER}`, which its coordinator makes once it runs"),
        missing if missing.len() == LAYOUT.len() => format!("there is none of {}", list(&LAYOUT)),
        missing => format!("of {} there is no {}", list(&LAYOUT), list(missing)),
    };
    Err(usage(format!(
        "`--federation`: `{}` is no example federation that ran, as `convenant demo` leaves one: {what}; evidence \
         elsewhere is named with `--register` and `--ledger`",
        dir.display()
    )))
}

fn list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
