//! Another emulator of DynamoDB and SQS than the built-in ones, by plain calls of AWS's JSON protocol.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Clock;
use crate::pace::Pace;
use crate::sqs::{Counts, Received};
use crate::template::{Queue, REGION, Table};

/// Longer than the longest receive waits.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// How long a new table may take to become active.
const TABLE_LIMIT: Duration = Duration::from_secs(30);
/// The time between two polls of a new table.
const TABLE_PAUSE: Duration = Duration::from_millis(100);

/// A call that was refused or not answered.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The emulator's own error.
    #[error("{operation} was refused ({status}): {code}: {message}")]
    Refused {
        /// What it was asked for.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// AWS's name of the error.
        code: String,
        /// What it says of it.
        message: String,
    },
    /// No answer, or none that can be read.
    #[error("{0} was not answered: {1}")]
    NotAnswered(&'static str, String),
}

impl CallError {
    /// Whether the error is of this name. Queues have two for the same: `QueueDoesNotExist` in the JSON protocol,
    /// `AWS.SimpleQueueService.NonExistentQueue` in the one before it.
    fn is(&self, names: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if names.iter().any(|name| code.ends_with(name)))
    }
}

#[derive(Debug, Clone, Copy)]
enum Service {
    DynamoDb,
    Sqs,
}

/// An emulator at one address for both services.
#[derive(Debug, Clone)]
pub struct Emulator {
    endpoint: String,
    http: reqwest::Client,
    clock: Clock,
}

impl Emulator {
    /// The emulator at this base URL; nothing is called yet.
    pub fn new(endpoint: &str, clock: Clock) -> Self {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Self { endpoint, http: reqwest::Client::new(), clock }
    }

    /// Its base URL, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Creates the tables that are not there yet.
    pub async fn create_tables(&self, tables: &[Table]) -> Result<(), CallError> {
        for table in tables {
            let name = json!({"TableName": table.name});
            match self.call(Service::DynamoDb, "DescribeTable", &name).await {
                Ok(_) => continue,
                Err(error) if error.is(&["ResourceNotFoundException"]) => {}
                Err(error) => return Err(error),
            }
            self.call(Service::DynamoDb, "CreateTable", &table.create).await?;
            self.until_active(&name).await?;
            if let Some(attribute) = &table.expiry_attribute {
                let request = json!({
                    "TableName": table.name,
                    "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
                });
                self.call(Service::DynamoDb, "UpdateTimeToLive", &request).await?;
            }
        }
        Ok(())
    }

    async fn until_active(&self, table: &Value) -> Result<(), CallError> {
        let active = async {
            loop {
                let answer = self.call(Service::DynamoDb, "DescribeTable", table).await?;
                if answer["Table"]["TableStatus"] == "ACTIVE" {
                    return Ok(());
                }
                tokio::time::sleep(TABLE_PAUSE).await;
            }
        };
        let late = || CallError::NotAnswered("CreateTable", "the table does not become active".to_owned());
        tokio::time::timeout(TABLE_LIMIT, active).await.unwrap_or_else(|_| Err(late()))
    }

    /// Creates the queues that are not there yet, and sets all of them to what the template says, durations at this
    /// pace; gives their addresses by name.
    pub async fn create_queues(
        &self,
        queues: &[Queue],
        pace: Pace,
    ) -> Result<BTreeMap<String, String>, CallError> {
        let mut urls = BTreeMap::new();
        for queue in queues {
            urls.insert(queue.name.clone(), self.queue_url(&queue.name).await?);
        }
        // Only when all are there: a queue is set to send its dead letters to another one.
        for queue in queues {
            let seconds = |real| pace.duration(real).as_secs().to_string();
            let mut attributes = json!({
                "VisibilityTimeout": seconds(queue.visibility_timeout),
                "MessageRetentionPeriod": seconds(queue.retention),
            });
            if let Some(redrive) = &queue.redrive {
                let arn = self.queue_arn(url_of(&urls, &redrive.dead_letter_queue)?).await?;
                let policy =
                    json!({"deadLetterTargetArn": arn, "maxReceiveCount": redrive.max_receive_count});
                attributes["RedrivePolicy"] = Value::String(policy.to_string());
            }
            let request = json!({"QueueUrl": url_of(&urls, &queue.name)?, "Attributes": attributes});
            self.call(Service::Sqs, "SetQueueAttributes", &request).await?;
        }
        Ok(urls)
    }

    async fn queue_url(&self, name: &str) -> Result<String, CallError> {
        let request = json!({"QueueName": name});
        let answer = match self.call(Service::Sqs, "GetQueueUrl", &request).await {
            Err(error) if error.is(&["QueueDoesNotExist", "NonExistentQueue"]) => {
                self.call(Service::Sqs, "CreateQueue", &request).await?
            }
            answer => answer?,
        };
        text(&answer, "QueueUrl", "GetQueueUrl")
    }

