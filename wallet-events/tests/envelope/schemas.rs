use serde_json::Value;
use wallet_events::schema_of;

use crate::samples::samples;

/// With every field forbidden that the schema does not name.
fn strict(schema: &Value) -> Value {
    fn close(value: &mut Value) {
        if let Value::Object(fields) = value {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        if let Value::Array(items) = value {
            items.iter_mut().for_each(close);
        }
    }
    let mut schema = schema.clone();
    close(&mut schema);
    schema
}

#[test]
fn every_event_fits_the_schema_of_its_type_and_names_no_field_that_it_lacks() {
    for event in samples() {
        let schema: Value = serde_json::from_str(schema_of(event.kind).unwrap()).unwrap();
        assert_eq!(schema["title"], event.type_name().unwrap());
        let body: Value = serde_json::from_str(&event.message("/").unwrap().body).unwrap();
        let validator = jsonschema::options().should_validate_formats(true);
        let validator = validator.build(&strict(&schema)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&body)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{body:#}: {errors:#?}");
    }
}

#[test]
fn a_schema_refuses_what_is_missing_and_what_is_malformed() {
    for event in samples() {
        let schema: Value = serde_json::from_str(schema_of(event.kind).unwrap()).unwrap();
        let validator = jsonschema::options().should_validate_formats(true);
        let validator = validator.build(&schema).unwrap();
        let body: Value = serde_json::from_str(&event.message("/").unwrap().body).unwrap();
        assert!(validator.is_valid(&body));
        for name in ["id", "type", "time", "data"] {
            let mut less = body.clone();
            less.as_object_mut().unwrap().remove(name);
            assert!(!validator.is_valid(&less), "without {name}");
        }
        let mut wrong = body.clone();
        wrong["data"]["balance"]["posted"] = Value::from(12);
        assert!(!validator.is_valid(&wrong), "a number for an amount");
        let mut wrong = body;
        wrong["data"]["version"] = Value::from(0);
        assert!(!validator.is_valid(&wrong), "version 0");
    }
}
