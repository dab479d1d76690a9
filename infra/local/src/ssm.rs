//! The local stack's own parameter store (SSM): organisers' settings from a directory, one file each, read afresh with
//! every call, so that what is added, changed or removed there shows as it would on AWS.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use stafett_domain::OrganisationNumber;
use tokio::net::TcpListener;

/// What every answer is.
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// Parameters in an answer, at most.
const LARGEST_PAGE: u64 = 10;

/// The parameter store.
#[derive(Debug, Clone)]
pub struct Ssm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: Option<PathBuf>,
    /// Whose settings have been in the directory: when they are not any more, they were removed.
    seen: Mutex<HashSet<OrganisationNumber>>,
}

/// Why a call is refused: AWS's code.
#[derive(Debug)]
struct Refused(&'static str);

impl Ssm {
    /// The settings in `dir`. An organiser without a file gets settings that are made up.
    pub fn new(dir: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { dir, seen: Mutex::default() }))
    }

    /// Answers calls on this listener for as long as it is awaited.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        axum::serve(listener, Router::new().route("/", post(call)).with_state(self)).await
    }

    fn perform(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        match operation {
            "GetParameter" => {
                let name = request["Name"].as_str().ok_or(Refused("ValidationException"))?;
                Ok(json!({"Parameter": self.parameter(name)?}))
            }
            "GetParametersByPath" => {
                let path = request["Path"].as_str().ok_or(Refused("ValidationException"))?;
                let most = request["MaxResults"].as_u64().unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
                let most = usize::try_from(most).unwrap_or(1);
                let after = request["NextToken"].as_str().unwrap_or_default();
                let numbers: Vec<_> =
                    self.listed().into_iter().filter(|number| number.as_str() > after).collect();
                let page = numbers.get(..most).unwrap_or(&numbers);
                let parameters: Vec<_> = page
                    .iter()
                    .filter_map(|number| self.parameter(&format!("{path}/{number}")).ok())
                    .collect();
                let next = page.last().filter(|_| numbers.len() > page.len());
                Ok(json!({"Parameters": parameters, "NextToken": next.map(OrganisationNumber::as_str)}))
            }
            _ => Err(Refused("UnknownOperationException")),
        }
    }

    /// A parameter, by a name that ends with an organisation number.
    fn parameter(&self, name: &str) -> Result<Value, Refused> {
        let number = name.rsplit('/').next().and_then(|number| number.parse().ok());
        let number: OrganisationNumber = number.ok_or(Refused("ParameterNotFound"))?;
        let value = self.value(&number).ok_or(Refused("ParameterNotFound"))?;
        Ok(json!({"Name": name, "Type": "SecureString", "Value": value, "Version": 1, "DataType": "text"}))
    }

    fn value(&self, number: &OrganisationNumber) -> Option<String> {
        let file = self.0.dir.as_ref().map(|dir| dir.join(format!("{number}.json")));
        let text = file.and_then(|file| std::fs::read_to_string(file).ok());
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_some() {
            seen.insert(number.clone());
            return text;
        }
        (!seen.contains(number)).then(|| made_up(number).to_string())
    }

    /// Whose settings are in the directory.
    fn listed(&self) -> BTreeSet<OrganisationNumber> {
        let entries = self.0.dir.as_ref().and_then(|dir| std::fs::read_dir(dir).ok());
        let names =
            entries.into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect()
    }
}

/// The settings with which any organisation number works here: both environments, no certificate.
fn made_up(number: &OrganisationNumber) -> Value {
    json!({
        "environments": ["production", "verification"],
        "entityId": format!("https://{number}.example.se"),
    })
}

async fn call(State(ssm): State<Ssm>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonSSM.").unwrap_or(target);
    let request = serde_json::from_slice(&body).unwrap_or_default();
    let (status, answer) = match ssm.perform(operation, &request) {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refused(code)) => (StatusCode::BAD_REQUEST, json!({"__type": code})),
    };
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], answer.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "5560000001";

    fn get(ssm: &Ssm, number: &str) -> Option<String> {
        let answer = ssm.perform("GetParameter", &json!({"Name": format!("/stafett/organisers/{number}")}));
        answer.ok().map(|answer| answer["Parameter"]["Value"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_file_is_a_parameter_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let ssm = Ssm::new(Some(dir.path().to_owned()));
        assert!(get(&ssm, ONE).unwrap().contains("https://5560000001.example.se"), "made up");
        let file = dir.path().join(format!("{ONE}.json"));
        for text in ["{}", "[1]"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(get(&ssm, ONE).as_deref(), Some(text));
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(get(&ssm, ONE), None);
        assert_eq!(get(&ssm, "55600000"), None);
    }

    #[test]
    fn parameters_are_listed_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..23 {
            std::fs::write(dir.path().join(format!("55600000{number:02}.json")), "{}").unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "").unwrap();
        let ssm = Ssm::new(Some(dir.path().to_owned()));
        let (mut found, mut next) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({"Path": "/p", "MaxResults": 10});
            if !next.is_null() {
                request["NextToken"] = next;
            }
            let page = ssm.perform("GetParametersByPath", &request).unwrap();
            let names = page["Parameters"].as_array().unwrap().iter();
            found.extend(names.map(|one| one["Name"].as_str().unwrap().to_owned()));
            next = page["NextToken"].clone();
            if next.is_null() {
                break;
            }
        }
        assert_eq!((found.len(), found[22].as_str()), (23, "/p/5560000022"));
        found.dedup();
        assert_eq!(found.len(), 23);
    }
}
