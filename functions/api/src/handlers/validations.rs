//! Validation of a body without sending it.

use axum::Json;
use axum::extract::State;

use crate::api::Shared;
use crate::http::body::RequestBody;
use crate::http::caller::Sender;
use crate::http::problem::Problem;
use crate::views::validation::ValidationView;

/// The most duties that the access preview shows.
const VIEWERS_SHOWN: usize = 100;

/// `POST /v1/validations`: checks the body of `POST /v1/sends`. Nothing is stored or sent.
pub(crate) async fn validate(
    State(api): State<Shared>,
    Sender(caller): Sender,
    RequestBody(body): RequestBody,
) -> Result<Json<ValidationView>, Problem> {
    let (organisation, access) = (&caller.organisation, caller.access());
    let report = api.intake.validate(organisation, body, access, VIEWERS_SHOWN).await?;
    Ok(Json(ValidationView::new(report)?))
}
