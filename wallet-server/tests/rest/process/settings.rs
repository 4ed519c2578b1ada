//! Settings with which the server does not start.

use super::{Process, command, run, sqlite};

#[test]
fn a_bad_setting_is_reported_and_ends_with_2() {
    let cases: [(&[&str], &str); 16] = [
        (&["--listen", "nowhere"], "--listen"),
        (&["--store", "postgres:x"], "sqlite:PATH, memory"),
        (&["--store", "sqlite:"], "sqlite:PATH, memory"),
        (&["--store", "sqlite::memory:"], "--store memory"),
        (&["--store", "sqlite:w.db?mode=ro"], "no options"),
        (&["--store", "sqlite:file:w.db"], "no options"),
        (&["--head-timeout-ms", "0"], "--head-timeout-ms"),
        (&["--currencies", "BTC"], "CODE:DECIMALS"),
        (&["--currencies", "EUR:3"], "another exponent"),
        (&["--queue", "0"], "at least 1"),
        (&["--admin-listen", "nowhere"], "ADDRESS:PORT or off"),
        (&["--trusted-proxies", "10.0.0.0/33"], "ADDRESS/BITS"),
        (&["--hosts", "a.example:80"], "without a port"),
        (&["--header-max", "100"], "at least 8192"),
        (&["--log-format", "xml"], "json or text"),
        (&["--colour", "red"], "--colour"),
    ];
    for (arguments, words) in cases {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn decimals_that_are_not_those_of_the_books_end_the_start_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder.path().join("wallet.db"));
    let with = |currencies| ["--store", &store, "--currencies", currencies].map(str::to_owned);
    let arguments = with("BTC:8,POINTS:0");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut server = Process::start_with(&arguments, &[]);
    let body = serde_json::json!({ "owner": "ada", "currency": "BTC" });
    server
        .client
        .post("/v1/accounts", "open", &body)
        .expect(201);
    server.terminate();
    let arguments = with("POINTS:2,BTC:6");
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "off"].map(str::to_owned);
    let arguments: Vec<&str> = listen
        .iter()
        .chain(&arguments)
        .map(String::as_str)
        .collect();
    let output = run(&arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let words = "the books hold BTC with 8 decimals, the settings say 6";
    assert!(stderr.contains(words), "{stderr}");
    // No amount was ever stored in points, so their decimals can change.
    let arguments = with("POINTS:2,BTC:8");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Process::start_with(&arguments, &[]).terminate();
}

#[test]
fn a_store_or_an_address_that_cannot_be_had_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!(
        "sqlite:{}",
        folder.path().join("no/such/wallet.db").display()
    );
    let output = run(&[
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "off",
        "--store",
        &nowhere,
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("store"), "{stderr}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address, "--store", "memory"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&address), "{stderr}");
}

/// HTTP writes no date before 1970: such a server would answer nothing.
#[test]
fn a_clock_before_1970_ends_the_start() {
    let mut server = command(&["--store", "memory", "--listen", "127.0.0.1:0"]);
    let server = server
        .env("LD_PRELOAD", wallet_test_servers::faketime())
        .env("FAKETIME", "1969-12-31 12:00:00");
    let output = server.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("before 1970"), "{stderr}");
}
