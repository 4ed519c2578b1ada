//! The statements that a host may run: the decision record 36.

use crate::store::StatementError;

/// Statements on rows. None of them ends a transaction or changes a session.
const ROWS: [&str; 7] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES",
];
/// Statements on tables. MySQL commits before and after them.
const TABLES: [&str; 5] = ["CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE"];

/// Refuses a statement that a transaction does not run.
pub(crate) fn check_rows(sql: &str) -> Result<(), StatementError> {
    check(
        sql,
        &[&ROWS],
        "a transaction runs SELECT, INSERT, UPDATE, DELETE, REPLACE, WITH and VALUES only",
    )
}

/// Refuses a statement that is not run alone either.
pub(crate) fn check_alone(sql: &str) -> Result<(), StatementError> {
    check(
        sql,
        &[&ROWS, &TABLES],
        "only statements on rows, and CREATE, ALTER, DROP, RENAME and TRUNCATE are run alone",
    )
}

fn check(sql: &str, allowed: &[&[&str]], otherwise: &str) -> Result<(), StatementError> {
    if sql.contains('\0') {
        // It ends the text for some databases.
        return Err(StatementError::new("it contains a NUL"));
    }
    let word = first_word(sql);
    let mut words = allowed.iter().copied().flatten();
    if words.any(|allowed| word.eq_ignore_ascii_case(allowed)) {
        return Ok(());
    }
    Err(StatementError::new(otherwise))
}

/// The first word behind blanks, brackets and comments. A comment that MySQL or MariaDB runs
/// (`/*! */`) is not passed over, so there is no word.
fn first_word(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '(');
        let comment = if rest.starts_with("/*!") || rest.starts_with("/*M!") {
            None
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else if ["-- ", "--\t", "--\n", "#"]
            .iter()
            .any(|sign| rest.starts_with(sign))
        {
            rest.split_once('\n')
        } else {
            None
        };
        let Some((_, behind)) = comment else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            return rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        };
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_on_rows_are_run() {
        for sql in [
            "SELECT 1",
            "  select 1",
            "((SELECT 1) UNION (SELECT 2))",
            "--\n-- the order\nINSERT INTO t VALUES (?)",
            "--\t\n/* a */ /**/ update t SET n = 1",
            "# MySQL\nDELETE FROM t",
            "REPLACE INTO t VALUES (1)",
            "WITH n AS (SELECT 1) SELECT * FROM n",
            "VALUES(1)",
            "/*+ a hint */SELECT 1",
        ] {
            assert!(check_rows(sql).is_ok(), "{sql}");
            assert!(check_alone(sql).is_ok(), "{sql}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let both = [
            "",
            " ",
            ";",
            "; SELECT 1",
            "COMMIT",
            "commit and chain",
            "ROLLBACK",
            "BEGIN",
            "START TRANSACTION",
            "SAVEPOINT a",
            "RELEASE a",
            "SET @x = 1",
            "PRAGMA cache_size",
            "ATTACH 'x' AS y",
            "USE other",
            "LOCK TABLES t READ",
            "FLUSH TABLES",
            "CALL p()",
            "DO GET_LOCK('x', 1)",
            "XA START 'x'",
            "KILL 1",
            "VACUUM",
            "EXPLAIN SELECT 1",
            "HANDLER t OPEN",
            "LOAD DATA INFILE 'x' INTO TABLE t",
            "/*! COMMIT */",
            "/*!50000 SELECT 1 */",
            "/*M! COMMIT */",
            "/* open",
            "/*/ COMMIT */",
            "-- SELECT 1",
            "--SELECT 1\nCOMMIT",
            "# SELECT",
            "SELECTED",
            "SELECT1",
            "\u{a0}SELECT 1",
            "1",
            "SELECT \0 1",
            "İNSERT",
            "/* a */ COMMIT /* SELECT */",
        ];
        for sql in both {
            assert!(check_rows(sql).is_err(), "{sql:?}");
            assert!(check_alone(sql).is_err(), "{sql:?}");
        }
        for sql in [
            "CREATE TABLE t (n INTEGER)",
            "create temporary table t (n INTEGER)",
            "ALTER TABLE t",
            "DROP TABLE t",
            "RENAME TABLE t TO u",
            "TRUNCATE TABLE t",
        ] {
            assert!(check_rows(sql).is_err(), "{sql}");
            assert!(check_alone(sql).is_ok(), "{sql}");
        }
    }
}
