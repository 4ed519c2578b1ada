//! Invalid requests: each gets a specific 4xx, and nothing changes.

use serde_json::{Value, json};

use crate::support::{Client, Response, World, http};

/// Posts bytes as they are.
fn send(client: Client, path: &str, content_type: &str, body: &[u8]) -> Response {
    let headers = [("Content-Type", content_type), ("Idempotency-Key", "k")];
    client.raw(&http::request("POST", path, &headers, body))
}

fn json_type(client: Client, path: &str, body: &[u8]) -> Response {
    send(client, path, "application/json", body)
}

#[test]
fn a_deposit_body_that_is_not_what_the_api_takes_is_400() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    let path = format!("/v1/accounts/{ada}/deposits");
    let deep = format!(
        r#"{{"amount":{}1{}}}"#,
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let long = format!(r#"{{"amount":"1","description":"{}"}}"#, "x".repeat(513));
    let bodies: [&[u8]; 25] = [
        b"",
        b"null",
        b"[]",
        br#"["1.00",null,null,null,null,null,null,null,null]"#,
        b"\"1.00\"",
        b"{",
        b"{\"amount\":\"1.00\"} x",
        br#"{"amount":"1.00","amount":"2.00"}"#,
        br#"{"amount":"1.00","colour":"red"}"#,
        br#"{"amount":1.00}"#,
        br#"{"amount":1}"#,
        br#"{"amount":true}"#,
        br#"{"amount":null}"#,
        br#"{"amount":["1.00"]}"#,
        b"{}",
        b"{\"amount\":\"1.00\",\"reference\":\"a\xff\"}",
        br#"{"amount":"1.00","reference":"a\u0000b"}"#,
        br#"{"amount":"1.00","description":"a\u0007b"}"#,
        b"{\"amount\":\"1.00\",\"description\":\"a\nb\"}",
        br#"{"amount":"1.00","settlement":"Not A Name"}"#,
        br#"{"amount":"1.00","id":"7"}"#,
        br#"{"amount":"1.00","metadata":"text"}"#,
        br#"{"amount":"1.00","metadata":{"a":1.5}}"#,
        deep.as_bytes(),
        long.as_bytes(),
    ];
    for body in bodies {
        let answer = json_type(client, &path, body);
        let shown = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 400, "{shown}: {answer:?}");
        let code = answer.text("/code");
        assert!(
            ["invalid_body", "invalid_field"].contains(&code.as_str()),
            "{shown}"
        );
    }
    assert_eq!(client.posted(&ada), "10.00");
    // None of them has used up the key.
    assert!(!client.deposit(&ada, "k", "1.00").expect(201).is_replayed());
}

#[test]
fn an_amount_that_is_no_plain_positive_decimal_is_400() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "10.00");
    let amounts = [
        "",
        " ",
        "0",
        "0.00",
        "-1.00",
        "+1.00",
        "1e2",
        "1E2",
        "NaN",
        "Infinity",
        "0x10",
        "1,00",
        "1.000",
        "1.001",
        "1 000",
        " 1.00",
        "1.00 ",
        ".",
        "1.2.3",
        "\u{661}",
        "1_000",
        "99999999999999999999999999999999999999999",
    ];
    for amount in amounts {
        let answer = client.deposit(&ada, "k", amount);
        let trailing_zeros = amount == "1.000" && answer.status == 201;
        assert!(
            !trailing_zeros,
            "more decimals than the currency has were taken"
        );
        let problem = answer.problem(400, "invalid_field");
        assert_eq!(problem.text("/field"), "amount", "{amount}");
    }
    assert_eq!(client.posted(&ada), "10.00");
}

