use serde_json::Value;
use wallet_events::{Event, schema_of};

/// Forbids every field that the schema does not name.
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

/// The parts of an event's JSON that violate the schema of its type, including fields
/// that it does not name.
pub(crate) fn misfits(event: &Event, json: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema_of(event.kind).unwrap()).unwrap();
    assert_eq!(schema["title"], event.type_name().unwrap());
    let body: Value = serde_json::from_str(json).unwrap();
    let validator = jsonschema::options().should_validate_formats(true);
    let validator = validator.build(&strict(&schema)).unwrap();
    let errors = validator.iter_errors(&body);
    errors.map(|error| error.to_string()).collect()
}
