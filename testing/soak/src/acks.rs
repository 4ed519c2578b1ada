//! The answers that callers received, in a file per host. What a process wrote stays
//! after it is killed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::Path;

use wallet_core::TransferId;

use crate::Result;

const BYTES: usize = 24;

/// One answer: the request of `round` of `caller` was accepted with this
/// transfer, or without one, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) caller: u16,
    pub(crate) round: u32,
    pub(crate) is_accepted: bool,
    pub(crate) transfer: Option<TransferId>,
}

impl Ack {
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[0..2].copy_from_slice(&self.caller.to_be_bytes());
        bytes[2] = u8::from(self.is_accepted);
        bytes[3] = u8::from(self.transfer.is_some());
        bytes[4..8].copy_from_slice(&self.round.to_be_bytes());
        if let Some(id) = self.transfer {
            bytes[8..].copy_from_slice(id.as_bytes());
        }
        bytes
    }

    fn of_bytes(bytes: [u8; BYTES]) -> Self {
        let [caller @ .., _, _, _, _, _, _] = *bytes.first_chunk::<8>().unwrap_or(&[0; 8]);
        let [_, _, accepted, has_transfer, round @ .., _, _, _, _] =
            *bytes.first_chunk::<12>().unwrap_or(&[0; 12]);
        let id = *bytes.last_chunk::<16>().unwrap_or(&[0; 16]);
        Self {
            caller: u16::from_be_bytes(caller),
            round: u32::from_be_bytes(round),
            is_accepted: accepted == 1,
            transfer: (has_transfer == 1).then(|| TransferId::from_bytes(id)),
        }
    }
}

/// The file, to which one process at a time appends.
#[derive(Debug)]
pub(crate) struct Acks(File);

impl Acks {
    /// Continues the file; removes a line that a killed process left incomplete.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let whole = file.metadata()?.len() / 24 * 24;
        file.set_len(whole)?;
        Ok(Self(file))
    }

    /// Appends an answer before the caller receives it.
    pub(crate) fn note(&mut self, ack: Ack) -> Result<()> {
        Ok(self.0.write_all(&ack.to_bytes())?)
    }
}

/// Reads all answers of a file, in order.
pub(crate) fn read(path: &Path, mut each: impl FnMut(Ack)) -> Result<()> {
    let Ok(file) = File::open(path) else {
        return Ok(());
    };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut bytes = [0; BYTES];
    loop {
        match reader.read_exact(&mut bytes) {
            Ok(()) => each(Ack::of_bytes(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The next round of each caller.
pub(crate) fn next_rounds(path: &Path) -> Result<BTreeMap<u16, u32>> {
    let mut next = BTreeMap::new();
    read(path, |ack| {
        next.insert(ack.caller, ack.round + 1);
    })?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_again_and_half_of_one_is_not() {
        let path = std::env::temp_dir().join(format!("wallet-acks-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let ack = |caller, round, transfer: Option<u8>| Ack {
            caller,
            round,
            is_accepted: transfer.is_some() || round == 9,
            transfer: transfer.map(|byte| TransferId::from_bytes([byte; 16])),
        };
        let first = [ack(1, 7, Some(3)), ack(2, 8, None), ack(2, 9, None)];
        let mut acks = Acks::open(&path).unwrap();
        for ack in first {
            acks.note(ack).unwrap();
        }
        // A process was killed in the middle of a line.
        acks.0.write_all(&[1; 10]).unwrap();
        let mut acks = Acks::open(&path).unwrap();
        acks.note(ack(1, 8, Some(4))).unwrap();
        let mut found = Vec::new();
        read(&path, |ack| found.push(ack)).unwrap();
        assert_eq!(found, [&first[..], &[ack(1, 8, Some(4))]].concat());
        assert_eq!(next_rounds(&path).unwrap(), [(1, 9), (2, 10)].into());
        std::fs::remove_file(path).unwrap();
    }
}
