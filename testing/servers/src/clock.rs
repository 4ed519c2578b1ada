//! A settable clock for a server: libfaketime, preloaded before the C library.

use std::path::{Path, PathBuf};

/// Where packages install the library.
const FOLDERS: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
    "/usr/lib/faketime",
];

/// The library that shows a process another time, for `LD_PRELOAD`.
///
/// # Panics
/// If it is not installed.
#[must_use]
pub fn faketime() -> PathBuf {
    let libraries = FOLDERS.map(|folder| PathBuf::from(folder).join("libfaketimeMT.so.1"));
    let library = libraries.into_iter().find(|library| library.exists());
    library.expect("libfaketime, which scripts/setup installs")
}

/// The environment variables with which a server reads its clock from `file`. Only the
/// time of day is set; timeouts use another clock.
pub(crate) fn variables(file: &Path) -> [String; 5] {
    [
        format!("LD_PRELOAD={}", faketime().display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", file.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "FAKETIME_DONT_RESET=1".to_owned(),
    ]
}
