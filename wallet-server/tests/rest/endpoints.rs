//! The success path of every endpoint.

use serde_json::json;

use crate::support::{World, http, transfer};

#[test]
fn an_account_is_opened_shown_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let body = json!({
        "owner": "ada", "currency": "EUR", "policy": {"overdraft": "100.00"},
        "max_balance": "5000.00", "metadata": {"tier": 2, "a": ["x"]},
        "id": "01890000-0000-7000-8000-000000000001",
    });
    let opened = client.post("/v1/accounts", "k", &body).expect(201);
    let account = opened.json();
    assert_eq!(account["id"], "01890000-0000-7000-8000-000000000001");
    assert_eq!(account["owner"], "ada");
    assert_eq!(account["currency"], "EUR");
    assert_eq!(account["status"], "active");
    assert_eq!(account["policy"], json!({"overdraft": "100.00"}));
    assert_eq!(account["max_balance"], "5000.00");
    assert_eq!(account["metadata"], json!({"a": ["x"], "tier": 2}));
    assert_eq!(account["version"], 1);
    let zero =
        json!({"posted": "0.00", "available": "0.00", "pending_in": "0.00", "pending_out": "0.00"});
    assert_eq!(account["balance"], zero);
    let created: jiff::Timestamp = opened.text("/created_at").parse().unwrap();
    assert!(created > "2020-01-01T00:00:00Z".parse().unwrap());

    let shown = client.get("/v1/accounts/01890000-0000-7000-8000-000000000001");
    assert_eq!(shown.expect(200).json(), account);
    let points = json!({"owner": "ada", "currency": "POINTS", "policy": "unlimited"});
    let points = client.post("/v1/accounts", "p", &points).expect(201);
    assert_eq!(points.text("/balance/posted"), "0");
    assert_eq!(points.text("/policy"), "unlimited");
    client.open("bob");

    let of = |query: &str| {
        let page = client
            .get(&format!("/v1/accounts?{query}"))
            .expect(200)
            .json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(of("owner=ada"), 2);
    assert_eq!(of("owner=ada&currency=POINTS"), 1);
    assert_eq!(of("currency=EUR"), 2);
    assert_eq!(of("owner=nobody"), 0);
    assert_eq!(of(""), 3);
}

#[test]
fn money_comes_in_moves_and_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let (ada, bob) = (client.open("ada"), client.open("bob"));
    let body = json!({
        "amount": "100.00", "settlement": "card", "reference": "order-7",
        "description": "Top-up", "metadata": {"shop": "a"},
    });
    let path = format!("/v1/accounts/{ada}/deposits");
    let deposit = client.post(&path, "d", &body).expect(201);
    assert_eq!(deposit.text("/kind"), "deposit");
    assert_eq!(deposit.text("/status"), "posted");
    assert_eq!(deposit.text("/legs/0/to"), ada);
    assert_eq!(deposit.text("/legs/0/amount"), "100.00");
    assert_eq!(deposit.text("/legs/0/currency"), "EUR");
    assert_eq!(deposit.text("/reference"), "order-7");
    assert_eq!(deposit.text("/description"), "Top-up");
    assert_eq!(deposit.json()["metadata"], json!({"shop": "a"}));

    let single = client
        .post("/v1/transfers", "t", &transfer(&ada, &bob, "30"))
        .expect(201);
    assert_eq!(single.text("/legs/0/amount"), "30.00");
    let legs = json!({"legs": [transfer(&ada, &bob, "5.00"), transfer(&bob, &ada, "1.5")]});
    let many = client.post("/v1/transfers", "m", &legs).expect(201);
    assert_eq!(many.json()["legs"].as_array().unwrap().len(), 2);
    let path = format!("/v1/accounts/{bob}/withdrawals");
    let out = client
        .post(&path, "w", &json!({"amount": "10.00"}))
        .expect(201);
    assert_eq!(out.text("/kind"), "withdrawal");

    assert_eq!(client.posted(&ada), "66.50");
    assert_eq!(client.posted(&bob), "23.50");
    for made in [deposit, single, many, out] {
        let shown = client.get(&format!("/v1/transfers/{}", made.text("/id")));
        assert_eq!(shown.expect(200).body, made.body);
    }

    let balance = client
        .get(&format!("/v1/accounts/{ada}/balance"))
        .expect(200)
        .json();
    assert_eq!(balance["account"], json!(ada));
    assert_eq!(balance["available"], "66.50");
    assert_eq!(balance["version"], 5);
    assert!(balance["as_of"].is_string());
    let entries = client
        .get(&format!("/v1/accounts/{ada}/entries"))
        .expect(200)
        .json();
    let lines: Vec<_> = entries["items"].as_array().unwrap().iter().collect();
    let of = |index: usize| {
        let line = &lines[index];
        (
            line["sequence"].clone(),
            line["direction"].clone(),
            line["balance_after"].clone(),
        )
    };
    assert_eq!(of(0), (json!(1), json!("credit"), json!("100.00")));
    assert_eq!(of(3), (json!(4), json!("credit"), json!("66.50")));
    assert_eq!(lines[1]["amount"], "30.00");
    assert_eq!(lines[1]["account"], json!(ada));
    assert_eq!(entries.get("next"), None);
}