    async fn queue_arn(&self, url: &str) -> Result<String, CallError> {
        let request = json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]});
        let answer = self.call(Service::Sqs, "GetQueueAttributes", &request).await?;
        text(&answer["Attributes"], "QueueArn", "GetQueueAttributes")
    }

    /// Receives up to `max` messages; waits up to `wait_s` seconds for the first.
    pub async fn receive(&self, url: &str, max: usize, wait_s: u64) -> Result<Vec<Received>, CallError> {
        let request = json!({
            "QueueUrl": url,
            "MaxNumberOfMessages": max,
            "WaitTimeSeconds": wait_s,
            "MessageSystemAttributeNames": ["All"],
        });
        let answer = self.call(Service::Sqs, "ReceiveMessage", &request).await?;
        answer["Messages"].as_array().unwrap_or(&Vec::new()).iter().map(received).collect()
    }

    /// Deletes a received message.
    pub async fn delete(&self, url: &str, receipt: &str) -> Result<(), CallError> {
        let request = json!({"QueueUrl": url, "ReceiptHandle": receipt});
        self.call(Service::Sqs, "DeleteMessage", &request).await.map(drop)
    }

    /// What a queue holds.
    pub async fn counts(&self, url: &str) -> Result<Counts, CallError> {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let request = json!({"QueueUrl": url, "AttributeNames": names});
        let answer = self.call(Service::Sqs, "GetQueueAttributes", &request).await?;
        let [visible, delayed, in_flight] =
            names.map(|name| number(&answer["Attributes"], name, "GetQueueAttributes"));
        Ok(Counts { visible: visible?, delayed: delayed?, in_flight: in_flight? })
    }

    async fn call(
        &self,
        service: Service,
        operation: &'static str,
        request: &Value,
    ) -> Result<Value, CallError> {
        let (target, scope) = match service {
            Service::DynamoDb => ("DynamoDB_20120810", "dynamodb"),
            Service::Sqs => ("AmazonSQS", "sqs"),
        };
        let now = self.clock.now();
        // Emulators read the region, and some the account, from the authorization; none checks the signature. It must
        // be what the functions' own calls say.
        let credential = format!("local/{}/{REGION}/{scope}/aws4_request", now.strftime("%Y%m%d"));
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=0");
        let not_answered =
            |error: reqwest::Error| CallError::NotAnswered(operation, error.without_url().to_string());
        let response = self
            .http
            .post(&self.endpoint)
            .timeout(CALL_LIMIT)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("{target}.{operation}"))
            .header("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string())
            .header("authorization", authorization)
            .body(request.to_string())
            .send()
            .await
            .map_err(not_answered)?;
        let status = response.status();
        let body = response.bytes().await.map_err(not_answered)?;
        // Some answers are empty.
        let answer = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice::<Value>(&body) };
        if status.is_success() {
            return answer.map_err(|_| CallError::NotAnswered(operation, "no JSON".to_owned()));
        }
        let answer = answer.unwrap_or_default();
        let given = |names: [&str; 2]| {
            let given = names.iter().find_map(|name| answer[*name].as_str());
            given.unwrap_or("nothing was said").to_owned()
        };
        let (code, message) = (given(["__type", "code"]), given(["message", "Message"]));
        Err(CallError::Refused { operation, status: status.as_u16(), code, message })
    }
}

fn url_of<'a>(urls: &'a BTreeMap<String, String>, queue: &str) -> Result<&'a String, CallError> {
    let missing = || CallError::NotAnswered("CreateQueue", format!("the template has no queue {queue}"));
    urls.get(queue).ok_or_else(missing)
}

fn received(message: &Value) -> Result<Received, CallError> {
    const OPERATION: &str = "ReceiveMessage";
    let attributes = &message["Attributes"];
    Ok(Received {
        id: text(message, "MessageId", OPERATION)?,
        receipt: text(message, "ReceiptHandle", OPERATION)?,
        body: text(message, "Body", OPERATION)?,
        sent_ms: number(attributes, "SentTimestamp", OPERATION)?,
        first_received_ms: number(attributes, "ApproximateFirstReceiveTimestamp", OPERATION)?,
        receive_count: number(attributes, "ApproximateReceiveCount", OPERATION)?,
    })
}

fn text(answer: &Value, name: &str, operation: &'static str) -> Result<String, CallError> {
    let missing = || CallError::NotAnswered(operation, format!("there is no {name} in the answer"));
    answer[name].as_str().map(str::to_owned).ok_or_else(missing)
}

/// SQS's numbers are texts.
fn number<T: std::str::FromStr>(answer: &Value, name: &str, operation: &'static str) -> Result<T, CallError> {
    let no_number = |_| CallError::NotAnswered(operation, format!("{name} is no number"));
    text(answer, name, operation)?.parse().map_err(no_number)
}
