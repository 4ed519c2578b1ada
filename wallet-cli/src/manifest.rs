//! The manifest beside a backup: what the backup holds, and what identifies it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wallet_core::ledger::CurrencyCode;
use wallet_core::{Currency, LedgerId, Timestamp};
use wallet_sqlite::{Backup, Census, LastCommit, LedgerSum, RowCounts};

use crate::CliError;

const FORMAT: u32 = 1;
const KIND: &str = "wallet-sqlite-backup";
/// The largest manifest that is read: some 200,000 trial balances.
const BYTES_MAX: u64 = 64 << 20;

/// A manifest as JSON. Sums are texts, because they exceed the number range of most JSON
/// parsers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    kind: String,
    begun_at_micros: i64,
    file: String,
    bytes: u64,
    sha256: String,
    last_commit: Option<Commit>,
    balances: Vec<Balance>,
    rows: Rows,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commit {
    number: i64,
    at_micros: i64,
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Balance {
    ledger: u32,
    currency: String,
    decimals: u8,
    accounts: u64,
    entries: u64,
    effects: u64,
    debits_posted: String,
    credits_posted: String,
    debits_pending: String,
    credits_pending: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    accounts: u64,
    transfers: u64,
    references: u64,
    reversals: u64,
    holds: u64,
    open_holds: u64,
    currencies: u64,
    outcomes: u64,
    keys: u64,
}

/// The default path of a backup's manifest.
pub(crate) fn beside(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// Writes a new file of mode 0600, flushed to disk with its folder.
pub(crate) fn write(path: &Path, file: &Path, backup: &Backup) -> Result<(), CliError> {
    let bad = |why: String| bad(path, why);
    let manifest = Manifest::of(file, backup);
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| bad(error.to_string()))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path).map_err(|error| bad(error.to_string()))?;
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.sync_all())
        .and_then(|()| flush_folder(path));
    written.map_err(|error| {
        // An incomplete manifest must not look like a complete one.
        let _ = std::fs::remove_file(path);
        bad(error.to_string())
    })
}

fn flush_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Reads a manifest that `write` wrote.
pub(crate) fn read(path: &Path) -> Result<Backup, CliError> {
    let bad = |why: String| bad(path, why);
    let file = File::open(path).map_err(|error| bad(error.to_string()))?;
    let mut text = String::new();
    let read = file.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| bad(error.to_string()))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    manifest.backup().map_err(bad)
}

fn bad(path: &Path, why: String) -> CliError {
    let path = path.to_owned();
    CliError::Manifest { path, why }
}

impl Manifest {
    fn of(file: &Path, backup: &Backup) -> Self {
        let Backup {
            begun_at,
            bytes,
            sha256,
            census: Census { last, sums, rows },
        } = backup;
        let name = file.file_name().unwrap_or_default();
        Self {
            format: FORMAT,
            kind: KIND.to_owned(),
            begun_at_micros: begun_at.as_micros(),
            file: name.to_string_lossy().into_owned(),
            bytes: *bytes,
            sha256: hex(sha256),
            last_commit: last.map(|last| Commit {
                number: last.number,
                at_micros: last.at.as_micros(),
                sha256: hex(&last.sha256),
            }),
            balances: sums.iter().map(Balance::of).collect(),
            rows: Rows::of(rows),
        }
    }

    fn backup(&self) -> Result<Backup, String> {
        if self.kind != KIND || self.format != FORMAT {
            return Err(format!("it is no {KIND} of format {FORMAT}"));
        }
        let last = self.last_commit.as_ref().map(|last| {
            Ok::<_, String>(LastCommit {
                number: last.number,
                at: Timestamp::from_micros(last.at_micros),
                sha256: unhex(&last.sha256)?,
            })
        });
        let sums: Result<Vec<LedgerSum>, String> = self.balances.iter().map(Balance::sum).collect();
        Ok(Backup {
            begun_at: Timestamp::from_micros(self.begun_at_micros),
            bytes: self.bytes,
            sha256: unhex(&self.sha256)?,
            census: Census {
                last: last.transpose()?,
                sums: sums?,
                rows: self.rows.counts(),
            },
        })
    }
}

impl Balance {
    fn of(sum: &LedgerSum) -> Self {
        Self {
            ledger: sum.ledger.number(),
            currency: sum.currency.code().as_str().to_owned(),
            decimals: sum.currency.exponent(),
            accounts: sum.accounts,
            entries: sum.entries,
            effects: sum.effects,
            debits_posted: sum.debits_posted.to_string(),
            credits_posted: sum.credits_posted.to_string(),
            debits_pending: sum.debits_pending.to_string(),
            credits_pending: sum.credits_pending.to_string(),
        }
    }

    fn sum(&self) -> Result<LedgerSum, String> {
        let code = CurrencyCode::new(&self.currency).map_err(|error| error.to_string())?;
        let currency =
            Currency::from_parts(code, self.decimals).map_err(|error| error.to_string())?;
        let number = |text: &str| text.parse::<i128>().map_err(|error| error.to_string());
        Ok(LedgerSum {
            ledger: LedgerId::new(self.ledger),
            currency,
            accounts: self.accounts,
            entries: self.entries,
            effects: self.effects,
            debits_posted: number(&self.debits_posted)?,
            credits_posted: number(&self.credits_posted)?,
            debits_pending: number(&self.debits_pending)?,
            credits_pending: number(&self.credits_pending)?,
        })
    }
}

impl Rows {
    const fn of(counts: &RowCounts) -> Self {
        Self {
            accounts: counts.accounts,
            transfers: counts.transfers,
            references: counts.references,
            reversals: counts.reversals,
            holds: counts.holds,
            open_holds: counts.open_holds,
            currencies: counts.currencies,
            outcomes: counts.outcomes,
            keys: counts.keys,
        }
    }

    const fn counts(&self) -> RowCounts {
        RowCounts {
            accounts: self.accounts,
            transfers: self.transfers,
            references: self.references,
            reversals: self.reversals,
            holds: self.holds,
            open_holds: self.open_holds,
            currencies: self.currencies,
            outcomes: self.outcomes,
            keys: self.keys,
        }
    }
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Result<[u8; 32], String> {
    let bad = || "a SHA-256 is not 64 hexadecimal digits".to_owned();
    if text.len() != 64 || !text.is_ascii() {
        return Err(bad());
    }
    let mut bytes = [0; 32];
    for (byte, index) in bytes.iter_mut().zip((0_usize..).step_by(2)) {
        let digits = text.get(index..index.saturating_add(2)).ok_or_else(bad)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
    }
    Ok(bytes)
}
