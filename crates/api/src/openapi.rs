//! The OpenAPI document of the HTTP routes, from the route table: paths, methods, who may call, what is
//! read.

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
    let rows = routes();
    for row in rows
        .iter()
        .filter(|row| row.method != "MCP" && row.surface != Surface::Web)
        // Those only say, in the contract's words, that there is no stream.
        .filter(|row| (row.method.as_str(), row.surface) != ("GET", Surface::Mcp))
    {
        let operation = operation(row);
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
        "components": { "securitySchemes": {
            "bearerAuth": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
            "clientTokenHeader": { "type": "apiKey", "in": "header", "name": "X-Client-Token" },
            "instanceTokenHeader": { "type": "apiKey", "in": "header", "name": "X-Instance-Token" },
            "apiTokenAuth": { "type": "http", "scheme": "bearer", "description": "wz_ token of the shop" },
            "dashboardCookie": { "type": "apiKey", "in": "cookie", "name": "__Host-recado" },
            "sessionKeyHeader": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
        } },
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
        "operationId": operation_id(row),
        "tags": [row.surface.as_str()],
        "summary": row.rule.describe(),
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
        operation["requestBody"] = json!({ "required": needed, "content": content });
    }
    operation
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
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "Refused or failed; the text says what to do.",
            "content": { "application/json": { "schema": error_of(row.surface) } },
        }),
    );
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

fn error_of(surface: Surface) -> Value {
    let text = json!({ "type": "string" });
    match surface {
        Surface::Instance | Surface::Ops | Surface::Web | Surface::Dashboard => json!({
            "type": "object",
            "required": ["code", "success", "error", "message", "error_code"],
            "properties": {
                "code": { "type": "integer" },
                "success": { "const": false },
                "error": text, "message": text, "error_code": text, "field": text,
            },
        }),
        Surface::Token => json!({
            "type": "object",
            "required": ["error", "error_description", "message"],
            "properties": { "error": text, "error_description": text, "message": text },
        }),
        // One answer, or one for each message of a batch.
        Surface::Mcp => json!({ "type": ["object", "array"] }),
        Surface::Direct => json!({
            "type": "object",
            "required": ["error"],
            "properties": { "error": text },
        }),
    }
}

fn operation_id(row: &RouteRow) -> String {
    let mut id = row.method.to_ascii_lowercase();
    for part in row.path.split(['/', '-']) {
        let part = part.trim_matches(|c| matches!(c, '{' | '}' | '*'));
        let mut letters = part.chars();
        if let Some(first) = letters.next() {
            id.push(first.to_ascii_uppercase());
            id.extend(letters);
        }
    }
    if row.path.len() > 1 && row.path.ends_with('/') {
        id.push_str("Slash");
    }
    id
}

fn security(rule: Rule) -> Value {
    match rule {
        Rule::Public
        | Rule::ClientCredentials
        | Rule::SessionName
        | Rule::Visitor
        | Rule::LogIn => json!([]),
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
        Rule::Session => json!([{ "sessionKeyHeader": [] }]),
        Rule::Claim => json!([{ "apiTokenAuth": [], "sessionKeyHeader": [] }]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_operation_has_its_own_name() {
        let document = openapi();
        let mut seen = HashSet::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("id").to_owned();
                assert!(seen.insert(id), "{method} {path}");
            }
        }
        assert!(document["paths"]["/instances/{id}"]["delete"].is_object());
    }

    /// Those whose success has no schema, with the reason.
    const UNTYPED: [(&str, &str); 7] = [
        ("POST /revoke", "200 with no body (RFC 7009, 2.2)"),
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

    #[test]
    fn each_operation_is_readable_by_itself() {
        let text = openapi().to_string();
        assert!(!text.contains("$ref") && !text.contains("$defs"));
    }
}