#[test]
fn eight_decimals_and_great_amounts_are_exact() {
    let world = World::memory();
    let client = world.client();
    let body = json!({"owner": "ada", "currency": "BTC"});
    let ada = client
        .post("/v1/accounts", "a", &body)
        .expect(201)
        .text("/id");
    client
        .deposit(&ada, "d1", "99999999999999999999.99999998")
        .expect(201);
    client.deposit(&ada, "d2", "0.00000001").expect(201);
    assert_eq!(client.posted(&ada), "99999999999999999999.99999999");
}

#[test]
fn a_fraction_beyond_the_currency_is_refused() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let refused = client
        .deposit(&ada, "d", "0.001")
        .problem(400, "invalid_field");
    assert_eq!(refused.text("/field"), "amount");
}

#[test]
fn health_says_that_it_lives_and_is_ready() {
    let world = World::memory();
    let client = world.client();
    assert_eq!(client.get("/health/live").expect(200).text("/status"), "ok");
    assert_eq!(
        client.get("/health/ready").expect(200).text("/status"),
        "ok"
    );
}

#[test]
fn answers_carry_a_request_id_and_may_not_be_cached() {
    let world = World::memory();
    let client = world.client();
    let made = client.get("/health/live");
    assert_eq!(made.header("x-request-id").unwrap().len(), 36);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(made.header("x-content-type-options"), Some("nosniff"));
    let with = |id: &str| {
        let bytes =
            format!("GET /nowhere HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {id}\r\n\r\n");
        client
            .raw(bytes.as_bytes())
            .header("x-request-id")
            .unwrap()
            .to_owned()
    };
    assert_eq!(with("abc-7"), "abc-7");
    assert_eq!(with("two words").len(), 36);
    assert_eq!(with(&"x".repeat(129)).len(), 36);
}

#[test]
fn the_balance_at_a_past_time_stays() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let ada = client.open("ada");
    let first = client
        .deposit(&ada, "d1", "10.00")
        .expect(201)
        .text("/created_at");
    let second = client
        .deposit(&ada, "d2", "5.00")
        .expect(201)
        .text("/created_at");
    let at = |time: &str| client.get(&format!("/v1/accounts/{ada}/balance?at={time}"));
    let before = at(&first).expect(200);
    assert_eq!(
        before.text("/posted"),
        if first == second { "15.00" } else { "10.00" }
    );
    assert_eq!(before.text("/at"), first);
    assert_eq!(at(&second).expect(200).json()["sequence"], 2);
    assert_eq!(
        at("2020-01-01T00:00:00Z").expect(200).text("/posted"),
        "0.00"
    );
    client.deposit(&ada, "d3", "7.00").expect(201);
    assert_eq!(at(&first).expect(200).body, before.body);

    let future = at("2999-01-01T00:00:00Z").problem(400, "invalid_field");
    assert_eq!(future.text("/field"), "at");
    at("yesterday").problem(400, "invalid_field");
    let nobody =
        "/v1/accounts/01890000-0000-7000-8000-0000000000ff/balance?at=2020-01-01T00:00:00Z";
    client.get(nobody).problem(404, "account_not_found");
}

#[test]
fn times_are_those_of_rfc_3339_and_answered_with_six_digits() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open_with("ada", "1.00");
    let entries = |from: &str| client.get(&format!("/v1/accounts/{ada}/entries?from={from}"));
    for fine in [
        "2020-01-01T00:00:00Z",
        "2020-01-01t00:00:00.5z",
        "2020-01-01T01:00:00.123456789%2B01:00",
        "2020-01-01T00:00:00-23:59",
    ] {
        entries(fine).expect(200);
    }
    for bad in [
        "2020-01-01",
        "2020-01-01T00:00Z",
        "20200101T000000Z",
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00,5Z",
        "2020-01-01%2000:00:00Z",
        "2020-01-01T00:00:00%2B01",
        "2020-01-01T00:00:00%2B0100",
        "2020-01-01T00:00:00%2B01:00[Europe/Paris]",
        "2020-01-01T00:00:00Z[UTC]",
        "%2B002020-01-01T00:00:00Z",
        "2020-13-01T00:00:00Z",
        "",
    ] {
        entries(bad).problem(400, "invalid_field");
    }
    let body = json!({"amount": "1.00", "effective_at": "2026-01-01T01:00:00+01:00"});
    let path = format!("/v1/accounts/{ada}/deposits");
    let deposit = client.post(&path, "dated", &body).expect(201);
    assert_eq!(deposit.text("/effective_at"), "2026-01-01T00:00:00.000000Z");
    assert_eq!(
        deposit.text("/created_at").len(),
        "2026-01-01T00:00:00.000000Z".len()
    );
}

#[test]
fn metadata_with_a_name_twice_is_refused() {
    let world = World::memory();
    let client = world.client();
    let post = |key: &str, metadata: &str| {
        let body = format!(r#"{{"owner": "ada", "currency": "EUR", "metadata": {metadata}}}"#);
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key),
        ];
        client.raw(&http::request(
            "POST",
            "/v1/accounts",
            &headers,
            body.as_bytes(),
        ))
    };
    for (key, twice) in [
        ("a", r#"{"a":1,"a":2}"#),
        ("b", r#"{"a":{"b":1,"\u0062":1}}"#),
    ] {
        post(key, twice).problem(400, "invalid_field");
    }
    let answer = post("c", r#"{"a":{"b":1},"b":1}"#).expect(201).json();
    assert_eq!(answer["metadata"], json!({"a": {"b": 1}, "b": 1}));
    post("d", "null").expect(201);
}
