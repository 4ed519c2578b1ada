use thiserror::Error;

/// The name of a setting that is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the setting {0} makes no sense")]
pub struct SettingError(pub(crate) &'static str);

/// The first setting that is not valid, by name.
pub(crate) fn check<const N: usize>(checks: [(&'static str, bool); N]) -> Result<(), SettingError> {
    let mut faults = checks.into_iter().filter(|(_, is_sound)| !is_sound);
    match faults.next() {
        Some((name, _)) => Err(SettingError(name)),
        None => Ok(()),
    }
}
