use rustls::pki_types::CertificateDer;

use super::State;
use crate::clock::Moment;
use crate::content::Content;
use crate::reply::Reply;
use crate::target::TOKEN_PATH;
use crate::token::{Refusal, Wanted, by_entity, wanted};
use crate::{CallKind, Fault, Rule, refusal, token_answer};

impl State {
    pub(super) fn wanted(
        &self,
        request: &serde_json::Value,
        certificates: Option<&[CertificateDer<'static>]>,
        now: Moment,
    ) -> Result<Wanted, Refusal> {
        let locations = self.tokens().locations().to_vec();
        wanted(request, &locations, |key| match &self.clients {
            None => by_entity(key),
            Some(clients) => clients.organisation(key, certificates, now),
        })
    }

    /// Answers a request to the authorization server; beside the reply, the organisation that asked.
    pub(crate) fn token(
        &mut self,
        content: &Content,
        certificates: Option<&[CertificateDer<'static>]>,
        fault: Option<Fault>,
        now: Moment,
    ) -> (Reply, Option<String>) {
        let understood = match &content.json {
            Some(request) => self.wanted(request, certificates, now),
            None => Err(Refusal::Malformed("the body is not JSON")),
        };
        let wanted = match understood {
            Ok(wanted) => wanted,
            Err(Refusal::Malformed(what)) => {
                self.find(Rule::Token, format!("{TOKEN_PATH}: {what}"));
                return (Reply::token_error(400, "invalid_request", what), None);
            }
            Err(Refusal::Unknown(what)) => return (Reply::token_error(401, "invalid_client", what), None),
        };
        if let Some(what) = wanted.useless {
            self.find(Rule::Token, format!("{TOKEN_PATH}: {what}"));
        }
        if let Some(refusal) =
            fault.and_then(|fault| refusal::scripted(fault, CallKind::Token, None, now.wall))
        {
            return (refusal, Some(wanted.organisation));
        }
        let form = match fault {
            Some(Fault::Token(form)) => Some(form),
            _ => None,
        };
        let life = self.limits.token_life;
        let Some(token) = self.tokens().issue(&wanted, form, life, now) else {
            return (Reply::token_error(500, "server_error", "the token could not be signed"), None);
        };
        let answer = token_answer::success(&token, &wanted.access, life, form);
        (Reply::new(200, answer).through(fault), Some(wanted.organisation))
    }
}
