//! What holds of the workspace as a whole: which crate may use which, what the core keeps out, what
//! may be built in at all, and that documentation and configuration go with the code. It reads manifests
//! and files as they are; nothing is built for it and nothing fetched.

#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use convenant_client::ClientConfig;
use convenant_coordinator::CoordinatorConfig;
use convenant_model::Problem;
use convenant_node::NodeConfig;

use crate::deny::Deny;

mod clauses;
mod deny;
mod scan;
mod units;

/// Crates that decide. They have no tokio, file system, clock or source of randomness of their own.
const CORE: [&str; 6] = ["model", "signing", "clauses", "ledger", "exchange", "audit"];

/// Which crates of the workspace a crate may use, outside its tests. `source` uses `clauses` and
/// `ledger` because only a `Recorded<Permit>` opens it (docs/adr/0002). Neither daemon uses the other.
const EDGES: &str = "
    model
    signing      model
    clauses      model
    ledger       model signing
    exchange     model signing clauses ledger
    audit        model signing clauses ledger exchange
    exports      model signing
    wire         model
    transport    model
    source       model clauses ledger
    store        model signing ledger
    setup        model signing transport
    register     model signing clauses ledger wire
    witness      model signing ledger wire transport store
    subjects     model signing ledger store
    ldv          model ledger store transport subjects exports
    node         model signing clauses ledger exchange wire transport store setup register source
                 witness subjects ldv
    coordinator  model signing clauses ledger exchange wire transport store setup register witness
    client       model signing ledger exchange wire transport store setup register
    demo         model signing
    testkit      model signing clauses ledger exchange wire transport source store setup register
                 node coordinator client audit demo witness
    cli          model signing clauses ledger exchange wire transport source store setup register
                 node coordinator client audit demo witness exports subjects
    prove        model signing clauses
    tests
";

/// Crates that only the crates beside them may name in their manifests, outside their tests.
const NAMED_BY: [(&str, &[&str]); 11] = [
    ("ring", &["signing", "transport"]),
    ("hpke", &["signing"]),
    ("rustls", &["transport", "source"]),
    ("tokio-rustls", &["transport"]),
    ("tokio-postgres", &["source"]),
    ("cedar-policy", &["clauses", "prove"]),
    ("cedar-policy-symcc", &["prove"]),
    ("sled", &["store"]),
    ("prost", &["wire"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
];

/// What no crate of the core may be built with, however far down.
const NOT_IN_CORE: [&str; 11] = [
    "arrow", "config", "hyper", "mio", "rustls", "sled", "socket2", "tempfile", "tokio", "tonic",
    "tracing",
];

static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Only what is built here: the manifests of other platforms may never have been fetched.
    let options = ["--offline", "--filter-platform", host].map(str::to_owned);
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options)
        .exec()
        .unwrap()
});

static DENY: LazyLock<Deny> = LazyLock::new(|| Deny::read(&root().join("deny.toml")));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Name of a crate of the workspace without its prefix.
fn short(name: &str) -> Option<&str> {
    name.strip_prefix("convenant-")
}

fn own_packages() -> impl Iterator<Item = (&'static str, &'static Package)> {
    let packages = METADATA.workspace_packages().into_iter();
    packages.map(|package| (short(package.name.as_str()).unwrap(), package))
}

fn foreign_packages() -> impl Iterator<Item = &'static Package> {
    METADATA.packages.iter().filter(|package| !METADATA.workspace_members.contains(&package.id))
}

/// What a package names in its manifest, outside its tests.
fn named(package: &Package) -> impl Iterator<Item = &str> {
    let built = package.dependencies.iter().filter(|one| one.kind != DependencyKind::Development);
    built.map(|one| one.name.as_str())
}

fn edges() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut edges = BTreeMap::<_, BTreeSet<_>>::new();
    let mut of = "";
    for line in EDGES.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        if !line.starts_with("     ") {
            of = words.next().unwrap();
        }
        edges.entry(of).or_default().extend(words);
    }
    edges
}

/// Everything that a package is built with on this platform, itself included.
fn built_with(root: &PackageId) -> BTreeSet<&'static str> {
    let nodes = &METADATA.resolve.as_ref().unwrap().nodes;
    let nodes: BTreeMap<_, _> = nodes.iter().map(|node| (&node.id, node)).collect();
    let (mut found, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if found.insert(id) {
            let normal = nodes[id].deps.iter().filter(|dependency| {
                dependency.dep_kinds.iter().any(|info| info.kind == DependencyKind::Normal)
            });
            open.extend(normal.map(|dependency| &dependency.pkg));
        }
    }
    let packages = METADATA.packages.iter().filter(|package| found.contains(&package.id));
    packages.map(|package| package.name.as_str()).collect()
}

#[test]
fn crates_use_only_the_crates_that_they_may() {
    let edges = edges();
    for (name, package) in own_packages() {
        let allowed = edges.get(name).unwrap_or_else(|| panic!("EDGES does not list `{name}`"));
        for used in named(package).filter_map(short) {
            assert!(allowed.contains(used), "`{name}` must not use `{used}`");
        }
    }
    let there: BTreeSet<_> = own_packages().map(|(name, _)| name).collect();
    assert!(edges.keys().all(|name| there.contains(name)), "EDGES lists a crate that is gone");
}

