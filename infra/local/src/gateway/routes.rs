//! Which route a request takes.

use serde_json::{Map, Value};

use crate::template::Route;

/// The most specific route for a method and a path, with what stood in place of the path's variables. As in the
/// gateway, more literal parts go before fewer, a variable before a greedy one, a method before `ANY`.
pub(super) fn find<'a, T>(
    routes: &'a [(Route, T)],
    method: &str,
    path: &str,
) -> Option<(&'a Route, &'a T, Map<String, Value>)> {
    routes
        .iter()
        .filter(|(route, _)| route.method == "ANY" || route.method == method)
        .filter_map(|(route, target)| {
            let matched = match_path(&route.path, path)?;
            Some((matched.literals, !matched.greedy, route.method != "ANY", route, target, matched.variables))
        })
        .max_by_key(|(literals, not_greedy, method, ..)| (*literals, *not_greedy, *method))
        .map(|(_, _, _, route, target, variables)| (route, target, variables))
}

struct Matched {
    literals: usize,
    greedy: bool,
    variables: Map<String, Value>,
}

fn match_path(pattern: &str, path: &str) -> Option<Matched> {
    let mut matched = Matched { literals: 0, greedy: false, variables: Map::new() };
    let mut parts = path.split('/');
    for expected in pattern.split('/') {
        let part = parts.next()?;
        match expected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None if expected == part => matched.literals += 1,
            None => return None,
            Some(_) if part.is_empty() => return None,
            Some(name) => match name.strip_suffix('+') {
                None => {
                    matched.variables.insert(name.to_owned(), Value::String(part.to_owned()));
                }
                Some(name) => {
                    let rest: Vec<&str> = std::iter::once(part).chain(parts.by_ref()).collect();
                    matched.variables.insert(name.to_owned(), Value::String(rest.join("/")));
                    matched.greedy = true;
                }
            },
        }
    }
    if parts.next().is_some() { None } else { Some(matched) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> Option<(String, String)> {
        let route = |method: &str, path: &str| {
            (Route { method: method.to_owned(), path: path.to_owned(), authorizer: None }, ())
        };
        let routes = [
            route("ANY", "/v1/{proxy+}"),
            route("GET", "/v1/health"),
            route("GET", "/v1/{proxy+}"),
            route("GET", "/v1/sends/{id}"),
        ];
        let (route, (), variables) = find(&routes, method, path)?;
        Some((route.key(), Value::Object(variables).to_string()))
    }

    #[test]
    fn the_most_specific_route_is_taken() {
        let route = |method, path| found(method, path).map(|(key, _)| key);
        assert_eq!(route("GET", "/v1/health").as_deref(), Some("GET /v1/health"));
        assert_eq!(route("POST", "/v1/health").as_deref(), Some("ANY /v1/{proxy+}"));
        assert_eq!(route("GET", "/v1/sends").as_deref(), Some("GET /v1/{proxy+}"));
        assert_eq!(route("GET", "/v1/sends/7").as_deref(), Some("GET /v1/sends/{id}"));
    }

    #[test]
    fn variables_hold_what_stood_in_their_place() {
        assert_eq!(found("POST", "/v1/sends/7/cancel").unwrap().1, r#"{"proxy":"sends/7/cancel"}"#);
        assert_eq!(found("GET", "/v1/sends/7").unwrap().1, r#"{"id":"7"}"#);
    }

    #[test]
    fn a_greedy_variable_stands_for_at_least_one_part() {
        assert!(found("GET", "/v1").is_none());
        assert!(found("GET", "/v1/").is_none());
        assert!(found("GET", "/v2/sends").is_none());
    }
}
