//! Why Skolverket's authorization server or API does not let an organiser in, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is behind a job that failed because authorization was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuthorizationCause {
    /// There are no settings for the organiser.
    SettingsMissing,
    /// The organiser's settings are there and cannot be used.
    SettingsWrong,
    /// The environment is not, or no longer, one that the organiser may send to.
    EnvironmentNotAllowed,
    /// The settings hold no client certificate.
    CertificateMissing,
    /// The client certificate's time is over.
    CertificateExpired,
    /// The client certificate's time has not begun.
    CertificateNotYetValid,
    /// The client certificate is another organisation's.
    OtherOrganisation,
    /// The server does not know the entity id, or not with this certificate.
    NotRegistered,
    /// The server does not take the client certificate.
    CertificateRefused,
    /// The client certificate was revoked.
    CertificateRevoked,
    /// The server found no organisation number in the client certificate.
    OrganisationNumberMissing,
    /// The API does not take a token that was made for it just now.
    WrongEnvironment,
    /// The token that the server gave is another organisation's.
    TokenOfOtherOrganisation,
    /// The token that the server gave names no organisation.
    TokenWithoutOrganisation,
    /// The server could not be reached, or answered that it cannot: a token may be had later.
    AuthorizationServerUnavailable,
    /// The server answered with something in which no token can be found: one may be had later.
    AuthorizationServerUnreadable,
    /// The server has another key than those that are pinned.
    PinMismatch,
    /// The server's certificate is not one that is trusted.
    ServerNotTrusted,
    /// The server finds the request malformed: a fault of ours.
    RequestRefused,
    /// The server sent us elsewhere. A token is asked for at one address only.
    Redirected,
    /// The server refused in a way that nobody foresaw.
    UnforeseenAnswer,
}
