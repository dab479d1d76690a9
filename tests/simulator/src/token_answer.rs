//! The authorization server's answers that hold a token, in the forms that its own model allows.

use std::time::Duration;

use serde_json::{Value, json};

use crate::TokenForm;
use crate::token::seconds;

/// The authorization server's success.
pub(crate) fn success(token: &str, access: &Value, life: Duration, form: Option<TokenForm>) -> Value {
    let life = seconds(life);
    let expires_in = match form {
        Some(TokenForm::NullLife) => Value::Null,
        Some(TokenForm::TextLife) => json!(life.to_string()),
        Some(TokenForm::FractionLife) => json!(life as f64 - 0.5),
        _ => json!(life),
    };
    let mut given = json!({"value": token, "expires_in": expires_in, "flags": ["bearer"], "access": access});
    if let (Some(TokenForm::NoLife), Some(given)) = (form, given.as_object_mut()) {
        given.remove("expires_in");
    }
    match form {
        Some(TokenForm::List) => json!({"access_token": [given]}),
        Some(TokenForm::Bare) => json!({"access_token": token, "expires_in": expires_in}),
        _ => json!({"access_token": given}),
    }
}
