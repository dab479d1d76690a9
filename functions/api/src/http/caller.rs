//! The caller, from the claims of the token. The gateway's authorizer has verified the token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lambda_http::request::RequestContext;
use stafett_domain::{Access, OrganisationNumber};
use stafett_intake::Requester;

use crate::api::Shared;
use crate::contract::operation::{Input, Operation};
use crate::http::problem::Problem;

/// The claims that hold scopes: `scope` (RFC 9068), and `scp`, as some issuers name it. The scopes of both count.
const SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];
const WRITE: &str = "sends:write";
const READ: &str = "history:read";
const PERSONAL: &str = "history:personal";

/// The caller: an organiser's user.
pub(crate) struct Caller {
    pub(crate) organisation: OrganisationNumber,
    pub(crate) subject: String,
    scopes: Vec<String>,
}

/// A caller who may send.
pub(crate) struct Sender(pub(crate) Caller);

/// The caller whom a response is for. It decides which personal data the response shows.
#[derive(Clone, Copy)]
pub(crate) struct Audience<'a> {
    /// `sub` of the caller's token; empty if there is none.
    pub(crate) subject: &'a str,
    pub(crate) access: Access,
}

/// A caller who may read. `access` says whether it may see personal data.
pub(crate) struct Reader {
    pub(crate) organisation: OrganisationNumber,
    pub(crate) subject: String,
    pub(crate) access: Access,
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let context = parts.extensions.get::<RequestContext>();
        let jwt = context.and_then(RequestContext::authorizer).and_then(|authorizer| authorizer.jwt.as_ref());
        let jwt = jwt.ok_or(Problem::NoOrganiser)?;
        let claim = |name: &str| jwt.claims.get(name).map(String::as_str).unwrap_or_default();
        let organisation = claim(&api.organiser_claim).parse().map_err(|_| Problem::NoOrganiser)?;
        let scopes =
            SCOPE_CLAIMS.into_iter().flat_map(|name| words(claim(name))).map(str::to_owned).collect();
        Ok(Self { organisation, subject: claim("sub").to_owned(), scopes })
    }
}

impl Caller {
    /// Whether the caller may see personal data.
    pub(crate) fn access(&self) -> Access {
        if self.has(PERSONAL) { Access::Personal } else { Access::Masked }
    }

    /// For whom its answers are.
    pub(crate) fn audience(&self) -> Audience<'_> {
        Audience { subject: &self.subject, access: self.access() }
    }

    /// The caller as the requester of a send.
    pub(crate) fn requester(&self) -> Requester {
        Requester { organisation: self.organisation.clone(), subject: self.subject.clone() }
    }

    fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }
}

impl Reader {
    /// For whom its answers are.
    pub(crate) fn audience(&self) -> Audience<'_> {
        Audience { subject: &self.subject, access: self.access }
    }
}

/// The words of a claim: a text with spaces between them, or a list, which API Gateway passes on as the text `[a b c]`.
fn words(claim: &str) -> impl Iterator<Item = &str> {
    let list = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    list.unwrap_or(claim).split_ascii_whitespace()
}

impl FromRequestParts<Shared> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        if caller.has(WRITE) { Ok(Self(caller)) } else { Err(Problem::Scope(WRITE)) }
    }
}

impl FromRequestParts<Shared> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Shared) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let access = caller.access();
        if access == Access::Masked && !caller.has(READ) {
            return Err(Problem::Scope(READ));
        }
        Ok(Self { organisation: caller.organisation, subject: caller.subject, access })
    }
}

fn with_token(operation: &mut Operation, scope: &'static str) {
    operation.scope = Some(scope);
    operation.problems.extend([401, 403, 500, 503]);
}

impl Input for Sender {
    fn describe(operation: &mut Operation) {
        with_token(operation, WRITE);
    }
}

impl Input for Reader {
    fn describe(operation: &mut Operation) {
        with_token(operation, READ);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_as_a_text_and_as_the_gateway_hands_on_a_list() {
        let read = |claim| words(claim).collect::<Vec<_>>();
        for both in ["sends:write history:read", "[sends:write history:read]", " sends:write  history:read "]
        {
            assert_eq!(read(both), ["sends:write", "history:read"], "{both}");
        }
        assert_eq!(read("[sends:write]"), ["sends:write"]);
        for none in ["", "[]", "[ ]"] {
            assert!(read(none).is_empty(), "{none}");
        }
        for other in ["[sends:write", "12", "map[a:b]", "{\"sends:write\":true}"] {
            assert!(!read(other).contains(&"sends:write"), "{other}");
        }
    }
}
