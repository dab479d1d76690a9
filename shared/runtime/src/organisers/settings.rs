//! The format of an organiser's settings; `infra/aws/organiser.schema.json` describes it. Faults name the field, never
//! its value: settings hold a private key.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use serde_json::{Map, Value};
use stafett_domain::{
    Environment, OrganisationNumber, ProtectedIdentities, may_be_quoted, without_byte_order_mark,
};
use stafett_skolverket::{Credentials, Identity, Pin, Roots, ServerTrust};

/// The longest retention of sends, in days: ten years.
const LONGEST_RETENTION: u64 = 3660;
/// The longest entity id, in characters. The ids in the federation's metadata are much shorter.
const LONGEST_ENTITY_ID: usize = 1024;
/// The maximum number of pinned keys: old ones, new ones, and a few more.
const MOST_PINS: usize = 10;

/// A field that is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The name of the field; for a list item, followed by a slash and its index from 0. Empty for the settings as a
    /// whole.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, what } = self;
        if field.is_empty() { write!(f, "the settings: {what}") } else { write!(f, "{field}: {what}") }
    }
}

/// Settings that were read and are valid.
pub(crate) struct Settings {
    pub(crate) environments: Vec<Environment>,
    pub(crate) identity: Identity,
    pub(crate) retention_days: Option<u32>,
    pub(crate) protected: ProtectedIdentities,
}

impl Settings {
    /// Reads settings, or reports all their faults. `digest` identifies the text.
    pub(crate) fn read(
        organisation: &OrganisationNumber,
        text: &str,
        digest: [u8; 32],
    ) -> Result<Self, Vec<FieldFault>> {
        let whole = |what: String| vec![FieldFault { field: String::new(), what }];
        let fields = match serde_json::from_slice(without_byte_order_mark(text.as_bytes())) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(whole("are not a JSON object".to_owned())),
            // The error itself is not shown: it may quote a value.
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return Err(whole(format!("are not JSON, from line {line}, column {column} on")));
            }
        };
        let mut reader = Reader { fields, faults: Vec::new() };
        let environments = reader.environments();
        let entity_id = reader.entity_id();
        let credentials = reader.credentials();
        let server = reader.server();
        let retention_days = reader.retention_days();
        let protected = match reader.flag("protectedIdentitiesAttested") {
            true => ProtectedIdentities::Attested,
            false => ProtectedIdentities::NotAttested,
        };
        reader.nothing_else();
        if reader.faults.is_empty() && entity_id.is_none() && credentials.is_none() {
            reader.fault(
                "entityId",
                "is missing, and so is certificate: one of the two says who the organiser is",
            );
        }
        if !reader.faults.is_empty() {
            return Err(reader.faults);
        }
        let identity =
            Identity { organisation: organisation.clone(), entity_id, credentials, server, digest };
        Ok(Self { environments, identity, retention_days, protected })
    }
}

/// Takes the fields out of the object one by one and collects the faults, so that one read reports all of them.
struct Reader {
    fields: Map<String, Value>,
    faults: Vec<FieldFault>,
}

impl Reader {
    fn fault(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.faults.push(FieldFault { field: field.into(), what: what.into() });
    }

    /// A text that must not be empty.
    fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.remove(name)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => {
                self.fault(name, "must be a text, and not empty");
                None
            }
        }
    }

    /// A list of 1 to `most` different texts that `read` accepts.
    fn list<T: PartialEq>(
        &mut self,
        name: &str,
        most: usize,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let entries = match self.fields.remove(name)? {
            Value::Array(entries) if (1..=most).contains(&entries.len()) => entries,
            _ => {
                self.fault(name, format!("must be a list of 1 to {most} texts"));
                return None;
            }
        };
        let mut list = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match entry.as_str().and_then(&read) {
                Some(value) if !list.contains(&value) => list.push(value),
                Some(_) => self.fault(format!("{name}/{index}"), "stands there twice"),
                None => self.fault(format!("{name}/{index}"), what),
            }
        }
        Some(list)
    }

    fn environments(&mut self) -> Vec<Environment> {
        let what = "must be production or verification";
        let read = |text: &str| Environment::from_str(text).ok();
        let listed = self.list("environments", Environment::ALL.len(), what, read);
        listed.unwrap_or_else(|| vec![Environment::Production])
    }

    fn entity_id(&mut self) -> Option<String> {
        let text = self.text("entityId")?;
        if text.chars().any(char::is_whitespace) || text.chars().count() > LONGEST_ENTITY_ID {
            self.fault("entityId", format!("must be at most {LONGEST_ENTITY_ID} characters without spaces"));
        }
        Some(text)
    }

    fn credentials(&mut self) -> Option<Credentials> {
        let has = |name| self.fields.contains_key(name);
        let missing = match (has("certificate"), has("privateKey")) {
            (true, false) => Some("privateKey"),
            (false, true) => Some("certificate"),
            _ => None,
        };
        let (certificate, key) = (self.text("certificate"), self.text("privateKey").map(SecretString::from));
        if let Some(name) = missing {
            self.fault(name, "is missing: certificate and privateKey come together");
        }
        match Credentials::read(&certificate?, &key?) {
            Ok(credentials) => Some(credentials),
            Err(error) => {
                let field = if error.is_about_key() { "privateKey" } else { "certificate" };
                self.fault(field, error.to_string());
                None
            }
        }
    }

    fn server(&mut self) -> ServerTrust {
        let what = "must be sha256// and the base64 of 32 bytes";
        let pins = self.list("pinnedKeys", MOST_PINS, what, Pin::parse);
        let pins_alone = self.flag("pinnedKeysAlone");
        if pins_alone && pins.is_none() {
            self.fault("pinnedKeys", "is missing: pinnedKeysAlone leaves no other check of the server");
        }
        let roots = self.text("roots").and_then(|pem| {
            let roots = Roots::read(&pem);
            if roots.is_none() {
                self.fault("roots", "must be root certificates in PEM form");
            }
            roots
        });
        ServerTrust { pins: pins.unwrap_or_default(), pins_alone, roots: roots.unwrap_or_default() }
    }

    fn retention_days(&mut self) -> Option<u32> {
        let days = self.fields.remove("retentionDays")?.as_u64();
        let days = days.filter(|days| (1..=LONGEST_RETENTION).contains(days));
        if days.is_none() {
            self.fault("retentionDays", format!("must be a whole number from 1 to {LONGEST_RETENTION}"));
        }
        days.and_then(|days| u32::try_from(days).ok())
    }

    /// An absent field is `false`.
    fn flag(&mut self, name: &str) -> bool {
        match self.fields.remove(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(name, "must be true or false");
                false
            }
        }
    }

    fn nothing_else(&mut self) {
        let names: Vec<String> = self.fields.keys().cloned().collect();
        for name in names {
            // An unknown name may hold any text, even a secret.
            let name = if may_be_quoted(&name) { name } else { String::new() };
            self.fault(name, "is not a field of the settings");
        }
    }
}
