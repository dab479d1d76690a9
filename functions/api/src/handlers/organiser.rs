//! The caller's organiser.

use axum::Json;
use axum::extract::State;

use crate::api::Shared;
use crate::http::caller::Reader;
use crate::http::problem::Problem;
use crate::views::organiser::OrganiserView;

/// `GET /v1/organiser`: what is set for the caller's organiser, and whether it can send.
pub(crate) async fn show(State(api): State<Shared>, reader: Reader) -> Result<Json<OrganiserView>, Problem> {
    let status = api.intake.organiser(&reader.organisation).await?;
    Ok(Json(OrganiserView::new(reader.organisation, status, api.clock.now())))
}
