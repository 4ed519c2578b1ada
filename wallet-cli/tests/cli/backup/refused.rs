//! Files and stores that are not backed up, not overwritten, or not opened.

use std::process::Command;

use clap::Parser;

use super::{Files, go_on, text};
use crate::{exits_with, wallet};

#[test]
fn nothing_that_is_there_is_overwritten() {
    let files = Files::backed_up();
    let before = files.names();
    assert!(exits_with(&files.back_up(), 3).contains("exists already"));
    assert!(exits_with(&files.restore(&files.live, &[]), 3).contains("exists already"));
    assert_eq!(files.names(), before);
    go_on(&files.live);
    let output = exits_with(&files.restore(&files.live, &["--set-aside-existing"]), 0);
    assert!(output.contains("wallet.db.replaced-1 now"), "{output}");
    let aside = files.folder.path().join("wallet.db.replaced-1");
    assert!(exits_with(&wallet(&aside, &["verify"]), 0).contains("22 transfers"));
    assert!(exits_with(&wallet(&files.live, &["verify"]), 0).contains("21 transfers"));
}

#[test]
fn a_log_whose_file_is_gone_is_reported_by_every_command_and_by_the_server() {
    let files = Files::backed_up();
    let lost = files.fresh();
    let log = files.folder.path().join("new.db-wal");
    std::fs::write(&log, "acknowledged money").unwrap();
    let before = files.names();
    let copy = files.folder.path().join("other.db");
    let words = "new.db-wal is the log of a database that is not there";
    for output in [
        wallet(&lost, &["verify"]),
        wallet(&lost, &["backup", "--to", text(&copy)]),
        files.restore(&lost, &[]),
    ] {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let store = format!("sqlite:{}", text(&lost));
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "off"];
    let arguments = ["wallet-server", "--store", &store]
        .into_iter()
        .chain(listen);
    let server = wallet_server::run(&wallet_server::Config::parse_from(arguments));
    assert!(server.unwrap_err().to_string().contains(words));
    assert_eq!(files.names(), before);
    // Its file again, or aside with it.
    exits_with(&files.restore(&lost, &["--set-aside-existing"]), 0);
    assert!(files.names().contains(&"new.db.replaced-1-wal".to_owned()));
}

#[test]
fn stores_that_are_no_files_are_backed_up_otherwise() {
    for store in ["memory", "mysql://u:p@127.0.0.1/wallet"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallet"));
        command.args(["--store", store, "backup", "--to", "/nowhere/backup.db"]);
        exits_with(&command.env_clear().output().unwrap(), 2);
    }
}
