use std::sync::{Mutex, PoisonError};

/// The longest header name that is compared.
const NAME_MAX: usize = 17;
/// The most digits of a length that are read; HTTP refuses longer ones.
const DIGITS_MAX: u32 = 18;

/// Follows the requests on one connection by their bytes. It finds the first one that
/// gives the length of its body in two ways (`Content-Length` and `Transfer-Encoding`):
/// request smuggling. A proxy in front may have used the other length; what it took for a
/// body would be a second request here.
///
/// The HTTP layer drops one of the two headers before a handler sees the request, so only
/// the bytes show both. If the bytes violate HTTP, the layer ends the connection, and the
/// result for later bytes does not matter.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    scan: Mutex<Scan>,
}

impl Framing {
    /// Takes the next bytes.
    pub(super) fn take(&self, bytes: &[u8]) {
        let mut scan = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        scan.take(bytes);
    }

    /// Whether no incomplete request is pending.
    pub(super) fn is_between_requests(&self) -> bool {
        let scan = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(scan.place, Place::Name) && scan.is_line_empty && scan.is_head_empty
    }

    /// The number, from 0, of the head that has begun and is not complete.
    pub(super) fn head_under_way(&self) -> Option<u64> {
        let scan = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        let is_head = matches!(scan.place, Place::Name | Place::Value(_) | Place::Line);
        (is_head && !scan.is_head_empty).then_some(scan.heads)
    }

    /// Whether request `number` of this connection, from 0, gives its length in two ways.
    pub(crate) fn is_ambiguous(&self, number: u64) -> bool {
        let scan = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        scan.ambiguous == Some(number)
    }
}

/// The position of the next byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a line of a head.
    Name,
    /// Behind the name of a header that gives a length.
    Value(LengthHeader),
    /// In the rest of a header line that gives no length.
    Line,
    /// In a body of this many more bytes.
    Body(u64),
    /// In the digits of a chunk size.
    ChunkSize,
    /// In a chunk extension.
    ChunkExtension,
    /// In a chunk of this many more bytes, including the end of its line.
    Chunk(u64),
    /// In the trailer lines behind the last chunk.
    Trailer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LengthHeader {
    Length,
    Encoding,
}

#[derive(Debug)]
struct Scan {
    place: Place,
    /// How many heads are complete.
    heads: u64,
    ambiguous: Option<u64>,
    /// The length in the present head, if any.
    length: Option<u64>,
    is_chunked: bool,
    is_head_empty: bool,
    /// The beginning of the line, in lower case.
    name: [u8; NAME_MAX],
    name_length: usize,
    is_line_empty: bool,
    number: u64,
    digits: u32,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            place: Place::Name,
            heads: 0,
            ambiguous: None,
            length: None,
            is_chunked: false,
            is_head_empty: true,
            name: [0; NAME_MAX],
            name_length: 0,
            is_line_empty: true,
            number: 0,
            digits: 0,
        }
    }
}

impl Scan {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.place {
                Place::Body(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.place = Place::Body(left);
                    if left == 0 {
                        self.begin_head();
                    }
                    rest
                }
                Place::Chunk(left) => {
                    let (left, rest) = skip(left, bytes);
                    self.place = Place::Chunk(left);
                    if left == 0 {
                        self.begin_number(Place::ChunkSize);
                    }
                    rest
                }
                Place::Line => match end_of_line(bytes) {
                    Some(rest) => {
                        self.begin_line();
                        rest
                    }
                    None => &[],
                },
                Place::Name => {
                    self.name(byte);
                    rest
                }
                Place::Value(header) => {
                    self.value(header, byte);
                    rest
                }
                Place::ChunkSize => {
                    self.chunk_size(byte);
                    rest
                }
                Place::ChunkExtension => {
                    if byte == b'\n' {
                        self.begin_chunk();
                    }
                    rest
                }
                Place::Trailer => {
                    self.trailer(byte);
                    rest
                }
            };
        }
    }

    fn name(&mut self, byte: u8) {
        match byte {
            b'\n' if self.is_line_empty => self.end_head(),
            b'\n' => self.begin_line(),
            b'\r' => {}
            b':' => {
                let name = self.name.get(..self.name_length).unwrap_or_default();
                let header = match name {
                    b"content-length" => Some(LengthHeader::Length),
                    b"transfer-encoding" => Some(LengthHeader::Encoding),
                    _ => None,
                };
                self.begin_number(header.map_or(Place::Line, Place::Value));
            }
            _ => {
                self.is_line_empty = false;
                self.is_head_empty = false;
                match self.name.get_mut(self.name_length) {
                    Some(place) => {
                        *place = byte.to_ascii_lowercase();
                        self.name_length = self.name_length.saturating_add(1);
                    }
                    None => self.place = Place::Line,
                }
            }
        }
    }

    fn value(&mut self, header: LengthHeader, byte: u8) {
        match (header, byte) {
            (LengthHeader::Length, b'\n') => {
                self.length = Some(self.number);
                self.begin_line();
            }
            (LengthHeader::Encoding, b'\n') => {
                self.is_chunked = true;
                self.begin_line();
            }
            (LengthHeader::Length, b'0'..=b'9') => self.digit(10, byte),
            (LengthHeader::Length | LengthHeader::Encoding, _) => {}
        }
    }

    fn digit(&mut self, base: u64, byte: u8) {
        let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
        if self.digits < DIGITS_MAX {
            self.digits = self.digits.saturating_add(1);
            self.number = self.number.saturating_mul(base).saturating_add(digit);
        }
    }

    fn chunk_size(&mut self, byte: u8) {
        match byte {
            b'\n' => self.begin_chunk(),
            byte if byte.is_ascii_hexdigit() => self.digit(16, byte),
            b'\r' => {}
            _ => self.place = Place::ChunkExtension,
        }
    }

    fn begin_chunk(&mut self) {
        self.is_line_empty = true;
        self.place = match self.number {
            0 => Place::Trailer,
            // The line end behind the chunk has two bytes.
            size => Place::Chunk(size.saturating_add(2)),
        };
    }

    fn trailer(&mut self, byte: u8) {
        match byte {
            b'\n' if self.is_line_empty => self.begin_head(),
            b'\n' => self.is_line_empty = true,
            b'\r' => {}
            _ => self.is_line_empty = false,
        }
    }

    fn begin_number(&mut self, place: Place) {
        (self.number, self.digits) = (0, 0);
        self.place = place;
    }

    fn begin_line(&mut self) {
        self.place = Place::Name;
        self.name_length = 0;
        self.is_line_empty = true;
    }

    fn begin_head(&mut self) {
        self.begin_line();
        self.length = None;
        self.is_chunked = false;
        self.is_head_empty = true;
    }

    /// An empty line: the head is complete, unless there was none before it.
    fn end_head(&mut self) {
        if self.is_head_empty {
            return;
        }
        if self.is_chunked && self.length.is_some() && self.ambiguous.is_none() {
            self.ambiguous = Some(self.heads);
        }
        self.heads = self.heads.saturating_add(1);
        match (self.is_chunked, self.length) {
            (true, _) => self.begin_number(Place::ChunkSize),
            (false, None | Some(0)) => self.begin_head(),
            (false, Some(length)) => self.place = Place::Body(length),
        }
    }
}

