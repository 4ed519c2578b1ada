use super::*;
use crate::error::Doing;

#[test]
fn every_value_is_a_literal_that_nothing_can_end() {
    let mut sql = Sql::default();
    sql.int(i64::MIN).raw(" ").decimal(i128::MAX).raw(" ");
    sql.text("a' OR 1; --\0\u{e9}").raw(" ").bytes(&[]).raw(" ");
    sql.optional_text(None);
    assert_eq!(
        sql.0,
        "-9223372036854775808 170141183460469231731687303715884105727 \
         x'6127204F5220313B202D2D00C3A9' x'' NULL"
    );
}

#[test]
fn long_lists_are_cut_into_groups_and_empty_ones_find_nothing() {
    let numbers: Vec<i64> = (0..1_001).collect();
    let mut sql = Sql::default();
    sql.is_in("num", &numbers, |sql, number| {
        sql.int(*number);
    });
    assert_eq!(sql.0.matches("num IN (").count(), 3);
    assert_eq!(sql.0.matches(',').count(), 1_001 - 3);
    let mut sql = Sql::default();
    sql.is_in("num", &[], |sql, number: &i64| {
        sql.int(*number);
    });
    assert_eq!(sql.0, "FALSE");
}

#[test]
fn keys_are_grouped_by_ledger() {
    let keys = [(0, 1_u8), (0, 2), (7, 3)];
    let mut sql = Sql::default();
    sql.keyed("ledger", "id", &keys, |(ledger, byte)| {
        (LedgerId::new(*ledger), [*byte; 16])
    });
    assert_eq!(sql.0.matches("ledger = ").count(), 2);
    assert!(
        sql.0.starts_with("((ledger = 0 AND (id IN (x'0101"),
        "{}",
        sql.0
    );
}

#[test]
fn a_script_is_cut_between_statements_only() {
    let mut script = Script::default();
    script.begin();
    let insert = Insert {
        doing: Doing::Insert,
        context: "inserting",
        head: "INSERT INTO t (a)",
        tail: "",
    };
    let row = vec![7; 100_000];
    script.rows(insert, 0..3, |sql, _| {
        sql.bytes(&row);
    });
    script.commit();
    // Two rows reach the size of a statement.
    assert_eq!(script.steps.len(), 4);
    assert_eq!(script.packets(usize::MAX).len(), 1);
    let packets = script.packets(450_000);
    let counts: Vec<usize> = packets.iter().map(|(_, steps)| steps.len()).collect();
    assert_eq!(counts, [2, 2]);
    assert!(packets[0].0.starts_with("START TRANSACTION;INSERT"));
    assert!(packets[1].0.ends_with(";COMMIT"));
    let alone = script.packets(1);
    assert_eq!(alone.len(), 4);
    assert_eq!(alone[3].0, "COMMIT");
}

#[test]
fn nothing_is_inserted_for_no_rows() {
    let insert = Insert {
        doing: Doing::Insert,
        context: "inserting",
        head: "INSERT",
        tail: "",
    };
    let mut script = Script::default();
    script.rows(insert, 0..0, |_, _: i32| {});
    assert!(script.steps.is_empty());
    assert!(script.packets(9).is_empty());
}
