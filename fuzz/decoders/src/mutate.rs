use fastrand::Rng;

/// Bytes and texts that are special to decoders.
const WORDS: [&[u8]; 28] = [
    b"-1",
    b"0",
    b"1e9",
    b"9999999999999999999999999999",
    b"170141183460469231731687303715884105727",
    b"9223372036854775807",
    b"18446744073709551616",
    b"null",
    b"true",
    b"\"\"",
    b"{}",
    b"[]",
    b"\\u0000",
    b"\xf0\x9f\x92\xb8",
    b"\xff",
    b"\x00",
    b"\n",
    b"%00",
    b"%2e%2e",
    b"?cursor=",
    b"&limit=500",
    b"\"",
    b"\\",
    b".",
    b"+",
    b"EUR",
    b"@",
    b":",
];

/// One of `corpus`, changed a little: the same for the same state of `rng`.
#[must_use]
pub fn mutated(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = corpus[rng.usize(0..corpus.len())].clone();
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(0..=bytes.len());
        match rng.u8(0..7) {
            0 => bytes.insert(at, rng.u8(..)),
            1 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            2 if at < bytes.len() => bytes[at] = rng.u8(..),
            3 => bytes.truncate(at),
            4 => {
                let end = rng.usize(at..=bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let word = WORDS[rng.usize(0..WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
            _ => {
                let other = &corpus[rng.usize(0..corpus.len())];
                let from = rng.usize(0..=other.len());
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
        }
    }
    bytes.truncate(20_000);
    bytes
}
