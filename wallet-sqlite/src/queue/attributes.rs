//! The stored form of a message's attributes: of each name and value its length in bytes
//! (four bytes, big-endian), then its bytes.

use crate::error::{Result, corrupt};

const DAMAGED: &str = "the attributes of a message are damaged";

type Attributes = Vec<(String, String)>;

pub(super) fn encode(attributes: &[(String, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in attributes.iter().flat_map(|(name, value)| [name, value]) {
        // The sum of a message's lengths is limited before.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

pub(super) fn decode(mut bytes: &[u8]) -> Result<Attributes> {
    let mut attributes = Vec::new();
    while !bytes.is_empty() {
        let (name, rest) = text(bytes).ok_or_else(|| corrupt(DAMAGED))?;
        let (value, rest) = text(rest).ok_or_else(|| corrupt(DAMAGED))?;
        attributes.push((name, value));
        bytes = rest;
    }
    Ok(attributes)
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    let text = std::str::from_utf8(text).ok()?;
    Some((text.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_read_back_whole_and_a_cut_is_seen() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = vec![pair("type", "credited"), pair("note", ""), pair("ü", "€")];
        let bytes = encode(&all);
        assert_eq!(decode(&bytes).unwrap(), all);
        assert_eq!(decode(&[]).unwrap(), []);
        let whole = [1, 2, 3].map(|count| encode(&all[..count]).len());
        for end in 1..bytes.len() {
            assert_eq!(decode(&bytes[..end]).is_ok(), whole.contains(&end), "{end}");
        }
        assert!(decode(&[0, 0, 0, 1, 0xFF, 0, 0, 0, 0]).is_err());
    }
}