#[test]
fn an_account_that_makes_no_sense_is_400() {
    let world = World::memory();
    let client = world.client();
    let long = "x".repeat(129);
    let with = |name: &str, value: Value| {
        let mut body = json!({"owner": "ada", "currency": "EUR"});
        body[name] = value;
        body
    };
    let cases = [
        (with("owner", json!("")), "owner"),
        (with("owner", json!(long)), "owner"),
        (with("owner", json!("a\u{0}b")), "owner"),
        (with("currency", json!("EURO")), "currency"),
        (with("currency", json!("eur")), "currency"),
        (with("policy", json!({"overdraft": "-1.00"})), "policy"),
        (with("policy", json!({"overdraft": "0.001"})), "policy"),
        (with("max_balance", json!("x")), "max_balance"),
        (with("metadata", json!([1])), "metadata"),
        (
            with("metadata", json!({"a": "x".repeat(4_100)})),
            "metadata",
        ),
        (with("metadata", json!({"a":[[[[[[[[1]]]]]]]]})), "metadata"),
        (with("id", json!("not-a-uuid")), "id"),
    ];
    for (body, field) in cases {
        let answer = client.post("/v1/accounts", "k", &body);
        let problem = answer.problem(400, "invalid_field");
        assert_eq!(problem.text("/field"), field, "{body}");
    }
    for policy in [
        json!("none"),
        json!(7),
        json!({"overdraft": 100}),
        json!({"floor": "1"}),
    ] {
        let answer = client.post("/v1/accounts", "k", &with("policy", policy));
        answer.problem(400, "invalid_body");
    }
    let nil = with("id", json!("00000000-0000-0000-0000-000000000000"));
    client
        .post("/v1/accounts", "k", &nil)
        .problem(400, "invalid_request");
    let listed = client.get("/v1/accounts").expect(200).json();
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn a_transfer_names_its_money_in_one_way() {
    let world = World::memory();
    let client = world.client();
    let (ada, bob) = (client.open_with("ada", "10.00"), client.open("bob"));
    let leg = json!({"from": ada, "to": bob, "amount": "1.00", "currency": "EUR"});
    let mut both = leg.clone();
    both["legs"] = json!([leg]);
    let array = json!({"legs": [[ada, bob, "1.00", "EUR"]]});
    for body in [
        json!({}),
        array,
        both,
        json!({"from": ada, "to": bob, "amount": "1.00"}),
    ] {
        let answer = client.post("/v1/transfers", "k", &body);
        answer.problem(400, "invalid_body");
    }
    let same = json!({"from": ada, "to": ada, "amount": "1.00", "currency": "EUR"});
    let many: Vec<_> = std::iter::repeat_n(&leg, 501).collect();
    for body in [json!({"legs": []}), same] {
        client
            .post("/v1/transfers", "k", &body)
            .problem(400, "invalid_request");
    }
    let answer = client.post("/v1/transfers", "k", &json!({"legs": many}));
    assert!([400, 413].contains(&answer.status), "{answer:?}");
    assert_eq!(client.posted(&ada), "10.00");
}

#[test]
fn a_body_must_say_that_it_is_json_and_once() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let path = format!("/v1/accounts/{ada}/deposits");
    let body = br#"{"amount":"1.00"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/jsonx",
    ] {
        let answer = send(client, &path, content_type, body);
        answer.problem(415, "unsupported_media_type");
    }
    let twice = [
        ("Content-Type", "application/json"),
        ("Content-Type", "text/plain"),
        ("Idempotency-Key", "k"),
    ];
    let answer = client.raw(&http::request("POST", &path, &twice, body));
    answer.problem(415, "unsupported_media_type");
    let missing = [("Idempotency-Key", "k")];
    let answer = client.raw(&http::request("POST", &path, &missing, body));
    answer.problem(415, "unsupported_media_type");
    assert_eq!(client.posted(&ada), "0.00");
    send(client, &path, "application/json; charset=utf-8", body).expect(201);
}

#[test]
fn a_body_that_is_too_large_is_413() {
    let world = World::memory();
    let client = world.client();
    let head = "POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Idempotency-Key: k\r\n";
    let announced = format!("{head}Content-Length: 65537\r\n\r\n");
    client
        .raw(announced.as_bytes())
        .problem(413, "body_too_large");
    let space = " ".repeat(65_537);
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n10001\r\n{space}\r\n0\r\n\r\n");
    client
        .raw(chunked.as_bytes())
        .problem(413, "body_too_large");
}

