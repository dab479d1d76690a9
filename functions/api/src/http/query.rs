//! Checks the query of every request against the parameters in the description of its call.

use std::sync::Arc;

use axum::extract::{Query, Request};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::parameter_fault::ParameterFault;
use crate::http::problem::Problem;

/// Refuses a request with an unknown or repeated query parameter. If the parameter were ignored, the call would seem to
/// work, but a list would come back without its filter.
pub(crate) async fn check(known: Arc<[&'static str]>, request: Request, next: Next) -> Response {
    match checked(&known, request.uri()) {
        Ok(()) => next.run(request).await,
        Err(fault) => Problem::Parameter(fault).into_response(),
    }
}

fn checked(known: &Arc<[&'static str]>, uri: &Uri) -> Result<(), ParameterFault> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(parameters) = query.map_err(|_| ParameterFault::unknown("", known))?;
    let mut seen = Vec::new();
    for (given, _) in &parameters {
        let name = known.iter().find(|name| *name == given);
        let name = *name.ok_or_else(|| ParameterFault::unknown(given, known))?;
        if seen.contains(&name) {
            return Err(ParameterFault::Repeated(name));
        }
        seen.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_known_and_there_once() {
        let known = Arc::from(["limit", "status"]);
        let check = |query: &str| checked(&known, &format!("/v1/sends{query}").parse().unwrap());
        for good in ["", "?", "?limit=1", "?status=a,b&limit=2", "?status=", "?limit"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("?status=a&limit=1&status=b"), Err(ParameterFault::Repeated("status")));
        for unknown in ["stage", "Limit", "limi%74s"] {
            let fault = check(&format!("?limit=1&{unknown}=users")).unwrap_err();
            assert!(matches!(fault, ParameterFault::Unknown { name: Some(_), .. }), "{unknown}");
        }
        assert_eq!(check("?limi%74=1"), Ok(()), "the name is decoded");
        assert!(check("?=1").is_err());
    }
}
