//! Bodies, and fields in them, that the API does not take.

use serde_json::{Value, json};

use super::send;
use crate::support::{Client, Response, World};

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
