//! One write: its item, its change and its condition. Expressions use `#name` for attributes and `:name` for values, so
//! that they never contain a reserved word.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use serde::Serialize;

use crate::attributes::{Attributes, key_item, to_item, to_value};
use crate::error::HistoryError;
use crate::key::Key;

/// A kind of item that is read, changed and written again as a whole.
pub(crate) trait Rewritten: Serialize {
    /// All attributes that such an item can have, except its key.
    const ATTRIBUTES: &[&str];
}

/// One write, alone or in a transaction.
pub(crate) struct Write {
    pub(crate) key: Key,
    pub(crate) kind: WriteKind,
    pub(crate) condition: Option<String>,
    pub(crate) values: Attributes,
}

pub(crate) enum WriteKind {
    Put(Attributes),
    Update(String),
    Delete,
    Check,
}

impl Write {
    pub(crate) fn put<T: Serialize>(key: Key, item: &T) -> Result<Self, HistoryError> {
        Ok(Self {
            kind: WriteKind::Put(to_item(&key, item)?),
            key,
            condition: None,
            values: Attributes::new(),
        })
    }

    /// Changes an item that was read. It then has the attributes of `item`, and no other attributes of its kind.
    /// Attributes that a newer release added stay.
    ///
    /// # Errors
    /// [`HistoryError::Corrupt`], also for an attribute that is missing in [`Rewritten::ATTRIBUTES`].
    pub(crate) fn rewrite<T: Rewritten>(key: Key, item: &T) -> Result<Self, HistoryError> {
        let written: Attributes = serde_dynamo::to_item(item)
            .map_err(|_| HistoryError::Corrupt("an item that cannot be written"))?;
        if written.keys().any(|name| !T::ATTRIBUTES.contains(&name.as_str())) {
            return Err(HistoryError::Corrupt("an attribute that its kind of item does not have"));
        }
        let (set, removed): (Vec<&str>, Vec<&str>) =
            T::ATTRIBUTES.iter().copied().partition(|name| written.contains_key(*name));
        let set: Vec<_> = set.iter().map(|name| format!("#{name} = :{name}")).collect();
        let mut expression = format!("SET {}", set.join(", "));
        if !removed.is_empty() {
            let removed: Vec<_> = removed.iter().map(|name| format!("#{name}")).collect();
            expression = format!("{expression} REMOVE {}", removed.join(", "));
        }
        let values = written.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        Ok(Self { key, kind: WriteKind::Update(expression), condition: None, values })
    }

    pub(crate) fn update(key: Key, expression: impl Into<String>) -> Self {
        Self { key, kind: WriteKind::Update(expression.into()), condition: None, values: Attributes::new() }
    }

    /// Only for transactions. `History::delete` deletes a single item.
    pub(crate) fn delete(key: Key) -> Self {
        Self { key, kind: WriteKind::Delete, condition: None, values: Attributes::new() }
    }

    pub(crate) fn check(key: Key) -> Self {
        Self { key, kind: WriteKind::Check, condition: None, values: Attributes::new() }
    }

    pub(crate) fn when(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// Sets the value of `:name`.
    pub(crate) fn with<T: Serialize>(mut self, name: &str, value: T) -> Result<Self, HistoryError> {
        self.values.insert(format!(":{name}"), to_value(value)?);
        Ok(self)
    }

    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        let expression = match &self.kind {
            WriteKind::Update(expression) => expression.as_str(),
            WriteKind::Put(_) | WriteKind::Delete | WriteKind::Check => "",
        };
        names_in(&[expression, self.condition.as_deref().unwrap_or_default()])
    }

    pub(crate) fn into_item(self, table: &str) -> Result<TransactWriteItem, HistoryError> {
        let names = self.names();
        let values = (!self.values.is_empty()).then_some(self.values);
        let key = Some(key_item(&self.key));
        let builder = TransactWriteItem::builder();
        let wrong = |_| HistoryError::Corrupt("a write without its parts");
        Ok(match self.kind {
            WriteKind::Put(item) => builder.put(
                Put::builder()
                    .table_name(table)
                    .set_item(Some(item))
                    .set_condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(wrong)?,
            ),
            WriteKind::Update(expression) => builder.update(
                Update::builder()
                    .table_name(table)
                    .set_key(key)
                    .update_expression(expression)
                    .set_condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(wrong)?,
            ),
            WriteKind::Delete => builder.delete(
                Delete::builder()
                    .table_name(table)
                    .set_key(key)
                    .set_condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(wrong)?,
            ),
            WriteKind::Check => builder.condition_check(
                ConditionCheck::builder()
                    .table_name(table)
                    .set_key(key)
                    .set_condition_expression(self.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .build()
                    .map_err(wrong)?,
            ),
        }
        .build())
    }
}

fn names_in(expressions: &[&str]) -> Option<HashMap<String, String>> {
    let mut names = HashMap::new();
    for expression in expressions {
        for (at, _) in expression.match_indices('#') {
            let rest = &expression[at + 1..];
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
            names.insert(format!("#{}", &rest[..end]), rest[..end].to_owned());
        }
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Serialize)]
    struct Changing {
        kept: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        gone: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unlisted: Option<u32>,
    }

    impl Rewritten for Changing {
        const ATTRIBUTES: &[&str] = &["kept", "gone"];
    }

    #[test]
    fn an_item_is_written_again_without_touching_what_is_not_its_own() {
        let expression = |item: &Changing| {
            let key = Key { pk: "a".to_owned(), sk: "b".to_owned() };
            match Write::rewrite(key, item)?.kind {
                WriteKind::Update(expression) => Ok(expression),
                _ => Err(HistoryError::Corrupt("no update")),
            }
        };
        let item = Changing { kept: 1, ..Changing::default() };
        assert_eq!(expression(&item).unwrap(), "SET #kept = :kept REMOVE #gone");
        let item = Changing { gone: Some(2), ..item };
        assert_eq!(expression(&item).unwrap(), "SET #kept = :kept, #gone = :gone");
        let item = Changing { unlisted: Some(3), ..item };
        assert!(matches!(expression(&item), Err(HistoryError::Corrupt(_))));
    }

    #[test]
    fn every_name_in_an_expression_is_declared() {
        let names =
            names_in(&["SET #open = #open + :one, #claimUntil=:until", "attribute_exists(#pk)"]).unwrap();
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort();
        let pair = |name: &str| (format!("#{name}"), name.to_owned());
        assert_eq!(names, [pair("claimUntil"), pair("open"), pair("pk")]);
        assert_eq!(names_in(&["", ""]), None);
    }
}
