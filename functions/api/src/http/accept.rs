//! The `Accept` headers.

use axum::http::{HeaderMap, HeaderName};

/// The values of a header such as `Accept`, in lower case, with their weights (RFC 9110, 12.4.2).
pub(crate) fn weights(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = (String, f32)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|list| list.split(',')).map(|value| {
        let mut parts = value.split(';').map(str::trim);
        let what = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight =
            parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
        (what, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
    })
}
