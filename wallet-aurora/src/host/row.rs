//! Values of a host's query, as a prepared statement returns them.

use sqlx::mysql::{MySql, MySqlRow, MySqlTypeInfo, MySqlValueRef};
use sqlx::{Column, Decode, Row, Type, TypeInfo};
use wallet_core::store::{SqlRow, SqlValue, StatementError};

/// The row's values, each by the type of its column.
pub(super) fn decode(row: &MySqlRow) -> Result<SqlRow, StatementError> {
    let values = row.columns().iter().map(|column| {
        let info = column.type_info();
        let raw = row.try_get_raw(column.ordinal());
        let value = raw.ok().and_then(|raw| value(info, raw));
        value.ok_or_else(|| {
            let (name, kind) = (column.name(), info.name());
            StatementError::new(format!(
                "column `{name}` of type {kind} has a value that is not supported: \
                 use CAST({name} AS CHAR)"
            ))
        })
    });
    Ok(SqlRow::new(values.collect::<Result<_, _>>()?))
}

fn value(info: &MySqlTypeInfo, raw: MySqlValueRef<'_>) -> Option<SqlValue> {
    // This fails only for NULL. The driver takes a date of zeros for NULL as well.
    let Ok(bytes) = <&[u8] as Decode<MySql>>::decode(raw.clone()) else {
        return Some(SqlValue::Null);
    };
    match info.name() {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT"
        | "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "YEAR" | "BIT" => integer(info, raw).map(SqlValue::Integer),
        "DECIMAL" | "ENUM" | "SET" | "JSON" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT"
        | "MEDIUMTEXT" | "LONGTEXT" => text(bytes).map(SqlValue::Text),
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            Some(SqlValue::Bytes(bytes.to_vec()))
        }
        "DATE" => date(bytes).map(SqlValue::Text),
        "DATETIME" | "TIMESTAMP" => date_time(bytes).map(SqlValue::Text),
        "TIME" => time(bytes).map(SqlValue::Text),
        _ => None,
    }
}

/// `None` above `i64::MAX`.
fn integer(info: &MySqlTypeInfo, raw: MySqlValueRef<'_>) -> Option<i64> {
    // The name does not say it: a `TINYINT(1) UNSIGNED` is a `BOOLEAN` too.
    let is_unsigned = <u64 as Type<MySql>>::compatible(info);
    if is_unsigned {
        let value = <u64 as Decode<MySql>>::decode(raw).ok()?;
        return i64::try_from(value).ok();
    }
    <i64 as Decode<MySql>>::decode(raw).ok()
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// A date is its length in bytes, and year, month and day.
fn date(bytes: &[u8]) -> Option<String> {
    let (year, month, day) = match *bytes {
        [0] => (0, 0, 0),
        [4 | 7 | 11, low, high, month, day, ..] => (u16::from_le_bytes([low, high]), month, day),
        _ => return None,
    };
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// A date, and hour, minute, second and microseconds, which are left out at the end if they
/// are 0.
fn date_time(bytes: &[u8]) -> Option<String> {
    let date = date(bytes)?;
    let (hour, minute, second, micros) = match *bytes {
        [0] | [4, _, _, _, _] => (0, 0, 0, 0),
        [7, _, _, _, _, hour, minute, second] => (hour, minute, second, 0),
        [11, _, _, _, _, hour, minute, second, one, two, three, four] => {
            let micros = u32::from_le_bytes([one, two, three, four]);
            (hour, minute, second, micros)
        }
        _ => return None,
    };
    let decimals = decimals(micros);
    Some(format!(
        "{date} {hour:02}:{minute:02}:{second:02}{decimals}"
    ))
}

/// A time is its length in bytes, whether it is negative, days, hours of the last day,
/// minute, second and microseconds, which are left out at the end if they are 0.
fn time(bytes: &[u8]) -> Option<String> {
    let (is_negative, days, hour, minute, second, micros) = match *bytes {
        [0] => (0, 0, 0, 0, 0, 0),
        [8, sign, d0, d1, d2, d3, hour, minute, second] => {
            let days = u32::from_le_bytes([d0, d1, d2, d3]);
            (sign, days, hour, minute, second, 0)
        }
        [
            12,
            sign,
            d0,
            d1,
            d2,
            d3,
            hour,
            minute,
            second,
            m0,
            m1,
            m2,
            m3,
        ] => {
            let days = u32::from_le_bytes([d0, d1, d2, d3]);
            let micros = u32::from_le_bytes([m0, m1, m2, m3]);
            (sign, days, hour, minute, second, micros)
        }
        _ => return None,
    };
    let sign = if is_negative == 0 { "" } else { "-" };
    let hours = days.checked_mul(24)?.checked_add(u32::from(hour))?;
    let decimals = decimals(micros);
    Some(format!(
        "{sign}{hours:02}:{minute:02}:{second:02}{decimals}"
    ))
}

fn decimals(micros: u32) -> String {
    if micros == 0 {
        return String::new();
    }
    format!(".{micros:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_written_as_the_server_writes_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(date(&[0]), some("0000-00-00"));
        assert_eq!(date(&[4, 0xEA, 7, 2, 28]), some("2026-02-28"));
        assert_eq!(date_time(&[4, 0xEA, 7, 2, 28]), some("2026-02-28 00:00:00"));
        assert_eq!(
            date_time(&[7, 0xEA, 7, 2, 28, 23, 9, 1]),
            some("2026-02-28 23:09:01")
        );
        let precise = [11, 0xEA, 7, 2, 28, 23, 9, 1, 5, 0, 0, 0];
        assert_eq!(date_time(&precise), some("2026-02-28 23:09:01.000005"));
        assert_eq!(time(&[0]), some("00:00:00"));
        let long = [8, 1, 34, 0, 0, 0, 22, 59, 58];
        assert_eq!(time(&long), some("-838:59:58"));
        let precise = [12, 0, 0, 0, 0, 0, 1, 2, 3, 0x3F, 0x42, 0x0F, 0];
        assert_eq!(time(&precise), some("01:02:03.999999"));
    }

    #[test]
    fn bytes_of_another_length_are_no_value() {
        for bytes in [&[][..], &[1], &[4, 0], &[7, 0, 0, 0, 0], &[11; 5]] {
            assert_eq!(date_time(bytes), None, "{bytes:?}");
        }
        for bytes in [&[][..], &[1], &[8, 0], &[12; 9]] {
            assert_eq!(time(bytes), None, "{bytes:?}");
        }
    }
}
