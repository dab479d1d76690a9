//! Replaces `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::If` and `Fn::FindInMap` by what they stand for on this machine.

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::values::{ACCOUNT, LocalValues, REGION, STACK_NAME};

/// Knows the value of every reference of one template.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    document: &'a Value,
    values: &'a LocalValues,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(document: &'a Value, values: &'a LocalValues) -> Self {
        Self { document, values }
    }

    /// The value with every intrinsic in it replaced.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, TemplateError> {
        match value {
            Value::Object(object) => {
                if let Some(intrinsic) = single_entry(object) {
                    match intrinsic {
                        ("Ref", Value::String(name)) if name == "AWS::NoValue" => return Ok(Value::Null),
                        ("Ref", Value::String(name)) => {
                            return self.reference(name).map(|text| self.as_listed(name, text));
                        }
                        ("Fn::GetAtt", argument) => return self.attribute_of(argument).map(Value::String),
                        ("Fn::Sub", Value::String(text)) => return self.substitute(text).map(Value::String),
                        ("Fn::If", Value::Array(parts)) => return self.choose(parts),
                        ("Fn::FindInMap", Value::Array(keys)) => return self.find_in_map(keys),
                        (name, _) if name == "Ref" || name.starts_with("Fn::") => {
                            return Err(TemplateError::Unresolved(name.to_owned()));
                        }
                        _ => {}
                    }
                }
                let mut resolved = Map::new();
                for (key, value) in object {
                    let value = self.resolve(value)?;
                    // What `AWS::NoValue` came to is not there.
                    if !value.is_null() {
                        resolved.insert(key.clone(), value);
                    }
                }
                Ok(Value::Object(resolved))
            }
            Value::Array(array) => {
                array.iter().map(|value| self.resolve(value)).collect::<Result<_, _>>().map(Value::Array)
            }
            scalar => Ok(scalar.clone()),
        }
    }

    /// One of two values, by a condition; the other one is not looked at.
    fn choose(&self, parts: &[Value]) -> Result<Value, TemplateError> {
        let [Value::String(name), then, otherwise] = parts else {
            return Err(TemplateError::Unresolved("Fn::If".to_owned()));
        };
        let condition = &self.document["Conditions"][name.as_str()];
        self.resolve(if self.holds(condition)? { then } else { otherwise })
    }

    /// The value under the names of a map, of its entry and of the entry's value.
    fn find_in_map(&self, keys: &[Value]) -> Result<Value, TemplateError> {
        let found = match keys {
            [Value::String(map), Value::String(entry), Value::String(name)] => {
                self.document["Mappings"][map.as_str()][entry.as_str()].get(name.as_str())
            }
            _ => None,
        };
        found.cloned().ok_or_else(|| TemplateError::Unresolved("Fn::FindInMap".to_owned()))
    }

    fn holds(&self, condition: &Value) -> Result<bool, TemplateError> {
        match condition.as_object().and_then(single_entry) {
            Some(("Fn::Equals", Value::Array(values))) => match values.as_slice() {
                [one, other] => Ok(text(&self.resolve(one)?) == text(&self.resolve(other)?)),
                _ => Err(TemplateError::Unresolved("Fn::Equals".to_owned())),
            },
            Some(("Fn::Not", Value::Array(conditions))) => match conditions.as_slice() {
                [condition] => self.holds(condition).map(|holds| !holds),
                _ => Err(TemplateError::Unresolved("Fn::Not".to_owned())),
            },
            _ => Err(TemplateError::Unresolved("a condition".to_owned())),
        }
    }

    /// The name that AWS would know a resource by: the one it asks for, or one made of the stack's and its own.
    pub(super) fn physical_name(
        &self,
        logical_id: &str,
        name_property: &str,
    ) -> Result<String, TemplateError> {
        match self.resource(logical_id).and_then(|resource| resource["Properties"].get(name_property)) {
            Some(name) => match self.resolve(name)? {
                Value::String(name) => Ok(name),
                _ => Err(TemplateError::Expected {
                    path: format!("{logical_id}.{name_property}"),
                    expected: "a text",
                }),
            },
            None => Ok(format!("{STACK_NAME}-{logical_id}")),
        }
    }

    /// A queue's address.
    pub(super) fn queue_url(&self, logical_id: &str) -> Result<String, TemplateError> {
        let name = self.physical_name(logical_id, "QueueName")?;
        let given = self.values.queue_urls.get(&name).cloned();
        Ok(given.unwrap_or_else(|| format!("{}/{ACCOUNT}/{name}", self.values.sqs_endpoint)))
    }

    /// A function's ARN.
    pub(super) fn function_arn(&self, logical_id: &str) -> Result<String, TemplateError> {
        let name = self.physical_name(logical_id, "FunctionName")?;
        Ok(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
    }

    fn resource(&self, logical_id: &str) -> Option<&'a Value> {
        self.document["Resources"].get(logical_id)
    }

    fn kind(&self, logical_id: &str) -> Option<&'a str> {
        self.resource(logical_id)?["Type"].as_str()
    }

    fn reference(&self, name: &str) -> Result<String, TemplateError> {
        match name {
            "AWS::Region" => return Ok(REGION.to_owned()),
            "AWS::AccountId" => return Ok(ACCOUNT.to_owned()),
            "AWS::StackName" => return Ok(STACK_NAME.to_owned()),
            "AWS::Partition" => return Ok("aws".to_owned()),
            _ => {}
        }
        if let Some(parameter) = self.document["Parameters"].get(name) {
            let given = self.values.parameters.get(name).cloned();
            return given
                .or_else(|| text(parameter.get("Default")?))
                .ok_or_else(|| TemplateError::Unresolved(format!("the parameter {name}")));
        }
        match self.kind(name) {
            Some("AWS::SQS::Queue") => self.queue_url(name),
            Some("AWS::DynamoDB::Table") => self.physical_name(name, "TableName"),
            Some("AWS::Serverless::Function") => self.physical_name(name, "FunctionName"),
            Some("AWS::Serverless::HttpApi") => Ok(name.to_owned()),
            _ => Err(TemplateError::Unresolved(format!("Ref {name}"))),
        }
    }

    /// A parameter that is a list comes as text, as it does in AWS, and is a list where it is referred to.
    fn as_listed(&self, name: &str, text: String) -> Value {
        if self.document["Parameters"][name]["Type"] == "CommaDelimitedList" {
            text.split(',').map(|entry| Value::String(entry.trim().to_owned())).collect()
        } else {
            Value::String(text)
        }
    }

    fn attribute_of(&self, argument: &Value) -> Result<String, TemplateError> {
        let parts = match argument {
            Value::String(dotted) => dotted.split_once('.'),
            Value::Array(pair) => match pair.as_slice() {
                [Value::String(resource), Value::String(attribute)] => {
                    Some((resource.as_str(), attribute.as_str()))
                }
                _ => None,
            },
            _ => None,
        };
        let (resource, attribute) =
            parts.ok_or_else(|| TemplateError::Unresolved("Fn::GetAtt".to_owned()))?;
        self.attribute(resource, attribute)
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<String, TemplateError> {
        match (self.kind(resource), attribute) {
            (Some("AWS::SQS::Queue"), "Arn") => {
                Ok(format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", self.physical_name(resource, "QueueName")?))
            }
            (Some("AWS::SQS::Queue"), "QueueName") => self.physical_name(resource, "QueueName"),
            (Some("AWS::SQS::Queue"), "QueueUrl") => self.queue_url(resource),
            (Some("AWS::DynamoDB::Table"), "Arn") => {
                let name = self.physical_name(resource, "TableName")?;
                Ok(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"))
            }
            (Some("AWS::Serverless::Function"), "Arn") => self.function_arn(resource),
            _ => Err(TemplateError::Unresolved(format!("{resource}.{attribute}"))),
        }
    }

    /// `${Name}` and `${Name.Attribute}`; `${!Name}` stays as `${Name}`.
    fn substitute(&self, text: &str) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, tail) =
                after.split_once('}').ok_or_else(|| TemplateError::Unresolved(format!("Fn::Sub {text}")))?;
            rest = tail;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some((resource, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute(resource, attribute)?);
            } else {
                result.push_str(&self.reference(name)?);
            }
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// A scalar as CloudFormation passes it on: always text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn single_entry(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((key.as_str(), value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(value: Value) -> Result<Value, String> {
        let document = json!({
            "Parameters": {
                "Number": {"Type": "Number", "Default": 5},
                "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
            },
            "Mappings": {"Map": {"Entry": {"Name": 7}}},
            "Conditions": {
                "IsFive": {"Fn::Equals": [{"Ref": "Number"}, "5"]},
                "IsNotFive": {"Fn::Not": [{"Fn::Equals": [5, {"Ref": "Number"}]}]},
            },
            "Resources": {
                "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-q${Number}"}}},
                "T": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
            },
        });
        let values = LocalValues { sqs_endpoint: "http://sqs".to_owned(), ..LocalValues::default() };
        Resolver::new(&document, &values).resolve(&value).map_err(|error| error.to_string())
    }

    #[test]
    fn resolves_references_wherever_they_stand() {
        let resolved =
            resolve(json!({"a": [{"Ref": "Q"}, {"Fn::GetAtt": ["Q", "Arn"]}], "b": {"Ref": "Number"}}));
        assert_eq!(
            resolved,
            Ok(json!({
                "a": ["http://sqs/000000000000/stafett-q5", "arn:aws:sqs:eu-north-1:000000000000:stafett-q5"],
                "b": "5",
            }))
        );
    }

    #[test]
    fn values_of_maps_are_found() {
        assert_eq!(resolve(json!({"Fn::FindInMap": ["Map", "Entry", "Name"]})), Ok(json!(7)));
        assert!(resolve(json!({"Fn::FindInMap": ["Map", "Entry", "Other"]})).is_err());
        assert!(resolve(json!({"Fn::FindInMap": ["Map", "Entry"]})).is_err());
    }

    #[test]
    fn a_list_is_a_list_where_it_is_referred_to() {
        assert_eq!(resolve(json!({"Ref": "List"})), Ok(json!(["a", "b"])));
    }

    #[test]
    fn substitutes_names_attributes_and_literals() {
        let resolved = resolve(json!({"Fn::Sub": "${T.Arn}/index/${!x}/${AWS::Region}"}));
        assert_eq!(
            resolved,
            Ok(json!("arn:aws:dynamodb:eu-north-1:000000000000:table/stafett-T/index/${x}/eu-north-1"))
        );
    }

    #[test]
    fn chooses_by_a_condition_and_leaves_out_what_has_no_value() {
        let value = json!({
            "a": {"Fn::If": ["IsFive", 1, {"Ref": "Nothing"}]},
            "b": {"Fn::If": ["IsNotFive", 1, {"Ref": "AWS::NoValue"}]},
        });
        assert_eq!(resolve(value), Ok(json!({"a": 1})));
        assert!(resolve(json!({"Fn::If": ["Unknown", 1, 2]})).unwrap_err().contains("condition"));
    }

    #[test]
    fn names_what_it_does_not_know() {
        assert!(resolve(json!({"Ref": "Nothing"})).unwrap_err().contains("Nothing"));
        assert!(resolve(json!({"Fn::Join": ["", []]})).unwrap_err().contains("Fn::Join"));
    }
}
