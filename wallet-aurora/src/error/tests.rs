//! Tests of the classification of the servers' error codes.

use std::io;

use super::*;

#[test]
fn every_code_has_its_kind() {
    use StoreErrorKind as Kind;
    let table: &[(&[u16], Doing, StoreErrorKind)] = &[
        (&[1205, 1213, 1020, 1412], Doing::Work, Kind::Conflict),
        (&[1205, 1213, 1020, 1412], Doing::Insert, Kind::Conflict),
        (&[1213, 1205], Doing::Commit, Kind::Conflict),
        (&[1062, 1022, 1586], Doing::Insert, Kind::Conflict),
        (&[1062, 1022, 1586], Doing::Append, Kind::Corrupt),
        (&[1062, 1022, 1586], Doing::Work, Kind::Internal),
        (&[1290, 1792, 1836], Doing::Work, Kind::Unavailable),
        (&[1290, 1792, 1836], Doing::Insert, Kind::Unavailable),
        (
            &[1290, 1053, 1180, 9999],
            Doing::Commit,
            Kind::Indeterminate,
        ),
        (
            &[1021, 1030, 1037, 1038, 1041, 1114, 1135],
            Doing::Insert,
            Kind::Unavailable,
        ),
        (
            &[
                1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1206, 1226, 1637,
            ],
            Doing::Work,
            Kind::Unavailable,
        ),
        (
            &[1317, 1927, 1969, 3024, 3168, 3169, 4031],
            Doing::Append,
            Kind::Unavailable,
        ),
        (
            &[1048, 1118, 1153, 1264, 1265, 1292, 1366, 1406, 3819, 4025],
            Doing::Insert,
            Kind::Invalid,
        ),
        (
            &[126, 127, 134, 145, 1034, 1035, 1194, 1712],
            Doing::Work,
            Kind::Corrupt,
        ),
        // Unknown table, column, database, user; a syntax error; anything new.
        (
            &[0, 1044, 1045, 1049, 1054, 1064, 1142, 1146, 1305, 65_535],
            Doing::Work,
            Kind::Internal,
        ),
    ];
    for (codes, doing, kind) in table {
        for code in *codes {
            assert_eq!(classify(*code, *doing), *kind, "{code} while {doing:?}");
        }
    }
}

#[test]
fn an_unknown_code_is_never_retryable_before_a_commit() {
    for code in 0..=u16::MAX {
        let kind = classify(code, Doing::Insert);
        let known = [1205, 1213, 1020, 1412, 1022, 1062, 1586].contains(&code)
            || classify(code, Doing::Work) == StoreErrorKind::Unavailable;
        assert_eq!(kind.is_retryable(), known, "{code}");
    }
}

#[test]
fn a_lost_connection_is_doubtful_only_once_a_commit_was_sent() {
    let lost = || sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
    let before = Failed::new(lost(), Doing::Insert, "inserting", false);
    assert_eq!(before.error.kind(), StoreErrorKind::Unavailable);
    let after = Failed::new(lost(), Doing::Insert, "inserting", true);
    assert_eq!(after.error.kind(), StoreErrorKind::Indeterminate);
    for failed in [before, after] {
        assert!(failed.ended_transaction());
        assert!(!failed.leaves_connection());
    }
    let late = Failed::timed_out("committing", true);
    assert_eq!(late.error.kind(), StoreErrorKind::Indeterminate);
    let early = Failed::timed_out("reading", false);
    assert_eq!(early.error.kind(), StoreErrorKind::Unavailable);
    let unset = Failed::new(sqlx::Error::BeginFailed, Doing::Work, "beginning", false);
    assert_eq!(unset.error.kind(), StoreErrorKind::Internal);
}
