//! Values of the host's statements and rows.

use wallet_core::store::{ApplyError, HostTransaction as Port, HostTransactions, SqlRow, SqlValue};
use wallet_test_servers::Kind;

use super::shop;
use crate::support::on_both;

on_both! {
    values_come_back_as_they_were_written
    each_type_of_column_has_its_value
    what_has_no_value_is_an_error_that_names_the_column
}

async fn values_come_back_as_they_were_written(kind: Kind) {
    let shop = shop(kind).await;
    let table = "CREATE TABLE value_of (
        id INT PRIMARY KEY, number BIGINT, words TEXT CHARACTER SET utf8mb4, raw LONGBLOB)";
    shop.database.execute(table).await;
    let rows = [
        [SqlValue::Null, SqlValue::Null, SqlValue::Null],
        [i64::MIN.into(), "".into(), Vec::new().into()],
        [
            i64::MAX.into(),
            "über 中 🐚 '\\ \0".into(),
            vec![0, 255, 39].into(),
        ],
        [0_i64.into(), "?".into(), vec![7; 100_000].into()],
    ];
    let mut transaction = shop.store.begin().await.unwrap();
    for (id, row) in (0..).zip(&rows) {
        let mut values = vec![SqlValue::from(id)];
        values.extend_from_slice(row);
        let insert = "INSERT INTO value_of VALUES (?, ?, ?, ?)";
        assert_eq!(transaction.execute(insert, &values).await.unwrap(), 1);
    }
    transaction.commit().await.unwrap();
    let mut transaction = shop.store.begin().await.unwrap();
    let select = "SELECT number, words, raw FROM value_of WHERE id >= ? ORDER BY id LIMIT ?";
    let found = transaction.query(select, &[0.into(), 10.into()]).await;
    let expected: Vec<SqlRow> = rows.iter().map(|row| SqlRow::new(row.to_vec())).collect();
    assert_eq!(found.unwrap(), expected);
    let update = "UPDATE value_of SET number = ? WHERE id < ?";
    let changed = transaction.execute(update, &[5.into(), 3.into()]).await;
    assert_eq!(changed.unwrap(), 3);
    let none = transaction.query(select, &[9.into(), 10.into()]).await;
    assert!(none.unwrap().is_empty());
}

async fn one(
    transaction: &mut Box<dyn Port>,
    kind: &str,
    literal: &str,
    is_text: bool,
) -> Result<SqlValue, ApplyError> {
    let temporary = format!("CREATE TEMPORARY TABLE one_column (a_column {kind} NULL)");
    transaction.execute(&temporary, &[]).await.unwrap();
    let insert = format!("INSERT INTO one_column VALUES ({literal})");
    let inserted = transaction.execute(&insert, &[]).await;
    inserted.unwrap_or_else(|error| panic!("{kind} {literal}: {error}"));
    let found = transaction.query("SELECT a_column FROM one_column", &[]);
    let found = found.await;
    let drop = "DROP TEMPORARY TABLE one_column";
    transaction.execute(drop, &[]).await.unwrap();
    let row = found?.remove(0);
    // The driver knows a text from bytes only by its collation, and not by a binary one.
    Ok(match &row.values()[0] {
        SqlValue::Bytes(_) if is_text => row.text(0)?.into(),
        value => value.clone(),
    })
}

