//! Items as DynamoDB takes and gives them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::HistoryError;
use crate::key::Key;

/// The attributes of an item.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// An item with the partition that it is in.
#[derive(Deserialize)]
pub(crate) struct In<T> {
    pub(crate) pk: String,
    #[serde(flatten)]
    pub(crate) item: T,
}

pub(crate) fn key_item(key: &Key) -> Attributes {
    Attributes::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}

pub(crate) fn to_value<T: Serialize>(value: T) -> Result<AttributeValue, HistoryError> {
    serde_dynamo::to_attribute_value(value)
        .map_err(|_| HistoryError::Corrupt("a value that cannot be written"))
}

pub(crate) fn to_item<T: Serialize>(key: &Key, item: &T) -> Result<Attributes, HistoryError> {
    let mut written: Attributes =
        serde_dynamo::to_item(item).map_err(|_| HistoryError::Corrupt("an item that cannot be written"))?;
    written.extend(key_item(key));
    Ok(written)
}

pub(crate) fn from_item<T: DeserializeOwned>(item: Attributes) -> Result<T, HistoryError> {
    serde_dynamo::from_item(item).map_err(|_| HistoryError::Corrupt(std::any::type_name::<T>()))
}
