use crate::open_data::{self, Resource};
use crate::{CallKind, Kind};

/// Path of the Provisioning API.
pub(crate) const BASE_PATH: &str = "/provisioning/v1";
/// Path in `Location` headers and `location` attributes. The published examples carry an old base path: a caller that
/// follows them finds nothing here, and the judge sees it.
pub(crate) const OLD_BASE_PATH: &str = "/dnp/iga/provisioning/v1";
/// Path of the authorization server.
pub(crate) const TOKEN_PATH: &str = "/transaction";

/// Path of the keys that tokens are signed with.
pub(crate) const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The operation that a method and a path address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Token,
    Bulk(Kind),
    Job {
        kind: Kind,
        /// As it stands in the path.
        id: String,
        /// Whether the bare boolean of `/isCompleted` is asked for.
        is_completed: bool,
    },
    OpenData(Resource),
    /// A path that exists, with another method than `allowed`.
    WrongMethod {
        allowed: &'static str,
    },
    Nothing,
}

impl Target {
    pub(crate) fn of(method: &str, path: &str) -> Target {
        let (allowed, target) = match path.strip_prefix(BASE_PATH) {
            None if open_data::is_below(path) => {
                let rest = path.strip_prefix(open_data::BASE_PATH).unwrap_or_default();
                let Some(resource) = Resource::of(rest) else { return Target::Nothing };
                ("GET", Target::OpenData(resource))
            }
            None if path == TOKEN_PATH => ("POST", Target::Token),
            None => return Target::Nothing,
            Some(rest) => {
                let mut segments = rest.split('/');
                // What stands before the first slash: `/provisioning/v1x` is another path.
                let Some("") = segments.next() else { return Target::Nothing };
                let Some(kind) = segments.next().and_then(Kind::from_segment) else { return Target::Nothing };
                match segments.collect::<Vec<_>>()[..] {
                    ["bulk"] => ("POST", Target::Bulk(kind)),
                    ["bulk", "jobs", id] => ("GET", Target::Job { kind, id: id.into(), is_completed: false }),
                    ["bulk", "jobs", id, "isCompleted"] => {
                        ("GET", Target::Job { kind, id: id.into(), is_completed: true })
                    }
                    _ => return Target::Nothing,
                }
            }
        };
        if method == allowed { target } else { Target::WrongMethod { allowed } }
    }

    pub(crate) fn call(&self) -> CallKind {
        match self {
            Target::Token => CallKind::Token,
            Target::Bulk(_) => CallKind::Bulk,
            Target::Job { .. } => CallKind::Job,
            Target::OpenData(_) => CallKind::OpenData,
            Target::WrongMethod { .. } | Target::Nothing => CallKind::Other,
        }
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Target::Bulk(kind) | Target::Job { kind, .. } => Some(*kind),
            Target::Token | Target::OpenData(_) | Target::WrongMethod { .. } | Target::Nothing => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_interface_is_found() {
        assert_eq!(Target::of("POST", "/transaction"), Target::Token);
        for kind in Kind::ALL {
            let bulk = format!("{BASE_PATH}/{kind}/bulk");
            assert_eq!(Target::of("POST", &bulk), Target::Bulk(kind));
            assert_eq!(
                Target::of("GET", &format!("{bulk}/jobs/x")),
                Target::Job { kind, id: "x".into(), is_completed: false }
            );
            assert_eq!(
                Target::of("GET", &format!("{bulk}/jobs/x/isCompleted")),
                Target::Job { kind, id: "x".into(), is_completed: true }
            );
            assert_eq!(Target::of("PUT", &bulk), Target::WrongMethod { allowed: "POST" });
            assert_eq!(Target::of("GET", &format!("{OLD_BASE_PATH}/{kind}/bulk/jobs/x")), Target::Nothing);
        }
    }

    #[test]
    fn all_else_is_nothing() {
        for path in [
            "/",
            "/provisioning/v1",
            "/provisioning/v1x/persons/bulk",
            "/provisioning/v1/persons",
            "/transactions",
        ] {
            assert_eq!(Target::of("GET", path), Target::Nothing, "{path}");
        }
        assert_eq!(Target::of("GET", "/open-data/v1/alive"), Target::OpenData(Resource::Alive));
        assert_eq!(Target::of("POST", "/open-data/v1/alive"), Target::WrongMethod { allowed: "GET" });
        assert_eq!(Target::of("GET", "/open-data/v1x/alive"), Target::Nothing);
        assert_eq!(Target::of("GET", "/transaction"), Target::WrongMethod { allowed: "POST" });
    }
}