async fn each_type_of_column_has_its_value(kind: Kind) {
    let shop = shop(kind).await;
    let text = |text: &str| SqlValue::from(text);
    let number = |number: i64| SqlValue::from(number);
    let cases = [
        ("BOOL", "TRUE", number(1)),
        ("TINYINT(1)", "-128", number(-128)),
        ("TINYINT(1) UNSIGNED", "255", number(255)),
        ("TINYINT UNSIGNED", "255", number(255)),
        ("SMALLINT", "-32768", number(-32_768)),
        ("SMALLINT UNSIGNED", "65535", number(65_535)),
        ("MEDIUMINT", "-8388608", number(-8_388_608)),
        ("MEDIUMINT UNSIGNED", "16777215", number(16_777_215)),
        ("INT", "-2147483648", number(-2_147_483_648)),
        ("INT UNSIGNED", "4294967295", number(4_294_967_295)),
        ("BIGINT", "-9223372036854775808", number(i64::MIN)),
        ("BIGINT UNSIGNED", "9223372036854775807", number(i64::MAX)),
        ("YEAR", "2026", number(2_026)),
        ("BIT(9)", "b'100000001'", number(257)),
        (
            "DECIMAL(30, 4)",
            "-12345678901234567890.5",
            text("-12345678901234567890.5000"),
        ),
        ("CHAR(4)", "'ab'", text("ab")),
        ("VARCHAR(4)", "''", text("")),
        ("MEDIUMTEXT", "'ab'", text("ab")),
        ("ENUM('new', 'paid')", "'paid'", text("paid")),
        ("SET('a', 'b')", "'a,b'", text("a,b")),
        ("BINARY(3)", "'ab'", vec![97, 98, 0].into()),
        ("VARBINARY(3)", "x'00FF'", vec![0, 255].into()),
        ("BLOB", "x'00FF'", vec![0, 255].into()),
        // The driver does not show that this is a text.
        (
            "VARCHAR(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "'ab'",
            vec![97, 98].into(),
        ),
        ("JSON", "'[1]'", text("[1]")),
        ("DATE", "'2026-02-28'", text("2026-02-28")),
        ("DATETIME", "'2026-02-28'", text("2026-02-28 00:00:00")),
        (
            "DATETIME",
            "'2026-02-28 23:09:01'",
            text("2026-02-28 23:09:01"),
        ),
        (
            "DATETIME(3)",
            "'2026-02-28 23:09:01.5'",
            text("2026-02-28 23:09:01.500000"),
        ),
        (
            "TIMESTAMP",
            "'2026-02-28 23:09:01'",
            text("2026-02-28 23:09:01"),
        ),
        ("TIME", "'-838:59:59'", text("-838:59:59")),
        ("TIME(6)", "'01:02:03.000004'", text("01:02:03.000004")),
    ];
    let mut transaction = shop.store.begin().await.unwrap();
    for (column, literal, expected) in cases {
        let is_text = matches!(expected, SqlValue::Text(_));
        let found = one(&mut transaction, column, literal, is_text).await;
        assert_eq!(found.unwrap(), expected, "{column}");
        let null = one(&mut transaction, column, "NULL", is_text).await;
        assert_eq!(null.unwrap(), SqlValue::Null, "{column}");
    }
    let select = "SELECT COUNT(*), SUM(id), 'a', NULL, CAST(1.5 AS CHAR) FROM shop_order";
    let row = transaction.query(select, &[]).await.unwrap().remove(0);
    let expected = [
        number(0),
        SqlValue::Null,
        text("a"),
        SqlValue::Null,
        text("1.5"),
    ];
    assert_eq!(row.values(), expected);
}

async fn what_has_no_value_is_an_error_that_names_the_column(kind: Kind) {
    let shop = shop(kind).await;
    let cases = [
        ("BIGINT UNSIGNED", "9223372036854775808", "BIGINT UNSIGNED"),
        ("FLOAT", "1.5", "FLOAT"),
        ("DOUBLE", "1.5", "DOUBLE"),
        ("POINT", "POINT(1, 1)", "GEOMETRY"),
    ];
    let mut transaction = shop.store.begin().await.unwrap();
    for (column, literal, name) in cases {
        match one(&mut transaction, column, literal, false).await {
            Err(ApplyError::Statement(error)) => {
                let text = error.to_string();
                assert!(text.contains("`a_column`"), "{text}");
                assert!(text.contains(name) && text.contains("CAST"), "{text}");
            }
            other => panic!("{column}: {other:?}"),
        }
        // The transaction goes on.
        transaction.query("SELECT 1", &[]).await.unwrap();
    }
    transaction.commit().await.unwrap();
}
