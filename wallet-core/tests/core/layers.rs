//! The top-level modules are layers. Each one uses only the layers below it, so
//! there is no cycle between them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// From the bottom to the top.
const LAYERS: [&str; 15] = [
    "ledger",
    "runtime",
    "request",
    "store",
    "locks",
    "decide",
    "messaging",
    "cache",
    "history",
    "audit",
    "service",
    "verify",
    "edge",
    "memory",
    "test_hooks",
];

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|one| *one == layer)
}

/// Every layer that `code` names by `crate::...`, outside of comments.
fn layers_used(code: &str) -> BTreeSet<&str> {
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    let names = paths.filter_map(|path| {
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        path.get(..end)
    });
    names.collect()
}

/// The violation in a file of `layer`, as text.
fn wrong(layer: &str, code: &str) -> Vec<String> {
    let own = rank(layer).unwrap_or_else(|| panic!("{layer} is no layer"));
    let used = layers_used(code).into_iter();
    let wrong = used.filter_map(|name| match rank(name) {
        Some(used) if used <= own => None,
        Some(_) => Some(format!("{layer} uses {name}, which is above it")),
        // Names of the root, `crate::{...}` and `pub(in crate::...)` would hide a layer.
        None => Some(format!("{layer} uses crate::{name}: name its layer")),
    });
    wrong.collect()
}

/// Every Rust file below `folder`.
pub(crate) fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_layer_uses_one_above_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for path in &all {
        let file = path.strip_prefix(&source).unwrap();
        let layer = file.iter().next().unwrap().to_str().unwrap();
        let layer = layer.trim_end_matches(".rs");
        if matches!(layer, "lib" | "prelude") {
            continue;
        }
        seen.insert(layer.to_owned());
        let code = fs::read_to_string(path).unwrap();
        let wrong = wrong(layer, &code).into_iter();
        found.extend(wrong.map(|wrong| format!("{}: {wrong}", file.display())));
    }
    assert_eq!(found, [""; 0]);
    let all: BTreeSet<String> = LAYERS.map(str::to_owned).into();
    assert_eq!(seen, all);
}

#[test]
fn a_use_of_a_layer_above_is_seen() {
    let code = "use crate::ledger::Money;\nuse crate::store::Snapshot; // crate::memory::X\n";
    assert_eq!(wrong("store", code), [""; 0]);
    let found = wrong("request", code);
    assert_eq!(found, ["request uses store, which is above it"]);
    let found = wrong(
        "ledger",
        "fn f() -> crate::Wallet { crate::service::new() }",
    );
    assert_eq!(found.len(), 2, "{found:?}");
}
