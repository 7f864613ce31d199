//! The OpenAPI document of the HTTP routes, from the route table: paths, methods, who may call, what is
//! read.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::{
    Surface,
    auth::{Naming, Rule, named::HEADERS},
    describe::{Described, drop_null},
    routes::{RouteRow, routes},
};

/// OpenAPI 3.1: paths, parameters, bodies, errors and security.
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut ids = HashSet::new();
    for row in routes().iter().filter(|row| is_told(row)) {
        let mut operation = operation(row);
        operation["operationId"] = id_of(row, &mut ids).into();
        let path = paths.entry(row.path.clone()).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(row.method.to_ascii_lowercase(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Recado",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only" },
        },
        "security": [],
        "paths": paths,
        "components": {
            "securitySchemes": security_schemes(),
            "responses": errors(|name, text, _| json!({
                "description": text,
                "content": { "application/json": { "schema": schema_of(name) } },
            })),
            "schemas": errors(|_, _, schema| schema),
        },
    })
}

/// MCP's methods are no paths, files no calls, and `GET` there only says that there is no stream.
fn is_told(row: &RouteRow) -> bool {
    row.method != "MCP"
        && row.surface != Surface::Web
        && (row.method.as_str(), row.surface) != ("GET", Surface::Mcp)
}

/// The handler's name. One that stands in several rows is told apart by what differs.
fn id_of(row: &RouteRow, known: &mut HashSet<String>) -> String {
    let mut id = row.operation.id();
    if known.contains(&id) {
        let method = format!(
            "By{}{}",
            &row.method[..1],
            row.method[1..].to_ascii_lowercase()
        );
        id.push_str(match row.path.ends_with('/') {
            true => "Slash",
            false => &method,
        });
    }
    known.insert(id.clone());
    id
}

fn security_schemes() -> Value {
    json!({
        "bearerAuth": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
        "clientTokenHeader": { "type": "apiKey", "in": "header", "name": "X-Client-Token" },
        "instanceTokenHeader": { "type": "apiKey", "in": "header", "name": "X-Instance-Token" },
        "apiTokenAuth": { "type": "http", "scheme": "bearer", "description": "wz_ token of the shop" },
        "dashboardCookie": { "type": "apiKey", "in": "cookie", "name": "__Host-recado" },
        "sessionKeyHeader": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
    })
}

