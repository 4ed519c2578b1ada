//! The parsers of single settings.

use std::net::SocketAddr;
use std::str::FromStr;

use wallet_core::{Currency, Timestamp};

/// The address of the administration's listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminListen {
    /// No listener: there are no metrics.
    Off,
    /// This address.
    At(SocketAddr),
}

impl FromStr for AdminListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map(Self::At);
        address.map_err(|_| "expected ADDRESS:PORT or off".to_owned())
    }
}

pub(super) fn currency(text: &str) -> Result<Currency, String> {
    let expected = "expected CODE:DECIMALS, such as BTC:8";
    let (code, decimals) = text.split_once(':').ok_or(expected)?;
    let decimals = decimals.parse().map_err(|_| expected)?;
    Currency::new(code, decimals).map_err(|error| error.to_string())
}

pub(super) fn fifo(text: &str) -> Result<String, String> {
    if cfg!(not(feature = "aws")) {
        return Err("built without the feature aws".to_owned());
    }
    let is_fifo = text.starts_with("http") && text.strip_suffix(".fifo").is_some();
    let found = is_fifo.then(|| text.to_owned());
    found.ok_or_else(|| "expected the URL of a FIFO queue: https://... .fifo".to_owned())
}

pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

pub(super) fn head_size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| *size >= 8_192);
    size.ok_or_else(|| "expected a number of at least 8192".to_owned())
}

/// Reads a time in RFC 3339.
///
/// # Errors
/// What is wrong, in words.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp = text.parse().map_err(|error| format!("{error}"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}
