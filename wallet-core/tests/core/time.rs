//! Times as texts of RFC 3339, and as times of jiff and chrono.

use proptest::prelude::*;
use wallet_core::Timestamp;
use wallet_core::ledger::TimestampError::{Malformed, NoSuchTime};

/// Times and their texts. Every text sorts as its time does.
const SHOWN: [(i64, &str); 10] = [
    (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
    (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    (-1, "1969-12-31T23:59:59.999999Z"),
    (0, "1970-01-01T00:00:00.000000Z"),
    (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
    (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
    (1_795_869_296_000_001, "2026-11-28T12:34:56.000001Z"),
    (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
];

fn parsed(text: &str) -> Result<i64, wallet_core::ledger::TimestampError> {
    text.parse::<Timestamp>().map(Timestamp::as_micros)
}

#[test]
fn a_time_is_shown_as_rfc_3339_with_six_digits_and_reads_back() {
    for (micros, text) in SHOWN {
        assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        assert_eq!(parsed(text), Ok(micros), "{text}");
    }
    assert!(SHOWN.is_sorted_by_key(|(_, text)| text));
}

#[test]
fn a_year_without_four_digits_is_shown_with_a_sign_and_is_no_rfc_3339() {
    for (micros, text) in [
        (-62_167_219_200_000_001, "-000001-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, "+010000-01-01T00:00:00.000000Z"),
        (i64::MAX, "+294247-01-10T04:00:54.775807Z"),
        (i64::MIN, "-290308-12-21T19:59:05.224192Z"),
    ] {
        assert_eq!(Timestamp::from_micros(micros).to_string(), text);
        assert_eq!(parsed(text), Err(Malformed), "{text}");
    }
}

#[test]
fn every_form_of_rfc_3339_is_read() {
    for (text, micros) in [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01t00:00:01z", 1_000_000),
        ("1970-01-01T00:00:01+00:00", 1_000_000),
        ("1970-01-01T00:00:01-00:00", 1_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("1970-01-01T23:59:00+23:59", 0),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1970-01-01T00:00:00.00000199999999999999999999Z", 1),
        ("1969-12-31T23:59:59.9999999Z", -1),
        // A leap second is the second before it.
        ("1972-06-30T23:59:60Z", 78_796_799_000_000),
        ("0000-01-01T00:00:00+00:01", -62_167_219_260_000_000),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000_000),
    ] {
        assert_eq!(parsed(text), Ok(micros), "{text}");
    }
}

#[test]
fn what_is_no_rfc_3339_is_refused() {
    for text in [
        "",
        "Z",
        "0",
        "1970-01-01",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00Z ",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00ZZ",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+01:00[Europe/Berlin]",
        "19700101T000000Z",
        "70-01-01T00:00:00Z",
        "+1970-01-01T00:00:00Z",
        "1970-1-1T00:00:00Z",
        "1970-01-01T+1:00:00Z",
        "１９７０-01-01T00:00:00Z",
        "1970-01-01T00:00:00é",
        "1970-01-01é00:00:00Z",
    ] {
        assert_eq!(parsed(text), Err(Malformed), "{text:?}");
    }
    for text in [
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00-00:60",
    ] {
        assert_eq!(parsed(text), Err(NoSuchTime), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_reads_back_and_sorts_as_the_time(
        one in SHOWN[0].0..=SHOWN[9].0,
        other in SHOWN[0].0..=SHOWN[9].0,
    ) {
        let [one, other] = [one, other].map(Timestamp::from_micros);
        prop_assert_eq!(one.to_string().parse(), Ok(one));
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }

    #[test]
    fn no_text_makes_the_parser_fail(text in "\\PC{0,40}|[0-9TZ:.+-]{0,40}") {
        if let Ok(at) = text.parse::<Timestamp>() {
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }
    }
}

#[cfg(feature = "jiff")]
mod with_jiff {
    use super::*;

    const LAST: i64 = 253_402_207_200_999_999;

    #[test]
    fn jiff_reaches_the_years_to_9999_and_no_further() {
        let of = |micros| jiff::Timestamp::try_from(Timestamp::from_micros(micros));
        assert_eq!(of(LAST).unwrap().as_microsecond(), LAST);
        let out = Err(wallet_core::ledger::TimestampError::OutOfRange);
        assert_eq!(of(LAST + 1), out);
        assert_eq!(of(i64::MIN), out);
    }

    #[test]
    fn a_time_of_jiff_is_cut_towards_the_past() {
        for (nanos, micros) in [
            (0, 0),
            (999, 0),
            (1_000, 1),
            (-1, -1),
            (-1_000, -1),
            (-1_001, -2),
            (-999_999_999, -1_000_000),
            (-1_000_000_000, -1_000_000),
            (-1_000_000_001, -1_000_001),
        ] {
            let at = jiff::Timestamp::from_nanosecond(nanos).unwrap();
            assert_eq!(Timestamp::from(at).as_micros(), micros, "{nanos}");
        }
    }

    proptest! {
        #[test]
        fn jiff_shows_the_same(micros in -377_705_023_201_000_000_i64..=LAST) {
            let at = Timestamp::from_micros(micros);
            let other = jiff::Timestamp::try_from(at).unwrap();
            prop_assert_eq!(at.to_string(), format!("{other:.6}"));
            prop_assert_eq!(Timestamp::from(other), at);
        }

        #[test]
        fn jiff_reads_the_same(
            (year, month, day) in (0..=9_999, 0..=13, 0..=32),
            (hour, minute, second) in (0..=24, 0..=60, 0..=61),
            fraction in "|\\.[0-9]{1,9}",
            (sign, hours, minutes) in ("[+-]", 0..=24, 0..=60),
        ) {
            let text = format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}\
                 {sign}{hours:02}:{minutes:02}"
            );
            // jiff has offsets above a day, and ends a day before the year 9999 does.
            if let Ok(other) = text.parse::<jiff::Timestamp>() {
                let due = if hours < 24 { Ok(Timestamp::from(other)) } else { Err(NoSuchTime) };
                prop_assert_eq!(text.parse(), due, "{}", text);
            } else if let Ok(at) = text.parse::<Timestamp>() {
                prop_assert!(at.as_micros() > LAST, "{}", text);
            }
        }
    }
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use chrono::{DateTime, Utc};

    use super::*;

    #[test]
    fn the_extremes_of_chrono_are_times_and_the_extremes_of_times_are_out_of_its_range() {
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let at = Timestamp::from(extreme);
            assert_eq!(at.as_micros(), extreme.timestamp_micros());
        }
        let out = Err(wallet_core::ledger::TimestampError::OutOfRange);
        for micros in [i64::MIN, i64::MAX] {
            let found = DateTime::<Utc>::try_from(Timestamp::from_micros(micros));
            assert_eq!(found, out);
        }
    }

    #[test]
    fn a_leap_second_of_chrono_is_the_second_before_it() {
        let leap: DateTime<Utc> = "1972-06-30T23:59:60.5Z".parse().unwrap();
        let at = Timestamp::from(leap);
        assert_eq!(at.to_string(), "1972-06-30T23:59:59.500000Z");
        assert_eq!("1972-06-30T23:59:60.5Z".parse(), Ok(at));
    }

    proptest! {
        #[test]
        fn chrono_has_the_same_time(micros in SHOWN[0].0..=SHOWN[9].0, nanos in 0_i64..1_000) {
            let at = Timestamp::from_micros(micros);
            let other = DateTime::<Utc>::try_from(at).unwrap();
            prop_assert_eq!(at.to_string().parse(), Ok(other));
            let later = other + chrono::TimeDelta::nanoseconds(nanos);
            prop_assert_eq!(Timestamp::from(later), at);
        }
    }
}