/// Skips at most `left` bytes.
fn skip(left: u64, bytes: &[u8]) -> (u64, &[u8]) {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let passed = u64::try_from(here).unwrap_or(u64::MAX);
    let rest = bytes.get(here..).unwrap_or_default();
    (left.saturating_sub(passed), rest)
}

/// The bytes behind the line end, if there is one.
fn end_of_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    bytes.get(end.saturating_add(1)..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const SIZED: &str = "POST /a HTTP/1.1\r\nContent-Length: 5\r\nHost: a\r\n\r\nabcde";
    const CHUNKED: &str = "POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                           a;x=1\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
    const BOTH: &str = "POST /c HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                        0\r\n\r\n";
    const TURNED: &str = "POST /c HTTP/1.1\r\ntransfer-encoding:chunked\r\ncontent-length:4\r\n\r\n\
                          0\r\n\r\n";

    /// The request that gives its length in two ways; the bytes arrive in parts of
    /// `size`.
    fn ambiguous(text: &str, size: usize) -> Option<u64> {
        let framing = Framing::default();
        for part in text.as_bytes().chunks(size) {
            framing.take(part);
        }
        (0..9).find(|number| framing.is_ambiguous(*number))
    }

    #[test]
    fn a_length_given_twice_is_found_wherever_it_stands_and_however_it_comes() {
        for size in 1..90 {
            for both in [BOTH, TURNED] {
                assert_eq!(ambiguous(both, size), Some(0), "{size}");
                let third = format!("{SIZED}\r\n{CHUNKED}{both}{PLAIN}");
                assert_eq!(ambiguous(&third, size), Some(2), "{size}");
            }
            let lines = BOTH.replace("\r\n", "\n");
            assert_eq!(ambiguous(&lines, size), Some(0), "{size}");
        }
    }

    #[test]
    fn a_body_that_reads_like_a_request_is_a_body() {
        let length = BOTH.len();
        let sized = format!("POST /a HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{BOTH}");
        let chunked = format!(
            "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BOTH}\r\n0\r\n\r\n"
        );
        let header = "GET / HTTP/1.1\r\nX-A: Transfer-Encoding: chunked, Content-Length: 1\r\n\r\n";
        for size in 1..90 {
            for text in [&sized, &chunked, header] {
                assert_eq!(ambiguous(text, size), None, "{size} {text}");
                assert_eq!(
                    ambiguous(&format!("{text}{TURNED}"), size),
                    Some(1),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn it_knows_whether_a_request_is_complete() {
        for text in [PLAIN, SIZED, CHUNKED] {
            let framing = Framing::default();
            assert!(framing.is_between_requests());
            for byte in text.as_bytes() {
                framing.take(std::slice::from_ref(byte));
                let is_complete = framing.is_between_requests();
                let is_last = std::ptr::eq(byte, text.as_bytes().last().unwrap());
                assert_eq!(is_complete, is_last, "{text}");
            }
        }
    }

    #[test]
    fn it_knows_which_head_is_under_way() {
        let framing = Framing::default();
        let all = format!("\r\n{SIZED}{CHUNKED}\r\n{PLAIN}");
        let mut heads = Vec::new();
        for byte in all.as_bytes() {
            framing.take(std::slice::from_ref(byte));
            heads.push(framing.head_under_way());
        }
        let count = |number| heads.iter().filter(|head| **head == number).count();
        let head_of = |text: &str| text.find("\r\n\r\n").unwrap() + 3;
        for (number, text) in (0_u64..).zip([SIZED, CHUNKED, PLAIN]) {
            // All of its bytes but the last.
            assert_eq!(count(Some(number)), head_of(text), "{text}");
        }
        assert_eq!(heads.first(), Some(&None), "an empty line begins none");
        assert_eq!(heads.last(), Some(&None));
    }
}
