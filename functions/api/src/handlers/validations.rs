//! What would be said of a send.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::api::Shared;
use crate::http::body::RequestBody;
use crate::http::caller::Sender;
use crate::http::problem::Problem;
use crate::views::validation::ValidationView;

/// Duties that the preview shows; the answer says how many there are.
const VIEWERS_SHOWN: usize = 100;

/// `POST /v1/validations`: looks at the body of `POST /v1/sends`. Nothing is stored or sent.
pub(crate) async fn validate(
    State(api): State<Shared>,
    Sender(caller): Sender,
    RequestBody(body): RequestBody,
) -> Result<Response, Problem> {
    let (organisation, access) = (&caller.organisation, caller.access());
    let report = api.intake.validate(organisation, body, access, VIEWERS_SHOWN).await?;
    Ok(Json(ValidationView::new(&report)?).into_response())
}