#[test]
fn http_that_is_broken_is_4xx() {
    let world = World::memory();
    let client = world.client();
    let head = "POST /v1/transfers HTTP/1.1\r\nHost: localhost\r\n";
    let big = format!("{head}X-Big: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{head}{}\r\n", "X-A: b\r\n".repeat(200));
    let lengths = format!("{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}");
    let nul = format!("{head}X-A: a\0b\r\n\r\n");
    for bytes in [big, many, lengths, nul, "nonsense\r\n\r\n".to_owned()] {
        let answer = client.raw(bytes.as_bytes());
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
}

#[test]
fn a_query_that_makes_no_sense_is_400() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    for query in [
        "limit=0",
        "limit=501",
        "cursor=zz",
        "cursor=-1",
        "from=now",
        "to=1",
    ] {
        let answer = client.get(&format!("/v1/accounts/{ada}/entries?{query}"));
        answer.problem(400, "invalid_field");
    }
    for query in [
        "limit=x",
        "limit=-1",
        "colour=red",
        "order=up",
        "limit=1&limit=2",
        "from=%ff",
    ] {
        let answer = client.get(&format!("/v1/accounts/{ada}/entries?{query}"));
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    for query in [
        "cursor=x",
        "currency=EURO",
        "owner=",
        "limit=1000",
        "owner=a%00b",
    ] {
        let answer = client.get(&format!("/v1/accounts?{query}"));
        answer.problem(400, "invalid_field");
    }
    client.get("/v1/accounts/7").problem(400, "invalid_field");
    client
        .get("/v1/accounts/%ff/balance")
        .problem(400, "invalid_field");
}

#[test]
fn a_query_that_is_refused_is_reported_in_the_servers_own_words() {
    let world = World::memory();
    let client = world.client();
    for (query, names) in [
        ("colour=red", "`colour`"),
        ("limit=1&limit=2", "`limit`"),
        ("limit=x&owner=ada", "`limit`, `owner`"),
    ] {
        let answer = client.get(&format!("/v1/accounts?{query}"));
        let detail = answer.problem(400, "invalid_query").text("/detail");
        let expected = format!("unknown, given twice, or not of its type: {names}");
        assert_eq!(detail, expected);
    }
}

#[test]
fn a_time_is_one_that_can_be_and_its_refusal_says_nothing_of_a_library() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let entries = |from: &str| {
        let from = from.replace('+', "%2B");
        client.get(&format!("/v1/accounts/{ada}/entries?from={from}"))
    };
    for time in [
        "9999-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+25:59",
        "2026-01-31T12:00:00-24:00",
        "2026-01-31T12:00:00+23:60",
    ] {
        let problem = entries(time).problem(400, "invalid_field");
        let detail = problem.text("/detail");
        let own = ["not a time of RFC 3339", "no time, or one behind"];
        assert!(own.iter().any(|own| detail.contains(own)), "{detail}");
    }
    for time in [
        "9999-12-30T22:00:00Z",
        "2026-01-31T12:00:00+23:59",
        "2026-01-31T12:00:00-23:59",
    ] {
        entries(time).expect(200);
    }
}

#[test]
fn an_owner_that_looks_empty_or_like_another_is_400_and_system_accounts_say_so() {
    let world = World::memory();
    let client = world.client();
    for owner in [
        "\u{3164}",
        "\u{2800}",
        "settlement\u{200B}:bank",
        "settle\u{AD}ment:bank",
        "wallet\u{200C}:x",
        "ada\u{FE0F}",
    ] {
        let body = json!({"owner": owner, "currency": "EUR"});
        let answer = client.post("/v1/accounts", "k", &body);
        let field = answer.problem(400, "invalid_field").text("/field");
        assert_eq!(field, "owner", "{owner:?}");
    }
    let ada = client.open_with("ada", "1.00");
    let listed = client.get("/v1/accounts").expect(200).json();
    for account in listed["items"].as_array().unwrap() {
        let is_ada = account["id"] == ada;
        assert_eq!(account["system"], !is_ada, "{account}");
    }
}

#[test]
fn a_problem_says_whether_the_same_request_may_be_sent_again() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let path = format!("/v1/accounts/{ada}/withdrawals");
    let refused = client.post(&path, "w", &json!({"amount": "1.00"}));
    let refused = refused.problem(422, "insufficient_funds");
    assert_eq!(refused.json()["retryable"], false);
    assert_eq!(client.get("/v1/nowhere").json()["retryable"], false);
    world.shut_down();
    let late = client.deposit(&ada, "d", "1.00");
    let late = late.problem(503, "shutting_down");
    assert_eq!(late.json()["retryable"], true);
}

#[test]
fn unknown_paths_and_wrong_methods_are_problems_as_well() {
    let world = World::memory();
    let client = world.client();
    for path in [
        "/",
        "/v1",
        "/v1/account",
        "/v2/accounts",
        "/v1/accounts/",
        "/health",
    ] {
        client.get(path).problem(404, "unknown_path");
    }
    let answer = client.raw(b"DELETE /v1/accounts HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = answer.problem(405, "method_not_allowed");
    let allowed = answer.header("allow").unwrap_or_default();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
    client
        .get("/v1/transfers")
        .problem(405, "method_not_allowed");
}
