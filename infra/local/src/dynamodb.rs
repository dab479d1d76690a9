//! The emulated DynamoDB: in process, in memory or in a file, with the template's tables.

use std::path::Path;

use dynoxide::Database;
use serde_json::json;
use tokio::net::TcpListener;

use crate::template::Table;

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The emulator refused.
    #[error("the emulated DynamoDB: {0}")]
    Emulator(#[from] dynoxide::DynoxideError),
    /// The emulator takes the file's path as text.
    #[error("the emulated DynamoDB: the path is not valid UTF-8")]
    Path,
    /// The template's description is not one of a table.
    #[error("table {0}: {1}")]
    Description(String, serde_json::Error),
}

/// Opens the database of this file, or an empty one in memory, and creates those of the tables that it has not. A table
/// that is there stays as it is, whatever has become of the template since.
pub fn open(file: Option<&Path>, tables: &[Table]) -> Result<Database, DynamoDbError> {
    let database = match file {
        None => Database::memory()?,
        Some(file) => Database::new(file.to_str().ok_or(DynamoDbError::Path)?)?,
    };
    for table in tables {
        if database.get_table_metadata(&table.name)?.is_some() {
            continue;
        }
        let description = |error| DynamoDbError::Description(table.name.clone(), error);
        database.create_table(serde_json::from_value(table.create.clone()).map_err(description)?)?;
        if let Some(attribute) = &table.expiry_attribute {
            let request = json!({
                "TableName": table.name,
                "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
            });
            database.update_time_to_live(serde_json::from_value(request).map_err(description)?)?;
        }
    }
    Ok(database)
}

/// Answers calls on this listener for as long as it is awaited.
pub async fn serve(database: Database, listener: TcpListener) -> Result<(), String> {
    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn tables() -> Vec<Table> {
        Template::described().tables
    }

    #[test]
    fn the_templates_table_is_created() {
        let tables = tables();
        let database = open(None, &tables).unwrap();
        let metadata = database.get_table_metadata(&tables[0].name).unwrap().unwrap();
        assert!(metadata.gsi_definitions.unwrap().contains("dueShard"));
        let request = serde_json::from_value(json!({"TableName": tables[0].name})).unwrap();
        let ttl = serde_json::to_value(database.describe_time_to_live(request).unwrap()).unwrap();
        assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "expires");
    }

    #[test]
    fn a_file_keeps_its_items() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("dynamodb.sqlite");
        let tables = tables();
        let name = &tables[0].name;
        let key = json!({"pk": {"S": "p"}, "sk": {"S": "s"}});
        let put = serde_json::from_value(json!({"TableName": name, "Item": key})).unwrap();
        open(Some(&file), &tables).unwrap().put_item(put).unwrap();
        let get = serde_json::from_value(json!({"TableName": name, "Key": key})).unwrap();
        assert!(open(Some(&file), &tables).unwrap().get_item(get).unwrap().item.is_some());
    }
}
