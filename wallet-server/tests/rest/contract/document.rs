use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Response, World};

/// The documentation of one operation.
struct Operation {
    method: &'static str,
    path: String,
    responses: BTreeMap<u16, Value>,
}

/// `/openapi.json`, and the answers seen so far.
pub(super) struct Document {
    whole: Value,
    operations: BTreeMap<String, Operation>,
    seen: RefCell<BTreeSet<(String, u16, String)>>,
}

impl Document {
    pub(super) fn fetch() -> Self {
        Self::of(&World::memory().client().get("/openapi.json"))
    }

    /// The document of the administration's listener.
    pub(super) fn fetch_admin() -> Self {
        Self::of(&World::memory().admin().get("/openapi.json"))
    }

    fn of(answer: &Response) -> Self {
        let whole = answer.clone().expect(200).json();
        assert_eq!(whole["openapi"], "3.1.0");
        let mut operations = BTreeMap::new();
        for (path, item) in whole["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = match method.as_str() {
                    "get" => "GET",
                    "post" => "POST",
                    other => panic!("a method that no test knows: {other}"),
                };
                let responses = operation["responses"].as_object().unwrap();
                let responses = responses.iter();
                let operation_id = operation["operationId"].as_str().unwrap().to_owned();
                let described = Operation {
                    method,
                    path: path.clone(),
                    responses: responses
                        .map(|(status, response)| (status.parse().unwrap(), response.clone()))
                        .collect(),
                };
                assert!(operations.insert(operation_id, described).is_none());
            }
        }
        Self {
            whole,
            operations,
            seen: RefCell::default(),
        }
    }

    /// Every reference can be resolved.
    pub(super) fn assert_whole(&self) {
        let mut rest = vec![&self.whole];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(items) => rest.extend(items),
                Value::Object(fields) => {
                    if let Some(Value::String(to)) = fields.get("$ref") {
                        let path = to.strip_prefix('#').unwrap();
                        assert!(self.whole.pointer(path).is_some(), "{to}");
                    }
                    rest.extend(fields.values());
                }
                _ => {}
            }
        }
    }

    /// The operation's method; the path must be one of its own.
    pub(super) fn method_of(&self, operation: &str, path: &str) -> &'static str {
        let operation = &self.operations[operation];
        let (documented, given) = (operation.path.split('/'), path.split('/'));
        assert_eq!(documented.clone().count(), given.clone().count(), "{path}");
        let same =
            |(documented, given): (&str, &str)| documented.starts_with('{') || documented == given;
        assert!(
            documented.zip(given).all(same),
            "{path} is not {}",
            operation.path
        );
        operation.method
    }

    /// Checks an answer against what is documented, and notes that it was given.
    #[track_caller]
    pub(super) fn check(&self, operation: &str, answer: &Response) {
        let responses = &self.operations[operation].responses;
        let documented = responses
            .get(&answer.status)
            .unwrap_or_else(|| panic!("{operation} answers what is not documented: {answer:?}"));
        let content = documented["content"].as_object().unwrap();
        let content_type = answer.header("content-type").unwrap();
        let documented = content
            .get(content_type)
            .unwrap_or_else(|| panic!("{operation} answers {content_type}, not {content:?}"));
        let code = if content_type.contains("json") {
            let json = answer.json();
            self.validate(&documented["schema"], &json);
            json["code"].as_str().unwrap_or_default().to_owned()
        } else {
            assert!(!answer.body.is_empty());
            String::new()
        };
        let code = if answer.status < 400 {
            String::new()
        } else {
            code
        };
        let seen = (operation.to_owned(), answer.status, code);
        self.seen.borrow_mut().insert(seen);
    }

    #[track_caller]
    fn validate(&self, schema: &Value, instance: &Value) {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.whole["components"],
            "allOf": [schema],
        });
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let errors: Vec<_> = validator.iter_errors(instance).collect();
        assert!(errors.is_empty(), "{errors:?} in {instance}");
    }

    /// Every operation, every status, every code.
    fn all(&self) -> BTreeSet<(String, u16, String)> {
        let mut all = BTreeSet::new();
        for (id, operation) in &self.operations {
            for (status, response) in &operation.responses {
                let problem = &response["content"]["application/problem+json"];
                let codes = &problem["schema"]["allOf"][1]["properties"]["code"]["enum"];
                let codes = codes.as_array().cloned();
                assert_eq!(codes.is_some(), *status >= 400, "{id} {status}");
                for code in codes.unwrap_or_else(|| vec![json!("")]) {
                    all.insert((id.clone(), *status, code.as_str().unwrap().to_owned()));
                }
            }
        }
        all
    }

    /// The codes that are documented for an operation.
    pub(super) fn documents(&self, operation: &str, code: &str) -> bool {
        self.all()
            .iter()
            .any(|(id, _, documented)| id == operation && documented == code)
    }

    pub(super) fn assert_all_seen(&self, least: usize) {
        let all = self.all();
        assert!(
            all.len() > least,
            "only {} answers are documented",
            all.len()
        );
        let seen = self.seen.borrow();
        let unseen: Vec<_> = all.difference(&seen).collect();
        assert!(
            unseen.is_empty(),
            "documented, and never given: {unseen:#?}"
        );
        let undocumented: Vec<_> = seen.difference(&all).collect();
        assert!(
            undocumented.is_empty(),
            "given, and not documented: {undocumented:#?}"
        );
    }
}
