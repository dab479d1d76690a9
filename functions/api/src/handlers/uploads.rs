//! Sends in parts: stores a part, and submits all parts.

use axum::Json;
use axum::extract::State;

use crate::api::Shared;
use crate::handlers::sends::accepted;
use crate::http::address::SendAddress;
use crate::http::answer::NewSend;
use crate::http::body::RequestBody;
use crate::http::caller::Sender;
use crate::http::problem::Problem;
use crate::views::send::SendView;
use crate::views::upload::PartView;

/// `POST /v1/sends/{send}/records`: stores a part.
pub(crate) async fn records(
    State(api): State<Shared>,
    _: Sender,
    SendAddress(send): SendAddress,
    RequestBody(body): RequestBody,
) -> Result<Json<PartView>, Problem> {
    Ok(Json(api.intake.take_part(&send, body).await?.into()))
}

/// `POST /v1/sends/{send}/submit`: accepts a send that came in parts. A repeated request gets the same response.
pub(crate) async fn submit(
    State(api): State<Shared>,
    Sender(caller): Sender,
    SendAddress(send): SendAddress,
    RequestBody(body): RequestBody,
) -> Result<NewSend<SendView>, Problem> {
    let stored = Box::pin(api.intake.submit(&send, &body)).await?;
    Ok(accepted(stored, caller.audience(), api.clock.now()))
}
