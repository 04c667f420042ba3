//! Cedar expressions, in their JSON form, with what is known written out: the dataset that is asked and
//! the covenant in force become literals, and what depends on nothing else is computed. What remains
//! speaks of facts only.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Entities by their literal, as Cedar writes them in JSON: attributes and tags.
pub(crate) type Store = BTreeMap<String, Attributes>;

/// What is known of one entity.
pub(crate) struct Attributes {
    pub(crate) attrs: Map<String, Value>,
    pub(crate) tags: Map<String, Value>,
}

/// What is known while a rule is folded.
pub(crate) struct Known<'a> {
    pub(crate) store: &'a Store,
    /// `{"type": …, "id": …}` of the dataset.
    pub(crate) resource: &'a Value,
    /// The same of the covenant, which rules reach as `context.covenant`.
    pub(crate) covenant: &'a Value,
}

impl Known<'_> {
    /// Folds an expression.
    pub(crate) fn fold(&self, expression: Value) -> Value {
        match expression {
            Value::Object(object) => self.node(object),
            Value::Array(items) => items.into_iter().map(|item| self.fold(item)).collect(),
            other => other,
        }
    }

    /// An expression is an object with one member: the operation, with its arguments.
    fn node(&self, object: Map<String, Value>) -> Value {
        let Some((operation, arguments)) = object.into_iter().next() else {
            return Value::Null;
        };
        match (operation.as_str(), arguments) {
            ("Value", value) => json!({ "Value": value }),
            ("Var", name) if name == "resource" => entity(self.resource),
            (_, Value::Object(members)) => {
                let members = members.into_iter().map(|(name, one)| (name, self.fold(one)));
                self.apply(&operation, members.collect())
            }
            (_, arguments) => one(&operation, self.fold(arguments)),
        }
    }

    fn apply(&self, operation: &str, arguments: Map<String, Value>) -> Value {
        let argument = |name: &str| arguments.get(name).unwrap_or(&Value::Null);
        let (left, right) = (argument("left"), argument("right"));
        let folded = match operation {
            "." => self.attribute(left, argument("attr").as_str().unwrap_or_default()),
            "has" => self.has(left, argument("attr").as_str().unwrap_or_default()),
            "hasTag" => self.tags(left).map(|tags| has_tag(tags, right)),
            "getTag" => self.tags(left).map(|tags| get_tag(tags, right)),
            "&&" if is(left, false) || is(right, false) => Some(boolean(false)),
            "||" if is(left, true) || is(right, true) => Some(boolean(true)),
            "&&" if is(left, true) => Some(right.clone()),
            "||" if is(left, false) => Some(right.clone()),
            "&&" if is(right, true) => Some(left.clone()),
            "||" if is(right, false) => Some(left.clone()),
            "!" if is(argument("arg"), true) => Some(boolean(false)),
            "!" if is(argument("arg"), false) => Some(boolean(true)),
            "contains" if is_empty(left) => Some(boolean(false)),
            "containsAll" if is_empty(right) => Some(boolean(true)),
            "containsAll" if is_empty(left) => Some(empty(right)),
            "containsAny" if is_empty(left) || is_empty(right) => Some(boolean(false)),
            "isEmpty" if set(argument("arg")).is_some() => Some(empty(argument("arg"))),
            "==" if is_empty(right) => Some(empty(left)),
            "==" if is_empty(left) => Some(empty(right)),
            "!=" if is_empty(right) => Some(not(empty(left))),
            "!=" if is_empty(left) => Some(not(empty(right))),
            _ => None,
        };
        folded.unwrap_or_else(|| one(operation, Value::Object(arguments)))
    }

    fn attribute(&self, left: &Value, name: &str) -> Option<Value> {
        if name == "covenant" && left.get("Var").is_some_and(|var| var == "context") {
            return Some(entity(self.covenant));
        }
        if let Some(record) = left.get("Record") {
            return record.get(name).cloned();
        }
        self.known(left)?.attrs.get(name).map(literal)
    }

    fn has(&self, left: &Value, name: &str) -> Option<Value> {
        Some(boolean(self.known(left)?.attrs.contains_key(name)))
    }

    fn tags(&self, left: &Value) -> Option<&Map<String, Value>> {
        Some(&self.known(left)?.tags)
    }

    fn known(&self, expression: &Value) -> Option<&Attributes> {
        self.store.get(&expression.get("Value")?.get("__entity")?.to_string())
    }
}

fn has_tag(tags: &Map<String, Value>, key: &Value) -> Value {
    let names: Vec<_> = tags.keys().map(|name| json!({ "Value": name })).collect();
    if names.is_empty() {
        return boolean(false);
    }
    json!({ "contains": { "left": { "Set": names }, "right": key } })
}

/// The value of the tag that is asked for. A rule that asks for one that is not there would err, which
/// is proven never to be: so the last tag stands for all others.
fn get_tag(tags: &Map<String, Value>, key: &Value) -> Value {
    let chosen = tags.iter().fold(None, |otherwise, (name, value)| {
        let value = literal(value);
        let Some(otherwise) = otherwise else { return Some(value) };
        let same = json!({ "==": { "left": key, "right": { "Value": name } } });
        Some(json!({ "if-then-else": { "if": same, "then": value, "else": otherwise } }))
    });
    // Without tags, whatever is made of it stands behind a `hasTag` that is false.
    chosen.unwrap_or_else(|| json!({ "Set": [] }))
}

/// The expression of a value in the form of entity files.
pub(crate) fn literal(value: &Value) -> Value {
    match value {
        Value::Array(items) => json!({ "Set": items.iter().map(literal).collect::<Vec<_>>() }),
        Value::Object(members) if !members.contains_key("__entity") => {
            let members = members.iter().map(|(name, one)| (name.clone(), literal(one)));
            json!({ "Record": members.collect::<Map<_, _>>() })
        }
        simple => json!({ "Value": simple }),
    }
}

fn entity(uid: &Value) -> Value {
    json!({ "Value": { "__entity": uid } })
}

fn one(operation: &str, arguments: Value) -> Value {
    Value::Object(Map::from_iter([(operation.to_owned(), arguments)]))
}

fn boolean(value: bool) -> Value {
    json!({ "Value": value })
}

fn not(expression: Value) -> Value {
    json!({ "!": { "arg": expression } })
}

/// Whether an expression is this truth value.
pub(crate) fn is(expression: &Value, value: bool) -> bool {
    expression.get("Value").and_then(Value::as_bool) == Some(value)
}

fn set(expression: &Value) -> Option<&Vec<Value>> {
    expression.get("Set")?.as_array()
}

/// Whether this is `[]`, which strict validation does not take, because it has no type.
fn is_empty(expression: &Value) -> bool {
    set(expression).is_some_and(Vec::is_empty)
}

fn empty(expression: &Value) -> Value {
    match set(expression) {
        Some(items) => boolean(items.is_empty()),
        None => json!({ "isEmpty": { "arg": expression } }),
    }
}
