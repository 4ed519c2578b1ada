//! A clock for a server that can be set: libfaketime in front of the C library.

use std::path::{Path, PathBuf};

/// Where packages put the library.
const FOLDERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib/faketime",
];

/// What the server's environment has to say for its clock to stand in `file`. Only the
/// time of day is set: waits are measured with another clock.
pub(crate) fn variables(file: &Path) -> [String; 5] {
    let libraries = FOLDERS.map(|folder| PathBuf::from(folder).join("libfaketimeMT.so.1"));
    let library = libraries.into_iter().find(|library| library.exists());
    let library = library.expect("libfaketime, which scripts/setup installs");
    [
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", file.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "FAKETIME_DONT_RESET=1".to_owned(),
    ]
}
