//! Who requested a send, shown only to callers who may see it.

use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::Access;

use crate::http::caller::Audience;

/// Who requested a send: `sub` of a token, which many identity providers fill with an e-mail address, a user name or a
/// civic number. It is hidden until [`RequesterView::shown_to`] decides.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Requester")]
pub(crate) struct RequesterView {
    /// `sub` of the token that requested the send. Shown to callers with `history:personal`, and to the user who
    /// requested it; otherwise null, because it may be an e-mail address or a user name.
    #[schemars(example = "admin@local")]
    requested_by: Option<String>,
    /// `requestedBy` is hidden from this caller.
    masked: bool,
    #[serde(skip)]
    subject: String,
}

impl RequesterView {
    /// Hidden from everybody.
    pub(crate) fn hidden(subject: String) -> Self {
        Self { requested_by: None, masked: true, subject }
    }

    /// Shows it to callers who may see personal data, and to the user who requested the send. An empty subject names
    /// nobody, so it is shown.
    #[must_use]
    pub(crate) fn shown_to(self, audience: Audience<'_>) -> Self {
        let own = self.subject.is_empty() || self.subject == audience.subject;
        if own || audience.access == Access::Personal {
            Self { requested_by: Some(self.subject.clone()), masked: false, ..self }
        } else {
            Self { requested_by: None, masked: true, ..self }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_asked_is_whole_for_themselves_and_for_those_who_may_see_personal_data() {
        let shown = |subject: &str, by: &str, access| {
            let view = RequesterView::hidden(by.to_owned()).shown_to(Audience { subject, access });
            serde_json::to_value(view).unwrap()
        };
        let (anna, hidden) = ("anna@example.se", json!({"requestedBy": null, "masked": true}));
        assert_eq!(shown("bo@example.se", anna, Access::Masked), hidden);
        assert_eq!(shown("", anna, Access::Masked), hidden, "a token without subject");
        assert_eq!(serde_json::to_value(RequesterView::hidden(anna.to_owned())).unwrap(), hidden);
        let whole = json!({"requestedBy": anna, "masked": false});
        assert_eq!(shown("bo@example.se", anna, Access::Personal), whole);
        assert_eq!(shown(anna, anna, Access::Masked), whole);
        assert_eq!(shown("bo@example.se", "", Access::Masked), json!({"requestedBy": "", "masked": false}));
    }
}
