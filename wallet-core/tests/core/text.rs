//! Texts and metadata: a text that a database could refuse is refused earlier.

use proptest::prelude::*;
use serde_json::{Value, json};
use wallet_core::ledger::{Description, KeyScope, KeyText, RecordKey, TextError};
use wallet_core::{IdempotencyKey, LedgerId, Metadata, Owner, Reference, SettlementName};

type Check = fn(&str) -> Result<String, TextError>;

/// Every type of text, its greatest length, and whether it takes any letter.
const TYPES: [(&str, usize, bool, Check); 6] = [
    ("owner", 128, true, |text| {
        Owner::new(text).map(|text| text.to_string())
    }),
    ("reference", 128, true, |text| {
        Reference::new(text).map(|text| text.to_string())
    }),
    ("description", 512, true, |text| {
        Description::new(text).map(|text| text.to_string())
    }),
    ("settlement", 32, false, |text| {
        SettlementName::new(text).map(|text| text.to_string())
    }),
    ("scope", 64, false, |text| {
        KeyScope::new(text).map(|text| text.to_string())
    }),
    ("key", 255, false, |text| {
        KeyText::new(text).map(|text| text.to_string())
    }),
];

#[test]
fn a_text_has_one_byte_up_to_its_greatest_length() {
    for (name, max_bytes, _, check) in TYPES {
        assert_eq!(check(""), Err(TextError::Empty), "{name}");
        for text in ["a".to_owned(), "a".repeat(max_bytes)] {
            assert_eq!(check(&text), Ok(text.clone()), "{name}");
        }
        let too_long = check(&"a".repeat(max_bytes + 1));
        assert_eq!(too_long, Err(TextError::TooLong { max_bytes }), "{name}");
    }
}

#[test]
fn lengths_are_counted_in_bytes() {
    for (name, max_bytes, any_letter, check) in TYPES {
        if any_letter {
            let fits = "é".repeat(max_bytes / 2);
            assert_eq!(check(&fits), Ok(fits.clone()), "{name}");
            let too_long = check(&"é".repeat(max_bytes / 2 + 1));
            assert_eq!(too_long, Err(TextError::TooLong { max_bytes }), "{name}");
        }
    }
}

#[test]
fn control_characters_are_refused_everywhere() {
    for (name, _, _, check) in TYPES {
        for bad in [
            '\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}',
        ] {
            for text in [format!("{bad}"), format!("a{bad}b"), format!("a{bad}")] {
                assert_eq!(
                    check(&text),
                    Err(TextError::BadCharacter { found: bad }),
                    "{name} {bad:?}"
                );
            }
        }
    }
}

#[test]
fn letters_beyond_ascii_stand_only_where_people_write() {
    for (name, _, any_letter, check) in TYPES {
        for text in ["Zoë", "漢字", "🪙", "ß"] {
            assert_eq!(check(text).is_ok(), any_letter, "{name} {text}");
        }
    }
}

