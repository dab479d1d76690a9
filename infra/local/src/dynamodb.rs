//! The emulated DynamoDB: in memory, in process, with the template's tables.

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
    /// The template's description is not one of a table.
    #[error("table {0}: {1}")]
    Description(String, serde_json::Error),
}

/// Makes an empty database with these tables.
pub fn create(tables: &[Table]) -> Result<Database, DynamoDbError> {
    let database = Database::memory()?;
    for table in tables {
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
    use crate::template::{LocalValues, Template};

    #[test]
    fn the_templates_table_is_created() {
        let parameters = ["JwtIssuer", "JwtAudience"].map(|name| (name.to_owned(), "x".to_owned()));
        let values = LocalValues { parameters: parameters.into(), ..LocalValues::default() };
        let tables = Template::embedded().unwrap().resources(&values).unwrap().tables;
        let database = create(&tables).unwrap();
        let metadata = database.get_table_metadata(&tables[0].name).unwrap().unwrap();
        assert!(metadata.gsi_definitions.unwrap().contains("dueShard"));
        let request = serde_json::from_value(json!({"TableName": tables[0].name})).unwrap();
        let ttl = serde_json::to_value(database.describe_time_to_live(request).unwrap()).unwrap();
        assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "expires");
    }
}
