//! The schema as a document: it is the one in `schema.graphql`, and everything in it is described.

use async_graphql::Request;
use graphql::{Api, Mutation, Query, Schema, Subscription, sdl};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schema.graphql");

fn api() -> Api {
    Api(Schema::new(
        Query::default(),
        Mutation::default(),
        Subscription,
    ))
}

/// With `UPDATE_SCHEMA=1` the file is written instead of compared.
#[test]
fn schema_graphql_is_this_schema() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(FILE, sdl()).unwrap();
    }
    let file = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        file == sdl(),
        "schema.graphql is not the schema any more: `cargo run -p server -- schema > schema.graphql`"
    );
}

#[test]
fn the_order_is_stable() {
    assert_eq!(sdl(), sdl());
}

#[tokio::test]
async fn everything_is_described() {
    let query = "{ __schema { types {
        name description
        fields(includeDeprecated: true) { name description args { name description } }
        inputFields { name description }
        enumValues(includeDeprecated: true) { name description }
    } } }";
    let answer = api()
        .run(Request::new(query))
        .await
        .into_result()
        .unwrap()
        .data
        .into_json()
        .unwrap();
    let mut bare = Vec::new();
    for thing in answer["__schema"]["types"].as_array().unwrap() {
        let name = thing["name"].as_str().unwrap();
        // What GraphQL itself brings along is described by GraphQL.
        if !name.starts_with("__") && name != "ID" {
            undescribed(thing, "", &mut bare);
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

fn undescribed(thing: &serde_json::Value, within: &str, bare: &mut Vec<String>) {
    let name = format!("{within}{}", thing["name"].as_str().unwrap_or("?"));
    if thing["description"]
        .as_str()
        .is_none_or(|text| text.trim().is_empty())
    {
        bare.push(name.clone());
    }
    for parts in ["fields", "args", "inputFields", "enumValues"] {
        for part in thing[parts].as_array().into_iter().flatten() {
            undescribed(part, &format!("{name}."), bare);
        }
    }
}
