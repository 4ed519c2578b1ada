use serde_json::Value;
use wallet_events::schema_of;

use crate::envelope::samples::samples;
use crate::strict::misfits;

#[test]
fn every_event_fits_the_schema_of_its_type_and_names_no_field_that_it_lacks() {
    for event in samples() {
        let body = event.message("/").unwrap().body;
        assert_eq!(misfits(&event, &body), Vec::<String>::new(), "{body}");
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
