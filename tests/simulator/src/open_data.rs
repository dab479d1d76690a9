//! The Open-data API: paths, answers and errors as Skolverket publishes them. Open to everybody, without a token.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock;
use crate::register::{Key, Register};
use crate::reply::{Payload, Reply};
use crate::shape;

/// Path of the Open-data API.
pub(crate) const BASE_PATH: &str = "/open-data/v1";

/// The resource that a path of the interface addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Alive,
    Organisation(Key),
    SchoolUnit(Key),
    Programmes,
    Programme(Key),
    Activities,
    Activity(Key),
}

impl Resource {
    /// The resource that the rest of a path behind [`BASE_PATH`] addresses.
    pub(crate) fn of(rest: &str) -> Option<Resource> {
        let mut segments = rest.split('/');
        // What stands before the first slash: `/open-data/v1x` is another path.
        let Some("") = segments.next() else { return None };
        let segments: Vec<&str> = segments.collect();
        let keyed: fn(Key) -> Resource = match *segments.first()? {
            "organisations" => Resource::Organisation,
            "schoolUnits" => Resource::SchoolUnit,
            "programmes" => Resource::Programme,
            "activities" => Resource::Activity,
            _ => return (segments == ["alive"]).then_some(Resource::Alive),
        };
        match segments[..] {
            ["programmes"] => Some(Resource::Programmes),
            ["activities"] => Some(Resource::Activities),
            // Activities are the ones that cannot be asked for by their code.
            ["activities", "code", _] => None,
            [_, "code", code] => Some(keyed(Key::Code(code.to_owned()))),
            [_, id] => Some(keyed(Key::Id(id.to_owned()))),
            _ => None,
        }
    }

    /// Whether the interface has that parameter here.
    pub(crate) fn takes(&self, name: &str, value: &str) -> bool {
        matches!(self, Resource::Organisation(_))
            && name == "expandSchoolUnits"
            && matches!(value, "true" | "false")
    }

    /// The answer.
    pub(crate) fn answer(&self, query: &[(String, String)], register: &Register, wall: Timestamp) -> Reply {
        let (found, what) = match self {
            Resource::Alive => return Reply { payload: Payload::Empty, ..Reply::new(200, Value::Null) },
            Resource::Programmes => return Reply::new(200, register.programmes()),
            Resource::Activities => return Reply::new(200, register.activities()),
            Resource::Organisation(key) => {
                let expand = query.iter().any(|(name, value)| name == "expandSchoolUnits" && value == "true");
                (key.find(|key| register.organisation(key, expand)), "Organisation")
            }
            Resource::SchoolUnit(key) => (key.find(|key| register.school_unit(key)), "School unit"),
            Resource::Programme(key) => (key.find(|key| register.programme(key)), "Programme"),
            Resource::Activity(key) => (key.find(|key| register.activity(key)), "Activity"),
        };
        match found {
            Ok(Some(found)) => Reply::new(200, found),
            Ok(None) => error(404, &format!("{what} not found"), wall),
            Err(InvalidId) => error(400, "Invalid parameter: id", wall),
        }
    }
}

/// The error for a malformed id.
struct InvalidId;

impl Key {
    fn find(&self, find: impl FnOnce(&Key) -> Option<Value>) -> Result<Option<Value>, InvalidId> {
        match self {
            Key::Id(id) if shape::id(&id.as_str().into()).is_none() => Err(InvalidId),
            _ => Ok(find(self)),
        }
    }
}

/// Whether a path is one of this interface, or would be.
pub(crate) fn is_below(path: &str) -> bool {
    path.starts_with(BASE_PATH)
}

/// A refusal in this interface's shape.
pub(crate) fn shaped(reply: Reply, wall: Timestamp) -> Reply {
    match reply.payload {
        Payload::Json(_) => Reply { payload: error(reply.status, "Unknown error", wall).payload, ..reply },
        Payload::Html(_) | Payload::Empty => reply,
    }
}

fn error(code: u16, message: &str, wall: Timestamp) -> Reply {
    Reply::new(code, json!({"code": code, "message": message, "timeStamp": clock::rfc3339(wall)}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_interface_is_found_and_no_other() {
        let id = || Key::Id("x".into());
        let code = || Key::Code("x".into());
        for (path, resource) in [
            ("/alive", Resource::Alive),
            ("/organisations/x", Resource::Organisation(id())),
            ("/organisations/code/x", Resource::Organisation(code())),
            ("/schoolUnits/x", Resource::SchoolUnit(id())),
            ("/schoolUnits/code/x", Resource::SchoolUnit(code())),
            ("/programmes", Resource::Programmes),
            ("/programmes/x", Resource::Programme(id())),
            ("/programmes/code/x", Resource::Programme(code())),
            ("/activities", Resource::Activities),
            ("/activities/x", Resource::Activity(id())),
        ] {
            assert_eq!(Resource::of(path), Some(resource), "{path}");
        }
        for path in [
            "",
            "x/alive",
            "/",
            "/alive/x",
            "/organisations",
            "/schoolUnits",
            "/activities/code/x",
            "/code/x",
            "/a/b/c",
        ] {
            assert_eq!(Resource::of(path), None, "{path}");
        }
    }
}
