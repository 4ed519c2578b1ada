//! Says which versions of SQLite have the WAL-reset fault: a commit that restarts the log while a
//! checkpoint of another connection begins. The checkpoint then counts pages as copied that
//! it has not copied. See ADR 31.

/// What an operator can do about it.
pub(crate) const REMEDY: &str = "link SQLite 3.51.3 or later (or 3.50.7, 3.44.6)";

/// Whether SQLite of this version (`3_046_000` is 3.46.0) has the fault. The fix is in 3.51.3
/// and later, and in patches of 3.50 and 3.44.
pub(crate) const fn is_in(version: i32) -> bool {
    match version {
        3_044_006..=3_044_999 | 3_050_007..=3_050_999 => false,
        _ => version < 3_051_003,
    }
}
