//! A settable clock for a server: libfaketime, preloaded before the C library.

use std::path::{Path, PathBuf};

/// Where packages install the library.
const FOLDERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib/faketime",
];

/// The environment variables with which a server reads its clock from `file`. Only the
/// time of day is set; timeouts use another clock.
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
