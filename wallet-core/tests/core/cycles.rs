//! No crate of the workspace has a cycle between its top-level modules. (`layers` holds the
//! order of this crate's modules.)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::layers::files;

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Every crate that has modules.
const CRATES: [&str; 15] = [
    "wallet",
    "wallet-core",
    "wallet-testkit",
    "wallet-sim",
    "wallet-sqlite",
    "wallet-aurora",
    "wallet-dynamo",
    "wallet-redis",
    "wallet-events",
    "wallet-server",
    "wallet-cli",
    "benches",
    "testing/servers",
    "testing/soak",
    "examples/marketplace",
];

/// Code without comments and without unit tests, which may use anything.
fn without_comments(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

fn ident(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    end.map_or(text, |end| &text[..end])
}

/// The texts between the commas of `{...}`, without those of inner braces.
fn items(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_u32, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            found.push(&text[from..at]);
            from = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The names that follow `crate::` in `code`.
fn used(code: &str) -> BTreeSet<&str> {
    let paths = code.split("crate::").skip(1);
    let names = paths.flat_map(|path| match path.strip_prefix('{') {
        Some(_) => items(path).into_iter().map(ident).collect(),
        None => vec![ident(path)],
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// The names that the root takes from its modules, with their module.
fn of_root(root: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for statement in root.split(';') {
        let Some((_, path)) = statement.rsplit_once("use ") else {
            continue;
        };
        let Some((module, names)) = path.trim_start_matches("crate::").split_once("::") else {
            continue;
        };
        let names = if names.starts_with('{') {
            items(names)
        } else {
            vec![names]
        };
        for name in names {
            let name = name.rsplit(" as ").next().unwrap();
            let name = name.rsplit("::").next().unwrap();
            found.insert(ident(name), module.trim());
        }
    }
    found
}

fn edges(source: &Path) -> Edges {
    let mut all = Vec::new();
    files(source, &mut all);
    let read = |path: &Path| without_comments(&fs::read_to_string(path).unwrap());
    let module = |path: &Path| {
        let first = path.strip_prefix(source).unwrap().iter().next();
        first
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned()
    };
    let modules: BTreeSet<String> = all.iter().map(|path| module(path)).collect();
    let root = ["lib.rs", "main.rs"].map(|name| source.join(name));
    let root: String = root
        .iter()
        .filter(|path| path.exists())
        .map(|path| read(path))
        .collect();
    let exported = of_root(&root);
    let mut edges = Edges::new();
    for path in &all {
        let from = module(path);
        let is_test = path.ends_with("tests.rs") || path.ends_with("test_hooks.rs");
        if is_test || matches!(from.as_str(), "lib" | "main" | "bin") {
            continue;
        }
        for name in used(&read(path)) {
            let name = exported.get(name).copied().unwrap_or(name);
            if name != from && modules.contains(name) {
                edges
                    .entry(from.clone())
                    .or_default()
                    .insert(name.to_owned());
            }
        }
    }
    edges
}

/// What is left when modules that use no other, and modules that no other uses, are taken
/// away again and again.
fn in_cycles(mut edges: Edges) -> Vec<String> {
    loop {
        let before = edges.len();
        let users: BTreeSet<String> = edges.keys().cloned().collect();
        let of_all: BTreeSet<String> = edges.values().flatten().cloned().collect();
        edges.retain(|name, used| {
            used.retain(|one| users.contains(one));
            !used.is_empty() && of_all.contains(name)
        });
        if edges.len() == before {
            return edges.into_keys().collect();
        }
    }
}

#[test]
fn no_crate_has_a_cycle_of_modules() {
    for name in CRATES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(name)
            .join("src");
        let edges = edges(&source);
        assert!(!edges.is_empty(), "{name}: nothing was read");
        assert_eq!(in_cycles(edges), [""; 0], "{name}");
    }
}

#[test]
fn a_cycle_is_seen_through_names_of_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, code: &str| fs::write(folder.path().join(name), code).unwrap();
    write(
        "lib.rs",
        "mod a;\nmod b;\nmod c;\npub use b::{One, Two as Three};\n",
    );
    write("a.rs", "use crate::{\n    c::{X, Y},\n    Three,\n};\n");
    write("b.rs", "// crate::a::Z\nfn f() -> crate::c::X {}\n");
    write("c.rs", "");
    assert_eq!(in_cycles(edges(folder.path())), [""; 0]);
    write("b.rs", "use crate::a::Z;\n");
    assert_eq!(in_cycles(edges(folder.path())), ["a", "b"]);
}
