//! Skolverket's addresses.

use stafett_domain::RecordKind;

/// An address that the client may call: https, or plain http on a loopback address, where nobody can listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(reqwest::Url);

/// An address that the client may not call.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEndpoint {
    /// The text is not an absolute URL.
    #[error("is not an address: {0}")]
    NotAnAddress(String),
    /// The address is plain http to another machine.
    #[error("must be https (plain http is taken for loopback addresses only)")]
    NotSecure,
}

impl Endpoint {
    /// Parses an address.
    ///
    /// # Errors
    /// [`InvalidEndpoint`], if it is not absolute, or is neither https nor loopback.
    pub fn parse(text: &str) -> Result<Self, InvalidEndpoint> {
        let url =
            reqwest::Url::parse(text).map_err(|error| InvalidEndpoint::NotAnAddress(error.to_string()))?;
        let loopback = url.host_str().is_some_and(|host| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        });
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if loopback => Ok(Self(url)),
            _ => Err(InvalidEndpoint::NotSecure),
        }
    }

    /// Whether calls use TLS. Calls to this machine may not.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns the address as a URL.
    pub(crate) fn url(&self) -> reqwest::Url {
        self.0.clone()
    }

    /// Returns the address with `path` appended. `path` begins with `/`.
    pub(crate) fn join(&self, path: &str) -> Result<reqwest::Url, InvalidEndpoint> {
        let base = self.0.as_str().trim_end_matches('/');
        reqwest::Url::parse(&format!("{base}{path}"))
            .map_err(|error| InvalidEndpoint::NotAnAddress(error.to_string()))
    }
}

/// The name of the Provisioning API's collection for a stage.
pub fn collection(stage: RecordKind) -> &'static str {
    match stage {
        RecordKind::Person => "persons",
        RecordKind::Duty => "duties",
        RecordKind::Group => "groups",
        RecordKind::Activity => "activities",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for good in
            ["https://api.skolverket.se/v1", "http://127.0.0.1:9/v1", "http://localhost:1", "http://[::1]:9"]
        {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.skolverket.se/v1",
            "http://localhost.example.se",
            "http://127.0.0.1.example.se",
            "ftp://127.0.0.1",
            "/v1",
            "",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_goes_behind_the_base() {
        let base = Endpoint::parse("https://api.skolverket.se/provtjanst/provisioning/v1/").unwrap();
        let url = base.join("/persons/bulk?updateIfExists=true").unwrap();
        assert_eq!(
            url.as_str(),
            "https://api.skolverket.se/provtjanst/provisioning/v1/persons/bulk?updateIfExists=true"
        );
    }
}
