//! The description of the API as one HTML page, made from the OpenAPI document. The page has no script and fetches
//! nothing.

use std::fmt::Write;

use serde_json::{Map, Value};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}\
h2{margin-top:3rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}code,pre{font:14px/1.4 ui-monospace,monospace}\
pre{background:#f4f4f4;padding:.8rem;overflow:auto;max-height:24rem}table{border-collapse:collapse;width:100%}\
td,th{border:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}\
.method{display:inline-block;min-width:4rem;font-weight:bold;color:#0b5394}summary{cursor:pointer}\
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#eee}pre{background:#2b2b2b}a{color:#8ab4f8}.method{color:#8ab4f8}}";

const METHODS: [&str; 3] = ["get", "post", "put"];

/// Renders the OpenAPI document as HTML.
pub(super) fn page(document: &Value) -> String {
    let info = &document["info"];
    let title = escaped(text(&info["title"]));
    let mut page = Page(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title} {}</h1>",
        escaped(text(&info["version"]))
    ));
    page.paragraphs(&info["description"]);
    page.push("<p>The same for programs: <a href=\"openapi.json\">openapi.json</a></p>");
    page.contents(document);
    for tag in array(&document["tags"]) {
        let _ = write!(page.0, "<h2>{}</h2>", escaped(text(&tag["name"])));
        page.paragraphs(&tag["description"]);
        for (method, path, operation) in operations(document) {
            if array(&operation["tags"]).contains(&tag["name"]) {
                page.operation(document, method, path, operation);
            }
        }
    }
    page.push("<h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in object(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = write!(page.0, "<h3 id=\"schema-{name}\">{name}</h3>");
        page.paragraphs(&schema["description"]);
        page.schema(schema);
    }
    page.push("</body></html>\n");
    page.0
}

/// All calls, by path.
fn operations(document: &Value) -> impl Iterator<Item = (&'static str, &str, &Value)> {
    object(&document["paths"]).flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((method, path.as_str(), item.get(method)?)))
    })
}

/// The HTML written so far. Results of `write!` are ignored, because writing to a string cannot fail.
struct Page(String);

impl Page {
    fn push(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn paragraphs(&mut self, value: &Value) {
        for paragraph in value.as_str().unwrap_or_default().split("\n\n").filter(|text| !text.is_empty()) {
            let _ = write!(self.0, "<p>{}</p>", marked(paragraph));
        }
    }

    fn contents(&mut self, document: &Value) {
        self.push("<ul>");
        for (method, path, operation) in operations(document) {
            let id = escaped(text(&operation["operationId"]));
            let (method, path) = (method.to_uppercase(), escaped(path));
            let summary = escaped(text(&operation["summary"]));
            let _ = write!(
                self.0,
                "<li><a href=\"#{id}\"><code><span class=\"method\">{method}</span>{path}</code></a> {summary}</li>"
            );
        }
        self.push("</ul>");
    }

    fn operation(&mut self, document: &Value, method: &str, path: &str, operation: &Value) {
        let id = escaped(text(&operation["operationId"]));
        let (method, path) = (method.to_uppercase(), escaped(path));
        let _ = write!(
            self.0,
            "<h3 id=\"{id}\"><code><span class=\"method\">{method}</span>{path}</code></h3><p><b>{}</b></p>",
            escaped(text(&operation["summary"]))
        );
        self.paragraphs(&operation["description"]);
        let scopes = array(&operation["security"]).iter().flat_map(|way| array(&way["token"]));
        let scopes: Vec<&str> = scopes.map(text).collect();
        let scopes =
            if scopes.is_empty() { "none".to_owned() } else { format!("<code>{}</code>", scopes.join(" ")) };
        let _ = write!(self.0, "<p>Scope: {scopes}</p>");
        let parameters: Vec<&Value> =
            array(&operation["parameters"]).iter().map(|one| resolved(document, one)).collect();
        if !parameters.is_empty() {
            self.push("<table><tr><th>Parameter</th><th>In</th><th></th></tr>");
            for parameter in parameters {
                let _ = write!(
                    self.0,
                    "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                    escaped(text(&parameter["name"])),
                    escaped(text(&parameter["in"])),
                    marked(text(&parameter["description"]))
                );
            }
            self.push("</table>");
        }
        for (media, content) in object(&operation["requestBody"]["content"]) {
            let _ = write!(self.0, "<p>Body, <code>{}</code>:</p>", escaped(media));
            self.schema(&content["schema"]);
            self.examples(document, content);
        }
        self.push("<table><tr><th>Status</th><th>Answer</th></tr>");
        for (status, response) in object(&operation["responses"]) {
            let response = resolved(document, response);
            let _ = write!(self.0, "<tr><td>{}</td><td>", escaped(status));
            self.paragraphs(&response["description"]);
            for (media, content) in object(&response["content"]) {
                let _ = write!(self.0, "<code>{}</code> ", escaped(media));
                self.schema(&content["schema"]);
                self.examples(document, content);
            }
            self.push("</td></tr>");
        }
        self.push("</table>");
    }

    /// Writes a link for a named schema; otherwise the schema itself, with links for its references.
    fn schema(&mut self, schema: &Value) {
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            let name = escaped(name);
            let _ = write!(self.0, "<a href=\"#schema-{name}\">{name}</a>");
            return;
        }
        if schema.is_null() {
            return;
        }
        let mut html = escaped(&pretty(schema));
        for part in html.clone().split("#/components/schemas/").skip(1) {
            let name = part.split("&quot;").next().unwrap_or_default();
            let link = format!("<a href=\"#schema-{name}\">{name}</a>");
            html = html.replace(&format!("&quot;#/components/schemas/{name}&quot;"), &link);
        }
        let _ = write!(self.0, "<details><summary>schema</summary><pre>{html}</pre></details>");
    }

    fn examples(&mut self, document: &Value, content: &Value) {
        for (name, example) in object(&content["examples"]) {
            let example = resolved(document, example);
            let summary = example["summary"].as_str().unwrap_or(name);
            let example = escaped(&pretty(&example["value"]));
            let _ = write!(
                self.0,
                "<details><summary>{}</summary><pre>{example}</pre></details>",
                escaped(summary)
            );
        }
    }
}

/// The target of a reference within the document; other values are returned unchanged.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|target| document.pointer(target.strip_prefix('#')?));
    target.unwrap_or(value)
}

fn pretty(value: &Value) -> String {
    value.as_str().map_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default(), str::to_owned)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The HTML of a text. Backticks enclose code.
fn marked(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.fold(String::new(), |mut html, (at, part)| {
        let part = escaped(part);
        html.push_str(&if at % 2 == 1 { format!("<code>{part}</code>") } else { part });
        html
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