fn operation(row: &RouteRow) -> Value {
    let mut parameters: Vec<Value> = row
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(query(&row.takes));
    parameters.extend(named(row.rule));
    let mut operation = json!({
        "tags": [row.surface.as_str()],
        "summary": row.operation.summary(),
        "description": description(row),
        "parameters": parameters,
        "security": security(row.rule),
        "responses": responses(row),
    });
    if let Some(schema) = &row.takes.body {
        let mut content = Map::new();
        content.insert("application/json".to_owned(), json!({ "schema": schema }));
        if row.surface == Surface::Token {
            let form = "application/x-www-form-urlencoded";
            content.insert(form.to_owned(), json!({ "schema": schema }));
        }
        let needed = schema["required"]
            .as_array()
            .is_some_and(|names| !names.is_empty());
        if row.takes.file {
            let mut form = schema.clone();
            // Nor has a form a way to write `null`.
            let members = form["properties"].as_object_mut().into_iter();
            members.flatten().for_each(|(_, member)| drop_null(member));
            form["properties"]["file"] = file_schema();
            content.insert("multipart/form-data".to_owned(), json!({ "schema": form }));
        }
        operation["requestBody"] = json!({ "required": needed, "content": content });
    } else if row.takes.file {
        let form = json!({
            "type": "object", "required": ["file"], "properties": { "file": file_schema() },
        });
        let content = json!({
            "multipart/form-data": { "schema": form },
            "application/octet-stream": {},
        });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// The part of a form that is a file.
fn file_schema() -> Value {
    json!({ "type": "string", "contentMediaType": "application/octet-stream" })
}

/// The doc comment beyond the summary, and who may call.
fn description(row: &RouteRow) -> String {
    let mut who = format!("Access: {}", row.rule);
    if let Some(least) = row.least {
        who.push_str(&format!("; a person's role: {} or higher", least.as_str()));
    }
    if row.confirmed {
        who.push_str("; and the password again, within 10 minutes");
    }
    who.push('.');
    let paragraphs: Vec<String> = row.operation.description().chain([who]).collect();
    paragraphs.join("\n\n")
}

fn responses(row: &RouteRow) -> Value {
    let mut responses = Map::new();
    match &row.takes.answer {
        None => {
            let text = "Done; the body is as the documentation of this surface says.";
            responses.insert("2XX".to_owned(), json!({ "description": text }));
        }
        Some((status, Value::Null)) => {
            let done = json!({ "description": "Done; there is no body." });
            responses.insert(status.to_string(), done);
        }
        Some((status, schema)) => {
            let mut content = Map::new();
            content.insert("application/json".to_owned(), json!({ "schema": schema }));
            let pictures = row.takes.pictures.iter();
            content.extend(pictures.map(|media| ((*media).to_owned(), json!({}))));
            let done = json!({ "description": "Done.", "content": content });
            responses.insert(status.to_string(), done);
        }
    }
    let error = format!("#/components/responses/{}", error_of(row.surface));
    responses.insert("default".to_owned(), json!({ "$ref": error }));
    Value::Object(responses)
}

/// Whom a call of the dashboard means.
fn named(rule: Rule) -> Vec<Value> {
    let naming = rule.naming();
    if naming == Naming::Never {
        return Vec::new();
    }
    let header = |(name, text): (&str, &str)| {
        json!({
            "name": name, "in": "header", "required": naming == Naming::Must,
            "description": text, "schema": { "type": "string" },
        })
    };
    HEADERS.map(header).to_vec()
}

/// The members of the query's schema, one parameter each.
fn query(takes: &Described) -> Vec<Value> {
    let Some(schema) = &takes.query else {
        return Vec::new();
    };
    let members = schema["properties"].as_object().into_iter().flatten();
    let required = schema["required"].as_array();
    members
        .map(|(name, schema)| {
            let needed = required.is_some_and(|names| names.contains(&json!(name)));
            let mut schema = schema.clone();
            // A query has no way to write it.
            drop_null(&mut schema);
            json!({ "name": name, "in": "query", "required": needed, "schema": schema })
        })
        .collect()
}

/// The component that says how a surface refuses.
fn error_of(surface: Surface) -> &'static str {
    match surface {
        Surface::Instance | Surface::Ops | Surface::Web | Surface::Dashboard => "Error",
        Surface::Token => "TokenError",
        Surface::Mcp => "RpcError",
        Surface::Direct => "DirectError",
    }
}

fn schema_of(error: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{error}") })
}

/// A component for each kind of error: made of its name, what it is, and its schema.
fn errors(component: impl Fn(&'static str, &'static str, Value) -> Value) -> Value {
    let text = json!({ "type": "string" });
    let made = [
        (
            "Error",
            "Refused or failed; the text says what to do.",
            json!({
                "type": "object",
                "required": ["code", "success", "error", "message", "error_code"],
                "properties": {
                    "code": { "type": "integer" },
                    "success": { "const": false },
                    "error": text, "message": text, "error_code": text, "field": text,
                },
            }),
        ),
        (
            "TokenError",
            "Refused or failed, as RFC 6749, 5.2, has it.",
            json!({
                "type": "object",
                "required": ["error", "error_description", "message"],
                "properties": { "error": text, "error_description": text, "message": text },
            }),
        ),
        (
            "RpcError",
            "Refused or failed: a JSON-RPC error, or one for each message of a batch.",
            json!({ "type": ["object", "array"] }),
        ),
        (
            "DirectError",
            "Refused or failed; the text says what to do.",
            json!({
                "type": "object",
                "required": ["error"],
                "properties": { "error": text },
            }),
        ),
    ];
    let named = made.map(|(name, text, schema)| (name.to_owned(), component(name, text, schema)));
    Value::Object(Map::from_iter(named))
}

fn security(rule: Rule) -> Value {
    match rule {
        Rule::Public | Rule::ClientCredentials | Rule::DirectName | Rule::Visitor | Rule::LogIn => {
            json!([])
        }
        Rule::LogOut => json!([{}, { "dashboardCookie": [] }]),
        Rule::Whoever | Rule::SignedIn | Rule::Member | Rule::MemberInstance => {
            json!([{ "dashboardCookie": [] }])
        }
        Rule::Owner | Rule::AccountOwner | Rule::OwnerInstance => json!([{ "bearerAuth": [] }]),
        Rule::Instance => json!([
            { "bearerAuth": [] },
            { "clientTokenHeader": [], "instanceTokenHeader": [] },
        ]),
        Rule::Mcp | Rule::McpOpenInitialize => json!([{ "apiTokenAuth": [] }]),
        Rule::OptionalMcp => json!([{}, { "apiTokenAuth": [] }]),
        Rule::DirectKey => json!([{ "sessionKeyHeader": [] }]),
        Rule::DirectClaim => json!([{ "apiTokenAuth": [], "sessionKeyHeader": [] }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Method and path of each operation, and itself.
    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().expect("paths");
        let all = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").iter();
            methods.map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
        });
        all.collect()
    }

    #[test]
    fn every_operation_has_its_own_name() {
        let document = openapi();
        let mut seen = HashSet::new();
        for (place, operation) in operations(&document) {
            let id = operation["operationId"].as_str().expect("id").to_owned();
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
            assert!(seen.insert(id), "{place}");
        }
        for id in ["chatSendText", "billingCancelByDelete", "mcpCallSlash"] {
            assert!(seen.contains(id), "{id}");
        }
        assert!(document["paths"]["/instances/{id}"]["delete"].is_object());
    }

    #[test]
    fn nothing_is_undocumented() {
        let sentence = |text: &str| text.ends_with('.') && !text.contains(". ");
        for row in routes().iter().filter(|row| row.method != "MCP") {
            let summary = row.operation.summary();
            let fits = sentence(&summary) && summary.len() <= 80;
            assert!(fits, "{} {}: {summary}", row.method, row.path);
        }
        for (place, operation) in operations(&openapi()) {
            let description = operation["description"].as_str().unwrap_or_default();
            let access = description.rsplit("\n\n").next().unwrap_or_default();
            assert!(access.starts_with("Access: "), "{place}: {description}");
        }
    }

    /// Those whose success has no schema, with the reason.
    const UNTYPED: [(&str, &str); 9] = [
        ("POST /revoke", "200 with no body (RFC 7009, 2.2)"),
        (
            "GET /instances/{id}/chat/messages/{message_id}/media",
            "bytes of any type",
        ),
        ("GET /media/{token}", "the same"),
        ("POST /api/mcp", "JSON-RPC: the protocol's own schema"),
        ("POST /api/mcp/", "the same"),
        ("DELETE /api/mcp", "202 with no body"),
        ("DELETE /api/mcp/", "the same"),
        ("GET /api/mcp", "405 whoever asks"),
        ("GET /api/mcp/", "the same"),
    ];

    #[test]
    fn every_answer_has_its_schema() {
        let untyped: Vec<String> = routes()
            .iter()
            .filter(|row| row.method != "MCP" && row.surface != Surface::Web)
            .filter(|row| !(row.surface == Surface::Mcp && row.rule == Rule::Public))
            .filter(|row| row.takes.answer.is_none())
            .map(|row| format!("{} {}", row.method, row.path))
            .collect();
        assert_eq!(untyped, UNTYPED.map(|(route, _)| route));
    }

    fn answer<'a>(document: &'a Value, path: &str, method: &str, status: &str) -> &'a Value {
        &document["paths"][path][method]["responses"][status]
    }

    fn required(schema: &Value, name: &str) -> bool {
        let names = schema["required"].as_array().expect("required");
        names.contains(&json!(name))
    }

    #[test]
    fn what_is_left_out_is_optional_and_what_is_null_says_so() {
        let document = openapi();
        let read = answer(&document, "/instances/{id}", "get", "200");
        let schema = &read["content"]["application/json"]["schema"];
        let members = &schema["properties"];
        for (name, of_type, due) in [
            ("id", json!("string"), true),
            ("phone", json!(["string", "null"]), true),
            ("cancel_at", json!(["string", "null"]), true),
            ("session_id", json!("integer"), true),
        ] {
            assert_eq!(members[name]["type"], of_type, "{name}");
            assert_eq!(required(schema, name), due, "{name}");
        }
        assert_eq!(members["token"]["type"], "string");
        assert!(!required(schema, "token"));
        assert!(members["status"]["enum"].is_array());

        let none = answer(&document, "/instances/{id}", "delete", "204");
        assert!(none["description"].is_string() && none["content"].is_null());

        let qr = answer(&document, "/instances/{id}/session/qr", "get", "200");
        assert!(qr["content"]["image/png"].is_object());
        let data = &qr["content"]["application/json"]["schema"]["properties"]["data"];
        assert_eq!(data["anyOf"].as_array().map(Vec::len), Some(2));
    }

    /// Only how it is refused stands elsewhere, once for each kind.
    #[test]
    fn each_operation_is_readable_by_itself() {
        let document = openapi();
        assert!(!document.to_string().contains("$defs"));
        for (place, mut operation) in operations(&document) {
            let refused = operation["responses"]["default"]["$ref"].take();
            let refused = refused.as_str().and_then(|path| path.strip_prefix('#'));
            let response = document.pointer(refused.expect("a component"));
            let schema = &response.expect("there")["content"]["application/json"]["schema"]["$ref"];
            let schema = schema.as_str().and_then(|path| path.strip_prefix('#'));
            assert!(document.pointer(schema.expect("a schema")).is_some());
            assert!(!operation.to_string().contains("\"#/"), "{place}");
        }
    }
}