#[test]
fn tests_of_the_core_stay_within_the_core() {
    for (name, package) in own_packages().filter(|(name, _)| CORE.contains(name)) {
        for used in package.dependencies.iter().filter_map(|one| short(&one.name)) {
            assert!(CORE.contains(&used), "`{name}` must not use `{used}`, in tests neither");
        }
    }
}

#[test]
fn some_dependencies_are_named_in_few_places() {
    for (dependency, allowed) in NAMED_BY {
        let by = own_packages().filter(|(_, package)| named(package).any(|one| one == dependency));
        let by: BTreeSet<_> = by.map(|(name, _)| name).collect();
        assert!(!by.is_empty(), "nobody names `{dependency}` any more");
        for name in by {
            assert!(allowed.contains(&name), "`{name}` must not name `{dependency}`");
        }
    }
}

#[test]
fn the_core_is_built_without_runtime_files_or_network() {
    for (name, package) in own_packages().filter(|(name, _)| CORE.contains(name)) {
        let with = built_with(&package.id);
        assert!(with.contains("serde"), "the graph of `{name}` was not found");
        for forbidden in NOT_IN_CORE {
            assert!(!with.contains(forbidden), "`{name}` is built with `{forbidden}`");
        }
    }
}

#[test]
fn the_core_takes_time_files_and_randomness_from_outside() {
    for name in CORE {
        let files = scan::sources(&root().join("crates").join(name).join("src"));
        assert!(!files.is_empty(), "`{name}` has no sources");
        for file in files {
            let found = scan::ambient(&fs::read_to_string(&file).unwrap());
            assert!(found.is_empty(), "`{}` uses {found:?}", file.display());
        }
    }
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    for package in foreign_packages() {
        let (name, version) = (&package.name, &package.version);
        let licence = package.license.as_deref();
        let licence = licence.unwrap_or_else(|| panic!("`{name} {version}` states no licence"));
        assert!(DENY.allows(licence), "`{name} {version}` is under `{licence}`");
    }
    for (name, package) in own_packages() {
        assert_eq!(package.license.as_deref(), Some("EUPL-1.2"), "`{name}`");
    }
}

#[test]
fn nothing_banned_is_built_in() {
    assert!(DENY.banned("openssl-sys") && !DENY.banned("serde"));
    for package in &METADATA.packages {
        assert!(!DENY.banned(&package.name), "`{}` is banned in deny.toml", package.name);
    }
}

#[test]
fn everything_comes_from_the_workspace_or_crates_io() {
    for package in foreign_packages() {
        let source = package.source.as_ref();
        let known = source.is_some_and(cargo_metadata::Source::is_crates_io);
        assert!(known, "`{}` comes from {source:?}", package.name);
    }
    for (name, package) in own_packages() {
        for path in package.dependencies.iter().filter_map(|one| one.path.as_ref()) {
            assert!(path.starts_with(root()), "`{name}` reaches outside: `{path}`");
        }
    }
}

#[test]
fn every_exception_for_an_advisory_has_its_reason() {
    assert!(!DENY.exceptions.is_empty());
    for (id, reason) in &DENY.exceptions {
        assert!(reason.len() > 20, "`{id}` is ignored without a reason");
    }
}

#[test]
fn every_problem_code_is_documented() {
    let page = text("docs/problems.md");
    let headings: BTreeSet<_> =
        page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    let codes: BTreeSet<_> = Problem::ALL.iter().map(|problem| problem.code()).collect();
    assert_eq!(headings, codes, "docs/problems.md has one heading for each code");
}

/// What is shown of the log of processing, in the documentation and as a comment in `deploy`.
#[test]
fn the_sections_that_show_a_log_of_processing_are_what_a_node_reads() {
    let (node, page) = (text("deploy/node.toml"), text("docs/ldv.md"));
    let shown = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let comment = node.split_once("# [ldv]\n").unwrap().1.split_once("\n\n").unwrap().0;
    let keys = comment.lines().map(|line| line.strip_prefix("# ").unwrap());
    // A line of words is no line of TOML.
    let keys = keys.filter(|line| line.contains(" = ") || line.starts_with('['));
    let commented = format!("[ldv]\n{}\n", keys.collect::<Vec<_>>().join("\n"));
    for section in [shown, &commented] {
        let config: NodeConfig = toml::from_str(&format!("{section}\n{node}")).unwrap();
        let ldv = config.ldv.unwrap();
        assert!(ldv.mandatory && ldv.tls.unwrap().certificate.is_some());
        assert_eq!((ldv.most_behind_seconds, ldv.longest_pause_seconds), (300, 60));
        assert_eq!(ldv.processing_activities.len(), 1);
    }
}

#[test]
fn the_configurations_in_deploy_are_what_the_daemons_read() {
    let node: NodeConfig = toml::from_str(&text("deploy/node.toml")).unwrap();
    let coordinator: CoordinatorConfig = toml::from_str(&text("deploy/coordinator.toml")).unwrap();
    let client: ClientConfig = toml::from_str(&text("deploy/client.toml")).unwrap();
    for tls in [node.tls, coordinator.tls, client.tls] {
        assert!(!tls.allow_example, "what is deployed takes no example keys");
    }
}
