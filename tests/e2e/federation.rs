//! A world of certificates for one test: an issuer, the simulator behind TLS, and organisers with settings of their own.

use std::path::Path;

use serde_json::{Value, json};
use stafett_domain::skolverket_id;
use stafett_simulator::certificate::{Certified, Issuing, KeyKind, Subject, self_signed_client};
use stafett_simulator::{Call, CallKind, Limits, Simulator, Tls, TlsVersions};
use tempfile::TempDir;

use crate::people::SCHOOL_UNIT;
use crate::stack::TestStack;

pub(crate) struct Federation {
    pub(crate) issuing: Issuing,
    pub(crate) server: Certified,
    /// Organisers' settings and the root certificate.
    dir: TempDir,
}

impl Federation {
    pub(crate) fn new() -> Self {
        let issuing = Issuing::new("Exempelutfärdare").unwrap();
        let server = issuing.server().unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join("organisers")).unwrap();
        std::fs::write(dir.path().join("roots.pem"), issuing.root()).unwrap();
        Self { issuing, server, dir }
    }

    pub(crate) async fn skolverket(&self, limits: Limits, versions: TlsVersions) -> Simulator {
        let tls = Tls { authorization: &self.server, api: &self.server, approved: &self.issuing, versions };
        Simulator::start_tls(limits, &tls).await.unwrap()
    }

    pub(crate) async fn stack(&self, skolverket: Simulator, arguments: &[&str]) -> TestStack {
        let (organisers, roots) = (self.organisers(), self.dir.path().join("roots.pem"));
        let roots = format!("EXTRA_ROOTS_FILE={}", roots.display());
        let own = ["--organisers", organisers.to_str().unwrap(), "--set", &roots];
        TestStack::start_with(skolverket, &[&own, arguments].concat()).await
    }

    pub(crate) fn organisers(&self) -> std::path::PathBuf {
        self.dir.path().join("organisers")
    }

    /// Writes an organiser's settings.
    pub(crate) fn set(&self, organisation: &str, settings: &Value) {
        write_settings(&self.organisers(), organisation, settings);
    }

    /// An organiser of the federation: a certificate that it signed itself, known by its entity id.
    pub(crate) fn member(&self, skolverket: &Simulator, organisation: &str, kind: KeyKind) -> Value {
        let client = self_signed_client(&Subject::default(), kind).unwrap();
        let entity = entity_of(organisation);
        skolverket.register(&entity, organisation, client.fingerprint());
        json!({"entityId": entity, "certificate": client.certificate, "privateKey": client.key})
    }

    /// An organiser with a certificate of an approved issuer, known by its fingerprint.
    pub(crate) fn holder(&self, organisation: &str, kind: KeyKind) -> (Value, Certified) {
        let number = format!("SE{organisation}-AB12");
        let subject = Subject { serial_number: Some(&number), ..Subject::default() };
        let client = self.issuing.client(&subject, kind).unwrap();
        (json!({"certificate": client.certificate, "privateKey": client.key}), client)
    }
}

pub(crate) fn entity_of(organisation: &str) -> String {
    format!("https://{organisation}.example.se")
}

pub(crate) fn write_settings(dir: &Path, organisation: &str, settings: &Value) {
    // As a whole, as a parameter changes: never half a file.
    let file = dir.join(format!("{organisation}.json"));
    let new = dir.join(format!("{organisation}.new"));
    std::fs::write(&new, settings.to_string()).unwrap();
    std::fs::rename(new, file).unwrap();
}

/// The same send at a school unit that is this organiser's alone; the judge will know.
pub(crate) fn at_own_school(body: &Value, skolverket: &Simulator, organisation: &str, code: &str) -> Value {
    skolverket.own_school_unit(skolverket_id(code), organisation);
    serde_json::from_str(&body.to_string().replace(SCHOOL_UNIT, code)).unwrap()
}

/// The calls to the authorization server.
pub(crate) fn token_calls(skolverket: &Simulator) -> Vec<Call> {
    skolverket.calls().into_iter().filter(|call| call.call == CallKind::Token).collect()
}