#[test]
fn the_narrow_types_take_exactly_their_characters() {
    for code in 0_u8..=127 {
        let text = char::from(code).to_string();
        let is_name = matches!(code, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        assert_eq!(SettlementName::new(&text).is_ok(), is_name, "{text:?}");
        let is_visible = (0x21..=0x7e).contains(&code);
        assert_eq!(KeyScope::new(&text).is_ok(), is_visible, "{text:?}");
        let is_key = is_visible || code == b' ';
        assert_eq!(KeyText::new(&text).is_ok(), is_key, "{text:?}");
    }
}

#[test]
fn scope_text_and_item_make_different_keys() {
    let key = |scope: &str, text: &str| {
        IdempotencyKey::new(KeyScope::new(scope).unwrap(), KeyText::new(text).unwrap())
    };
    let ledger = LedgerId::new(0);
    let keys = [
        key("a", "bc").record_key(ledger),
        key("ab", "c").record_key(ledger),
        key("a", "b").record_key(ledger),
        key("a", "b").item(0).record_key(ledger),
        key("a", "b").item(1).record_key(ledger),
        key("a", "b").record_key(LedgerId::new(1)),
        RecordKey::of_expiry(ledger, wallet_core::HoldId::from_bytes([1; 16])),
        RecordKey::of_expiry(ledger, wallet_core::HoldId::from_bytes([2; 16])),
    ];
    for (index, first) in keys.iter().enumerate() {
        for second in &keys[index + 1..] {
            assert_ne!(first, second);
        }
    }
}

fn parse(json: &str) -> Result<String, TextError> {
    Metadata::parse(json).map(|metadata| metadata.as_str().to_owned())
}

#[test]
fn metadata_is_kept_without_blanks_and_with_sorted_keys() {
    for (json, canonical) in [
        ("{}", "{}"),
        (
            " { \"b\" : 1 ,\n \"a\" : [ 1 , 2 ] } ",
            r#"{"a":[1,2],"b":1}"#,
        ),
        (
            r#"{"a":{"z":null,"y":true}}"#,
            r#"{"a":{"y":true,"z":null}}"#,
        ),
        (r#"{"é":1,"z":2,"Z":3}"#, r#"{"Z":3,"z":2,"é":1}"#),
        (r#"{"\u0061":"\u00e9\/"}"#, r#"{"a":"é/"}"#),
        (r#"{"a":"\n\u0000\""}"#, r#"{"a":"\n\u0000\""}"#),
    ] {
        assert_eq!(parse(json).as_deref(), Ok(canonical), "{json}");
    }
}

#[test]
fn metadata_must_be_one_json_object() {
    for json in [
        "",
        " ",
        "null",
        "1",
        "\"a\"",
        "[]",
        "[{}]",
        "{",
        "{} {}",
        "{}x",
        "{a:1}",
        "{'a':1}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\n\"}",
    ] {
        assert_eq!(parse(json), Err(TextError::NotAnObject), "{json}");
    }
    let array = Metadata::from_value(&json!([1]));
    assert_eq!(array, Err(TextError::NotAnObject));
}

#[test]
fn metadata_holds_64_bit_integers_and_no_other_numbers() {
    for number in ["0", "-9223372036854775808", "18446744073709551615"] {
        let json = format!("{{\"a\":{number}}}");
        assert_eq!(parse(&json), Ok(json.clone()));
    }
    for number in [
        "1.5",
        "1.0",
        "1e3",
        "1E3",
        "-0",
        "0.1",
        "18446744073709551616",
        "-9223372036854775809",
    ] {
        for json in [
            format!("{{\"a\":{number}}}"),
            format!("{{\"a\":[{{\"b\":{number}}}]}}"),
        ] {
            assert_eq!(parse(&json), Err(TextError::BadNumber), "{json}");
        }
    }
    let float = Metadata::from_value(&json!({ "a": 0.5 }));
    assert_eq!(float, Err(TextError::BadNumber));
}

/// Arrays within one object, `depth` levels in all.
fn nested(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
    format!("{{\"a\":{open}{close}}}")
}

#[test]
fn metadata_nests_eight_levels_deep() {
    assert!(parse(&nested(8)).is_ok());
    assert_eq!(parse(&nested(9)), Err(TextError::TooDeep));
    assert_eq!(parse(&nested(100)), Err(TextError::TooDeep));
    // This is beyond the depth of the JSON parser itself.
    assert!(parse(&nested(2_000)).is_err());
    let objects = "{\"a\":".repeat(9) + "1" + &"}".repeat(9);
    assert_eq!(parse(&objects), Err(TextError::TooDeep));
}

#[test]
fn metadata_is_measured_in_canonical_form() {
    let max_bytes = Metadata::MAX_BYTES;
    let of_length = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    let longest = of_length(max_bytes);
    assert_eq!(longest.len(), max_bytes);
    assert_eq!(parse(&longest), Ok(longest.clone()));
    let too_long = Err(TextError::TooLong { max_bytes });
    assert_eq!(parse(&of_length(max_bytes + 1)), too_long);
    let spaced = format!("{}{{}}", " ".repeat(max_bytes * 2));
    assert_eq!(parse(&spaced).as_deref(), Ok("{}"));
    // It is not even parsed, because such a size is an attack.
    let huge = format!("{}{{}}", " ".repeat(max_bytes * 4));
    assert_eq!(parse(&huge), too_long);
}

/// JSON values without floats, at most a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_says_the_same_and_is_its_own(value in value()) {
        let value = json!({ "value": value });
        if let Ok(metadata) = Metadata::from_value(&value) {
            prop_assert_eq!(serde_json::from_str::<Value>(metadata.as_str()).unwrap(), value);
            prop_assert_eq!(Metadata::parse(metadata.as_str()), Ok(metadata));
        }
    }

    #[test]
    fn any_text_is_metadata_or_refused(text in "\\PC{0,64}|[{}\\[\\]\":,0-9a-e.-]{0,64}") {
        if let Ok(metadata) = Metadata::parse(&text) {
            prop_assert_eq!(Metadata::parse(metadata.as_str()), Ok(metadata));
        }
    }
}

#[test]
fn one_owner_is_spelt_in_one_way() {
    for fine in [
        "ada",
        "own funds",
        "Zo\u{EB}",
        "\u{E5}da",
        "ada\u{591}",
        "a  b",
    ] {
        assert!(Owner::new(fine).is_ok(), "{fine:?}");
    }
    for blank in [
        " ",
        "ada ",
        " ada",
        "\u{A0}ada",
        "a\u{A0}da",
        "a\u{3000}da",
        "a\u{2028}da",
        "\u{2800}",
        "a\u{2800}da",
    ] {
        assert_eq!(Owner::new(blank), Err(TextError::Blank), "{blank:?}");
    }
    // With a combining ring, and the sign of the angstrom.
    for form in ["a\u{30A}da", "\u{212B}da", "\u{1100}\u{1161}"] {
        assert_eq!(Owner::new(form), Err(TextError::NotNormal), "{form:?}");
    }
    for mark in [
        '\u{61C}', '\u{200E}', '\u{200F}', '\u{202A}', '\u{202E}', '\u{2066}', '\u{2069}',
    ] {
        let text = format!("a{mark}da");
        assert_eq!(
            Owner::new(&text),
            Err(TextError::BadCharacter { found: mark }),
            "{mark:?}"
        );
    }
    // The text of a transfer is free.
    assert!(Reference::new("a\u{30A}da ").is_ok());
    assert!(Reference::new("a\u{200D}da\u{AD}").is_ok());
}

/// Each range of the property `Default_Ignorable_Code_Point`, Unicode 16.0, and the signs
/// around an annotation.
const IGNORABLE: [(u32, u32); 18] = [
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1_BCA0, 0x1_BCA3),
    (0x1_D173, 0x1_D17A),
    (0xE_0000, 0xE_0FFF),
    (0xFFF9, 0xFFFB),
];

#[test]
fn a_character_that_is_refused_is_named() {
    let refused = Owner::new("ada\u{200D}").unwrap_err();
    let words = "holds U+200D, a character that is not allowed";
    assert_eq!(refused.to_string(), words);
}

#[test]
fn no_owner_holds_what_nobody_sees() {
    let refusal = |code: u32, text: &str| {
        let c = char::from_u32(code).unwrap();
        Owner::new(&text.replace('?', &c.to_string())).err()
    };
    let mut refused = 0;
    for (first, last) in IGNORABLE {
        for code in first..=last {
            for text in ["?", "settlement?:bank", "?settlement:bank", "a?"] {
                let why = refusal(code, text);
                let found = char::from_u32(code).unwrap();
                let bad = Some(TextError::BadCharacter { found });
                assert_eq!(why, bad, "U+{code:04X} {text}");
            }
            refused += 1;
        }
        for code in [first - 1, last + 1] {
            let is_another = |(first, last): &(u32, u32)| (*first..=*last).contains(&code);
            if !IGNORABLE.iter().any(is_another) {
                let why = refusal(code, "a?b");
                let is_bad = matches!(why, Some(TextError::BadCharacter { .. }));
                assert!(!is_bad, "U+{code:04X}");
            }
        }
    }
    // The property has 4174.
    assert_eq!(refused, 4_174 + 3);
}

#[test]
fn metadata_has_each_name_once() {
    for twice in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":{"x":[{"y":1,"y":2}]}}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a\"b" : 1 , "a\u0022b" : 2}"#,
        r#"{"":1,"":2}"#,
        r#"{"a":{},"b":[],"a":null}"#,
    ] {
        let found = Metadata::parse(twice);
        assert_eq!(found, Err(TextError::DuplicateName), "{twice}");
    }
    for once in [
        r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#,
        r#"{"a":"a","b":"{\"a\":1,\"a\":2}"}"#,
        r#"{"a":"\\","b":"\\\"","A":1}"#,
        r#"{"a":["a","a"],"":":"}"#,
    ] {
        assert!(Metadata::parse(once).is_ok(), "{once}");
    }
    assert_eq!(Metadata::parse("[1,1]"), Err(TextError::NotAnObject));
}
