//! Pages, forwards and backwards, during concurrent writes.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::{Client, World};

/// Every item of a list, page by page; `between` runs after each page.
fn pages(client: Client, path: &str, mut between: impl FnMut()) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    for _ in 0..1_000 {
        let page = client.get(&format!("{path}{cursor}")).expect(200).json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else {
            return items;
        };
        cursor = format!("&cursor={next}");
        between();
    }
    panic!("the list has no end");
}

fn sequences(items: &[Value]) -> Vec<i64> {
    let sequences = items.iter().map(|item| item["sequence"].as_i64().unwrap());
    sequences.collect()
}

#[test]
fn entries_are_paged_both_ways_under_writes_without_gap_or_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::sqlite(&folder.path().join("wallet.db"));
    let client = world.client();
    let ada = client.open("ada");
    for index in 0..20 {
        client
            .deposit(&ada, &format!("d{index}"), "1.00")
            .expect(201);
    }
    let is_done = AtomicBool::new(false);
    let (forwards, backwards) = std::thread::scope(|scope| {
        scope.spawn(|| {
            for index in 0_u32.. {
                if is_done.load(Ordering::Relaxed) || index == 500 {
                    break;
                }
                client
                    .deposit(&ada, &format!("w{index}"), "1.00")
                    .expect(201);
            }
        });
        let path = format!("/v1/accounts/{ada}/entries?limit=7");
        // Each page is followed by one write more, at the least.
        let mut extra = 0_u32;
        let backwards = pages(client, &format!("{path}&order=desc"), || {
            extra = extra.saturating_add(1);
            client
                .deposit(&ada, &format!("x{extra}"), "1.00")
                .expect(201);
        });
        is_done.store(true, Ordering::Relaxed);
        (pages(client, &path, || {}), backwards)
    });
    let forwards = sequences(&forwards);
    let backwards = sequences(&backwards);
    // The list as it was when its first page was read.
    let start = backwards[0];
    assert!(start >= 20);
    assert_eq!(backwards, (1..=start).rev().collect::<Vec<_>>());
    let end = *forwards.last().unwrap();
    assert!(end >= start);
    assert_eq!(forwards, (1..=end).collect::<Vec<_>>());
}

#[test]
fn accounts_are_paged_without_gap_or_repeat() {
    let world = World::memory();
    let client = world.client();
    let mut opened: Vec<_> = (0..12)
        .map(|index| client.open(&format!("o{index}")))
        .collect();
    opened.sort();
    let listed = pages(client, "/v1/accounts?limit=5", || {});
    let listed: Vec<_> = listed
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(listed, opened);
    // A last page that is full has no next one.
    let page = client.get("/v1/accounts?limit=12").expect(200).json();
    assert_eq!(
        (page["items"].as_array().unwrap().len(), page.get("next")),
        (12, None)
    );
}

#[test]
fn entries_are_cut_by_time() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    let times: Vec<_> = (0..3)
        .map(|index| {
            client
                .deposit(&ada, &format!("d{index}"), "1.00")
                .expect(201)
                .text("/created_at")
        })
        .collect();
    let count = |query: &str| {
        let path = format!("/v1/accounts/{ada}/entries?{query}");
        client.get(&path).expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    let at_or_after = times.iter().filter(|time| **time >= times[1]).count();
    assert_eq!(count(&format!("from={}", times[1])), at_or_after);
    assert_eq!(count(&format!("to={}", times[1])), 3 - at_or_after);
    assert_eq!(count("from=2999-01-01T00:00:00Z"), 0);
}

#[test]
fn a_list_has_fifty_items_by_default() {
    let world = World::memory();
    let client = world.client();
    let ada = client.open("ada");
    for index in 0..51 {
        client
            .deposit(&ada, &format!("d{index}"), "1.00")
            .expect(201);
    }
    let path = format!("/v1/accounts/{ada}/entries");
    let page = client.get(&path).expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 50);
    assert!(page["next"].is_string());
    let page = client.get(&format!("{path}?limit=500")).expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 51);
}
