//! Why an organiser is not let in: at the authorization server, or with a new token at the API.

use crate::state::authorization_cause::AuthorizationCause;
use crate::words::guidance::{Guidance, Who};

/// No answer of the authorization server, or one that says that it cannot.
pub(super) const SERVER_UNAVAILABLE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Auktorisationsservern, som ger tillträde till Skolverkets API, gick inte att nå eller kunde inte svara.",
        "Vänta: systemet försöker igen av sig självt, med växande uppehåll.",
    ],
    [
        "The authorization server, which gives access to Skolverket's API, could not be reached or could not answer.",
        "Wait: the system tries again by itself, with growing pauses.",
    ],
);

/// An answer of the authorization server in which no token can be found.
pub(super) const SERVER_UNREADABLE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Auktorisationsservern, som ger tillträde till Skolverkets API, gav ett svar som inte gick att läsa.",
        "Vänta: systemet försöker igen av sig självt, med växande uppehåll. Kontakta den som driftar systemet om det upprepas.",
    ],
    [
        "The authorization server, which gives access to Skolverket's API, gave an answer that could not be read.",
        "Wait: the system tries again by itself, with growing pauses. Contact whoever operates the system if it happens again.",
    ],
);

/// A request for a token that was refused, and followed at once by one in another form.
pub(super) const OTHER_FORM: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Auktorisationsservern godtog inte begäran i den här formen.",
        "Inget: systemet begärde genast en token i en annan form.",
    ],
    [
        "The authorization server did not take the request in this form.",
        "Nothing: the system asked for a token in another form at once.",
    ],
);

/// A send that waited for a token until its time was over.
pub(super) const NO_TOKEN_IN_TIME: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Auktorisationsservern, som ger tillträde till Skolverkets API, gav ingen token på mycket länge.",
        "Återuppta sändningen när auktorisationsservern fungerar.",
    ],
    [
        "The authorization server, which gives access to Skolverket's API, gave no token for a very long time.",
        "Resume the send when the authorization server works.",
    ],
);

/// A send that gave up waiting for a token after answers that could not be read.
pub(super) const NO_TOKEN_READ: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Auktorisationsservern, som ger tillträde till Skolverkets API, svarade, men inget av svaren gick att läsa.",
        "Återuppta sändningen när auktorisationsservern fungerar, och kontakta den som driftar systemet om det upprepas.",
    ],
    [
        "The authorization server, which gives access to Skolverket's API, answered, but no answer could be read.",
        "Resume the send when the authorization server works, and contact whoever operates the system if it happens again.",
    ],
);

