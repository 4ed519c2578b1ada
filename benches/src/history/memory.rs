//! How much memory this process takes.

use crate::Result;

/// Resets the peak.
pub(super) fn begin() -> Result<()> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

/// The peak since the reset and the present value, in megabytes.
pub(super) fn highest_and_now() -> Result<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let megabytes = |name: &str| -> Result<u64> {
        let line = status.lines().find(|line| line.starts_with(name));
        let words = line.and_then(|line| line.split_whitespace().nth(1));
        let kilobytes: u64 = words.ok_or("no such line in /proc/self/status")?.parse()?;
        Ok(kilobytes.div_ceil(1_024))
    };
    Ok((megabytes("VmHWM:")?, megabytes("VmRSS:")?))
}
