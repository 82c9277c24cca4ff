//! The JSON Schema of a configuration, generated from the types in `model`.

use crate::model::{AnnotationType, Config, SPECIAL_SCHEME_KEYS};
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The schema that documents and fragments of documents are checked against.
pub(crate) static SHAPE: LazyLock<Value> = LazyLock::new(shape);

/// The JSON Schema of a whole project configuration, for editors and `espalier schema`.
///
/// Draft 7, because that is what the YAML plug-ins of editors know best.
pub fn json_schema() -> Value {
    let mut schema = json!({ "$schema": SHAPE["$schema"] });
    if let (Value::Object(root), Value::Object(shape)) = (&mut schema, SHAPE.clone()) {
        root.extend(shape);
        root.insert("title".to_owned(), json!("Espalier project configuration"));
        root.insert("required".to_owned(), json!(["data_files"]));
        root.insert(
            "anyOf".to_owned(),
            json!([
                {"required": ["live_agent"]},
                {"required": ["agentic"], "properties": {"agentic": {"required": ["live_agent"]}}}
            ]),
        );
    }
    if let Some(Value::Object(scheme)) = schema.pointer_mut("/properties/annotation_schemes/items")
    {
        scheme.insert("allOf".to_owned(), rules_of_schemes());
    }
    schema
}

/// Which keys belong to which type of scheme, as conditions that an editor understands.
fn rules_of_schemes() -> Value {
    let rules = AnnotationType::ALL.map(|kind| {
        let strange: Map<String, Value> = SPECIAL_SCHEME_KEYS
            .into_iter()
            .filter(|key| !kind.keys().contains(key))
            .map(|key| (key.to_owned(), Value::Bool(false)))
            .collect();
        let mut then = json!({ "properties": strange });
        if kind.needs_labels() {
            then["required"] = json!(["labels"]);
        }
        json!({
            "if": {"properties": {"annotation_type": {"const": kind.as_str()}}},
            "then": then
        })
    });
    json!(rules)
}

fn shape() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    RecursiveTransform(tidy).transform(&mut schema);
    schema.to_value()
}

/// A key is given a value or left out: `null` is neither. Defaults that are whole mappings only
/// repeat those of their keys. Line ends of a doc comment are not those of its text.
fn tidy(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    drop_null_type(object);
    drop_null_choice(object);
    if object.get("default").is_some_and(says_nothing) {
        object.remove("default");
    }
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

fn says_nothing(default: &Value) -> bool {
    match default {
        Value::Null | Value::Object(_) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn drop_null_type(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
}

fn drop_null_choice(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| *choice != json!({"type": "null"}));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            // What the field says of itself is nearer than what its type says.
            object.entry(key).or_insert(value);
        }
    }
}