impl AuthorizationCause {
    /// What it means, what to do, and who.
    pub fn guidance(self) -> Guidance {
        match self {
            Self::SettingsMissing => Guidance::new(
                Who::Operator,
                [
                    "Det finns inga inställningar för huvudmannen.",
                    "Be den som driftar systemet lägga till dem, och skicka sedan igen.",
                ],
                [
                    "There are no settings for the organiser.",
                    "Ask whoever operates the system to add them, then send again.",
                ],
            ),
            Self::SettingsWrong => Guidance::new(
                Who::Operator,
                [
                    "Huvudmannens inställningar kan inte användas.",
                    "Be den som driftar systemet rätta dem; driftloggen namnger fältet. Skicka sedan igen.",
                ],
                [
                    "The organiser's settings cannot be used.",
                    "Ask whoever operates the system to mend them; the log names the field. Then send again.",
                ],
            ),
            Self::EnvironmentNotAllowed => Guidance::new(
                Who::ThisSystem,
                [
                    "Huvudmannens inställningar tillåter inte sändningens miljö.",
                    "Välj en annan miljö, eller be den som driftar systemet tillåta den.",
                ],
                [
                    "The organiser's settings do not allow the send's environment.",
                    "Choose another one, or ask whoever operates the system to allow it.",
                ],
            ),
            Self::CertificateMissing => Guidance::new(
                Who::Operator,
                [
                    "Huvudmannens inställningar saknar klientcertifikat.",
                    "Be den som driftar systemet lägga till certifikat och nyckel, och skicka sedan igen.",
                ],
                [
                    "The organiser's settings hold no client certificate.",
                    "Ask whoever operates the system to add certificate and key, then send again.",
                ],
            ),
            Self::CertificateExpired => Guidance::new(
                Who::Operator,
                [
                    "Huvudmannens klientcertifikat har gått ut.",
                    "Beställ ett nytt hos utfärdaren, byt det i inställningarna och hos federationen om det är registrerat där, och skicka sedan igen.",
                ],
                [
                    "The organiser's client certificate has expired.",
                    "Order a new one from its issuer, replace it in the settings, and in the federation if it is registered there, then send again.",
                ],
            ),
            Self::CertificateNotYetValid => Guidance::new(
                Who::Operator,
                [
                    "Huvudmannens klientcertifikat har inte börjat gälla.",
                    "Vänta till dess första dag, eller använd det tidigare certifikatet, och skicka sedan igen.",
                ],
                [
                    "The organiser's client certificate is not valid yet.",
                    "Wait for its first day, or use the earlier certificate, then send again.",
                ],
            ),
            Self::OtherOrganisation => Guidance::new(
                Who::Operator,
                [
                    "Klientcertifikatet i huvudmannens inställningar är utfärdat till en annan organisation.",
                    "Byt till huvudmannens eget, och skicka sedan igen.",
                ],
                [
                    "The client certificate in the organiser's settings was issued to another organisation.",
                    "Replace it by the organiser's own, then send again.",
                ],
            ),
            Self::NotRegistered => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern känner inte till huvudmannens entity id, eller inte med det här certifikatet.",
                    "Registrera id och certifikat i federationens metadata, vänta tills de har publicerats, och skicka sedan igen.",
                ],
                [
                    "The authorization server does not know the organiser's entity id, or not with this certificate.",
                    "Register id and certificate in the federation's metadata, wait until they are published, then send again.",
                ],
            ),
            Self::CertificateRefused => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern godtog inte huvudmannens klientcertifikat.",
                    "Kontrollera att det är det som är registrerat, eller att utfärdaren är SITHS, EFOS eller Expisoft, och skicka sedan igen.",
                ],
                [
                    "The authorization server did not take the organiser's client certificate.",
                    "Check that it is the one that is registered, or that its issuer is SITHS, EFOS or Expisoft, then send again.",
                ],
            ),
            Self::CertificateRevoked => Guidance::new(
                Who::Operator,
                [
                    "Huvudmannens klientcertifikat är spärrat.",
                    "Beställ ett nytt hos utfärdaren, byt det i inställningarna, och skicka sedan igen.",
                ],
                [
                    "The organiser's client certificate was revoked.",
                    "Order a new one from its issuer, replace it in the settings, then send again.",
                ],
            ),
            Self::OrganisationNumberMissing => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern fann inget organisationsnummer i huvudmannens klientcertifikat.",
                    "Beställ ett certifikat för organisationer (SITHS, EFOS, Expisoft), eller använd federationens form med entity id.",
                ],
                [
                    "The authorization server found no organisation number in the organiser's client certificate.",
                    "Order a certificate for organisations (SITHS, EFOS, Expisoft), or use the federation's form with an entity id.",
                ],
            ),
            Self::WrongEnvironment => Guidance::new(
                Who::Operator,
                [
                    "Skolverkets API godtog inte en token som auktorisationsservern nyss hade gett.",
                    "Kontrollera att huvudmannen är godkänd för den miljö som sändningen gällde, att auktorisationsservern känner till huvudmannens organisationsnummer (en token utan organisation avvisas), och att miljöns adress är rätt i driftens inställningar. Skicka sedan igen.",
                ],
                [
                    "Skolverket's API refused a token that the authorization server had just given.",
                    "Check that the organiser is approved for the environment of the send, that the authorization server knows the organiser's organisation number (a token without an organisation is refused), and that the environment's address is right in the service's configuration. Then send again.",
                ],
            ),
            Self::TokenOfOtherOrganisation => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern gav en token för en annan organisation än huvudmannen. Den användes inte, så inget har skickats i den andras namn.",
                    "Kontrollera att entity id och certifikat i inställningarna är huvudmannens egna, och skicka sedan igen.",
                ],
                [
                    "The authorization server gave a token for another organisation than the organiser. It was not used, so nothing was sent in the other's name.",
                    "Check that the entity id and the certificate in the settings are the organiser's own, then send again.",
                ],
            ),
            Self::TokenWithoutOrganisation => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern gav en token som inte anger någon organisation. Den användes inte.",
                    "Kontrollera att organisationsnumret finns i federationens metadata eller i certifikatet, och kontakta annars auktorisationsserverns förvaltare. Skicka sedan igen.",
                ],
                [
                    "The authorization server gave a token that names no organisation. It was not used.",
                    "Check that the organisation number is in the federation's metadata or in the certificate; otherwise contact whoever runs the authorization server. Then send again.",
                ],
            ),
            Self::AuthorizationServerUnavailable => SERVER_UNAVAILABLE,
            Self::AuthorizationServerUnreadable => SERVER_UNREADABLE,
            Self::PinMismatch => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern har en annan nyckel än de som är angivna. Inget har skickats dit.",
                    "Jämför med federationens metadata: har servern bytt nyckel, lägg till den nya i inställningarna; har den inte det, är det kanske inte rätt server.",
                ],
                [
                    "The authorization server has another key than those that are pinned. Nothing was sent to it.",
                    "Compare with the federation's metadata: if the server has changed its key, add the new one to the settings; if not, it may not be the right server.",
                ],
            ),
            Self::ServerNotTrusted => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsserverns certifikat kunde inte kontrolleras mot de betrodda utfärdarna. Inget har skickats dit.",
                    "Lägg till serverns rotcertifikat eller nyckel i inställningarna om den är rätt server.",
                ],
                [
                    "The authorization server's certificate could not be traced to a trusted issuer. Nothing was sent to it.",
                    "If it is the right server, add its root certificate or its key to the settings.",
                ],
            ),
            Self::RequestRefused => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern fann begäran felaktigt utformad.",
                    "Kontakta den som driftar systemet.",
                ],
                [
                    "The authorization server found the request malformed.",
                    "Contact whoever operates the system.",
                ],
            ),
            Self::Redirected => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern hänvisade till en annan adress, vilket inte följs.",
                    "Be den som driftar systemet kontrollera serverns adress.",
                ],
                [
                    "The authorization server pointed to another address, which is not followed.",
                    "Ask whoever operates the system to check the server's address.",
                ],
            ),
            Self::UnforeseenAnswer => Guidance::new(
                Who::Operator,
                [
                    "Auktorisationsservern gav ett svar som inte är beskrivet.",
                    "Kontakta den som driftar systemet, och skicka igen när felet är rättat.",
                ],
                [
                    "The authorization server gave an answer that is not described.",
                    "Contact whoever operates the system, and send again when it is mended.",
                ],
            ),
        }
    }
}
