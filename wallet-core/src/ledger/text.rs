//! Checked texts. A text that a database could refuse is refused here.

use std::sync::Arc;

use thiserror::Error;

/// The reason why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more bytes of UTF-8 than the type allows.
    #[error("must not exceed {max_bytes} bytes")]
    TooLong {
        /// The greatest length allowed.
        max_bytes: usize,
    },
    /// A control character, or another character that the type does not allow.
    #[error("holds U+{:04X}, a character that is not allowed", u32::from(*.found))]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// The text is not a JSON object.
    #[error("must be a JSON object")]
    NotAnObject,
    /// A number is no 64-bit integer. Floats are not exact.
    #[error("numbers must be 64-bit integers; send other ones as strings")]
    BadNumber,
    /// An object has a name twice.
    #[error("an object in it has a name twice")]
    DuplicateName,
    /// A blank is at an end, or a blank is not the space.
    #[error("must not begin or end with a blank, nor hold another one than the space")]
    Blank,
    /// The text differs from the canonical form of this release.
    #[error("is not in the form in which it is stored")]
    NotCanonical,
    /// The text is not in the normal form NFC: two spellings of one text would be
    /// two texts.
    #[error("must be in the normal form NFC")]
    NotNormal,
    /// Objects or arrays are nested too deeply.
    #[error("is nested too deeply")]
    TooDeep,
}

fn check(text: &str, max_bytes: usize, allowed: fn(char) -> bool) -> Result<(), TextError> {
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.len() > max_bytes {
        Err(TextError::TooLong { max_bytes })
    } else {
        let bad = text.chars().find(|c| !allowed(*c));
        bad.map_or(Ok(()), |found| Err(TextError::BadCharacter { found }))
    }
}

/// Whether a character is invisible. With such a character, one text can look like
/// another text or like an empty one. These are the characters with the property
/// `Default_Ignorable_Code_Point` of Unicode 16.0 (`DerivedCoreProperties.txt`):
/// soft hyphen, joiners, fillers, selectors of variants and tags. The marks,
/// embeddings, overrides and isolates that turn the direction of a text belong to
/// them too.
const fn shows_as_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
            // The signs around an annotation: not in the property, but invisible too.
            | '\u{FFF9}'..='\u{FFFB}'
    )
}

/// Whether a character is a blank: Unicode white space, or the Braille pattern
/// without a dot.
const fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Checks the rules for an owner beyond its single characters.
fn owner(text: &str) -> Result<(), TextError> {
    let ends = [text.chars().next(), text.chars().next_back()];
    let is_blank_at_an_end = ends.into_iter().flatten().any(is_blank);
    if is_blank_at_an_end || text.chars().any(|c| c != ' ' && is_blank(c)) {
        Err(TextError::Blank)
    } else if !unicode_normalization::is_nfc(text) {
        Err(TextError::NotNormal)
    } else {
        Ok(())
    }
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $allowed:expr $(, $more:expr)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The greatest length, in bytes of UTF-8.
            pub const MAX_BYTES: usize = $max;

            /// Checks `text` and builds the type from it.
            ///
            /// # Errors
            /// [`TextError`] when the text is empty, too long, or holds a character that
            /// is not allowed. An owner is also refused for its blanks and its normal
            /// form.
            pub fn new(text: &str) -> Result<Self, TextError> {
                check(text, Self::MAX_BYTES, $allowed)?;
                $($more(text)?;)?
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }
    };
}

text! {
    /// The owner of an account, in the host's own terms: 1 to 128 bytes in the
    /// normal form NFC, so that one owner has one spelling. It has no control
    /// character, no blank at either end, and no other blank than the space (the
    /// Braille pattern U+2800 is a blank). It has no invisible character: none with
    /// Unicode's property `Default_Ignorable_Code_Point`, such as joiners and the
    /// selectors of emoji, and none of U+FFF9 to U+FFFB. So no invisible character
    /// makes an owner look empty or like another owner. Owners with letters that
    /// look alike stay different owners.
    ///
    /// ```
    /// use wallet_core::Owner;
    /// use wallet_core::ledger::TextError;
    /// assert!(Owner::new("Zoë van Dijk").is_ok());
    /// // A zero width space, a filler of Hangul that shows as nothing.
    /// for hidden in ["settlement\u{200B}:bank", "\u{3164}"] {
    ///     assert!(matches!(Owner::new(hidden), Err(TextError::BadCharacter { .. })));
    /// }
    /// assert_eq!(Owner::new("\u{2800}"), Err(TextError::Blank));
    /// ```
    Owner, 128, |c| !c.is_control() && !shows_as_nothing(c), owner
}
text! {
    /// The host's reference of a transfer or hold (an order number). It is indexed.
    /// 1 to 128 bytes, no control characters.
    Reference, 128, |c| !c.is_control()
}
text! {
    /// A description for a statement: 1 to 512 bytes, no control characters.
    Description, 512, |c| !c.is_control()
}
text! {
    /// Names a settlement account, such as `bank` or `card`: 1 to 32 of
    /// `a-z 0-9 _ -`.
    SettlementName, 32,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-'
}
text! {
    /// The scope of idempotency keys (an API client, a user): 1 to 64 printable
    /// ASCII characters. Equal keys in different scopes are different keys.
    KeyScope, 64, |c| c.is_ascii_graphic()
}
text! {
    /// The text of an idempotency key, as the caller gave it: 1 to 255 printable
    /// ASCII characters, blanks allowed.
    KeyText, 255, |c| c.is_ascii_graphic() || c == ' '
}
text! {
    /// The operator or program that raised an epoch (a name, a run of a script): 1
    /// to 128 bytes, no control characters.
    RaisedBy, 128, |c| !c.is_control()
}
text! {
    /// The name of a lock: 1 to 128 bytes, no control characters.
    LockName, 128, |c| !c.is_control()
}
text! {
    /// The holder of a lock (a process, a task of it), different for each
    /// competitor: 1 to 128 bytes, no control characters.
    LockOwner, 128, |c| !c.is_control()
}
text! {
    /// The scope of rate limits that are checked together (a tenant, an API
    /// client): 1 to 128 bytes, no control characters. Equal limits in different
    /// scopes are counted separately.
    LimitScope, 128, |c| !c.is_control()
}
text! {
    /// The name of a limit within its scope, such as `account:42`: 1 to 128 bytes,
    /// no control characters.
    LimitName, 128, |c| !c.is_control()
}
text! {
    /// The user of a session, in the host's own terms: 1 to 128 bytes, no control
    /// characters.
    SessionUser, 128, |c| !c.is_control()
}
