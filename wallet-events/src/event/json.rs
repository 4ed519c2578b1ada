//! Writes JSON directly into one text, without a tree of values, because many thousand
//! events are rendered.

use std::fmt::{Display, Write};

use serde_json::Value;

/// A JSON object that is written field by field. Dropping it closes the object.
#[derive(Debug)]
pub(super) struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String) -> Self {
        out.push('{');
        let is_empty = true;
        Self { out, is_empty }
    }

    /// The position where the value of a field is written.
    pub(super) fn field(&mut self, name: &'static str) -> &mut String {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.out
    }

    /// A number, a truth value, or JSON.
    pub(super) fn raw(&mut self, name: &'static str, value: impl Display) {
        write_to(self.field(name), value);
    }

    /// A text without characters that need an escape.
    pub(super) fn plain(&mut self, name: &'static str, value: &str) {
        let out = self.field(name);
        out.push('"');
        out.push_str(value);
        out.push('"');
    }

    /// A value that is written as such a text: a number or a time.
    pub(super) fn shown(&mut self, name: &'static str, value: impl Display) {
        let out = self.field(name);
        out.push('"');
        write_to(out, value);
        out.push('"');
    }

    /// Any text.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        text(self.field(name), value);
    }

    pub(super) fn object(&mut self, name: &'static str) -> Object<'_> {
        Object::begin(self.field(name))
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push('}');
    }
}

/// A JSON array of what `write` writes for each item.
pub(super) fn array<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

pub(super) fn write_to(out: &mut String, value: impl Display) {
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{value}");
}

fn text(out: &mut String, value: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if value.bytes().all(is_plain) {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        out.push_str(&Value::from(value).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        for point in (0..0x1_0000).chain([0x1_F600, 0x10_FFFF]) {
            let Some(one) = char::from_u32(point) else {
                continue;
            };
            for value in [one.to_string(), format!("a{one}b")] {
                let mut out = String::new();
                text(&mut out, &value);
                assert_eq!(out, serde_json::to_string(&value).unwrap(), "{point:x}");
            }
        }
    }

    #[test]
    fn objects_and_arrays_have_commas_between() {
        let mut out = String::new();
        {
            let mut outer = Object::begin(&mut out);
            outer.raw("a", 1);
            outer.object("b").plain("c", "d");
            drop(outer.object("e"));
            array(outer.field("f"), [1, 2], write_to);
            array(outer.field("g"), [0; 0], write_to);
            outer.text("h", "\"");
        }
        let due = r#"{"a":1,"b":{"c":"d"},"e":{},"f":[1,2],"g":[],"h":"\""}"#;
        assert_eq!(out, due);
    }
}
