//! The template matches the tables that the calls create.

use aws_sdk_dynamodb::types::{KeySchemaElement, TableDescription};
use serde_json::{Value, json};

use crate::support::{Place, block_on};

fn keys(keys: &[KeySchemaElement]) -> Value {
    let key = |key: &KeySchemaElement| json!({ "AttributeName": key.attribute_name, "KeyType": key.key_type.as_str() });
    keys.iter().map(key).collect()
}

/// The template's properties that the description of a table reports.
fn table_properties(table: &TableDescription) -> Value {
    let attributes = table.attribute_definitions().iter().map(|attribute| {
        let kind = attribute.attribute_type.as_str();
        json!({ "AttributeName": attribute.attribute_name, "AttributeType": kind })
    });
    let indexes = table.global_secondary_indexes().iter().map(|index| {
        let projection = index.projection().unwrap().projection_type().unwrap();
        json!({
            "IndexName": index.index_name().unwrap(),
            "KeySchema": keys(index.key_schema()),
            "Projection": { "ProjectionType": projection.as_str() },
        })
    });
    let mut indexes: Vec<Value> = indexes.collect();
    indexes.sort_by_key(|index| index["IndexName"].as_str().map(str::to_owned));
    json!({
        "AttributeDefinitions": sorted(attributes.collect()),
        "KeySchema": keys(table.key_schema()),
        "GlobalSecondaryIndexes": indexes,
    })
}

fn sorted(mut attributes: Vec<Value>) -> Value {
    attributes.sort_by_key(|attribute| attribute["AttributeName"].as_str().map(str::to_owned));
    Value::Array(attributes)
}

#[test]
fn the_template_makes_the_same_tables() {
    let template: Value = serde_json::from_str(include_str!("../../table.json")).unwrap();
    let properties = |name: &str| template["Resources"][name]["Properties"].clone();
    block_on(Box::pin(async {
        let place = Place::new().await;
        let audit = format!("{}-audit", place.table);
        wallet_dynamo::create_audit_table(&place.client, &wallet_core::SystemClock, &audit)
            .await
            .unwrap();
        for (name, table) in [("History", &place.table), ("Audit", &audit)] {
            let described = place.client.describe_table().table_name(table);
            let described = described.send().await.unwrap().table.unwrap();
            let due = properties(name);
            let mut indexes = due["GlobalSecondaryIndexes"].as_array().cloned();
            if let Some(indexes) = &mut indexes {
                indexes.sort_by_key(|index| index["IndexName"].as_str().map(str::to_owned));
            }
            let attributes = due["AttributeDefinitions"].as_array().unwrap().clone();
            let due = json!({
                "AttributeDefinitions": sorted(attributes),
                "KeySchema": due["KeySchema"],
                "GlobalSecondaryIndexes": indexes.unwrap_or_default(),
            });
            assert_eq!(table_properties(&described), due, "{name}");
        }
        let ends = place.client.describe_time_to_live();
        let ends = ends.table_name(&place.table).send().await.unwrap();
        let ends = ends.time_to_live_description.unwrap();
        let due = &properties("History")["TimeToLiveSpecification"]["AttributeName"];
        assert_eq!(ends.attribute_name(), due.as_str());
    }));
}
