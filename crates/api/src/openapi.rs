//! The OpenAPI document of the HTTP routes, from the route table: paths, methods, who may call.

use serde_json::{Map, Value, json};

use crate::{
    Surface,
    auth::Rule,
    routes::{RouteRow, routes},
};

/// OpenAPI 3.1. Bodies are not described yet; paths, parameters and security are.
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let rows = routes();
    for row in rows
        .iter()
        .filter(|row| row.method != "MCP" && row.surface != Surface::Web)
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
            "sessionKeyHeader": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
        } },
    })
}

fn operation(row: &RouteRow) -> Value {
    let parameters: Vec<Value> = row
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    json!({
        "operationId": operation_id(row),
        "tags": [row.surface.as_str()],
        "summary": row.rule.describe(),
        "parameters": parameters,
        "security": security(row.rule),
        "responses": { "default": { "description": "See the documentation of this surface." } },
    })
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
        Rule::Public | Rule::ClientCredentials | Rule::SessionName => json!([]),
        Rule::Owner | Rule::OwnerInstance => json!([{ "bearerAuth": [] }]),
        Rule::Instance => json!([
            { "bearerAuth": [] },
            { "clientTokenHeader": [], "instanceTokenHeader": [] },
        ]),
        Rule::Mcp | Rule::McpOpenInitialize => json!([{ "apiTokenAuth": [] }]),
        Rule::OptionalMcp => json!([{}, { "apiTokenAuth": [] }]),
        Rule::Session => json!([{ "sessionKeyHeader": [] }]),
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
}
