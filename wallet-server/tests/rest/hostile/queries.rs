//! Queries and times that make no sense.

use crate::support::World;

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
