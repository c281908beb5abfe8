//! Queries and mutations over HTTP, by the GraphQL-over-HTTP specification; a GET that wants to be a WebSocket goes to [`socket`].
//!
//! Guaranteed: nothing is read of a request that is one too many of its client; a GET changes nothing; one request runs one operation (no batches); nothing is run for a request whose bearer is not
//! known.

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::answer::{Code, Refusal, answer};
use crate::http::negotiate::{Media, accepted, is_json};
use crate::http::rate::Client;
use crate::http::site::Site;
use crate::http::{identity, operation, socket};

/// The parameters of a request, in a body or in an address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameters<Nested> {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Nested>,
    /// Read so that its form is checked; no extension is known.
    #[expect(dead_code, reason = "only its form matters")]
    extensions: Option<Nested>,
}

type Object = Map<String, Value>;

/// `GET /graphql`: a query, or the beginning of a WebSocket.
pub(crate) async fn get(
    State(site): State<Site>,
    client: Client,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parameters: Result<Query<Parameters<String>>, QueryRejection>,
) -> Result<Response, Refusal> {
    let admitted = site.admit(client).map_err(Refusal::too_many_requests);
    match upgrade {
        Ok(upgrade) => {
            admitted?;
            return Ok(socket::open(site, client, &headers, upgrade));
        }
        Err(rejection) if headers.contains_key(UPGRADE) => {
            return Err(bad_request(rejection.body_text()));
        }
        Err(_) => {}
    }
    let media = media(&headers)?;
    admitted.map_err(|refusal| refusal.in_form(media))?;
    let mut request = match parameters {
        Ok(Query(parameters)) => of_address(parameters),
        Err(rejection) => Err(bad_request(rejection.body_text())),
    }
    .map_err(|refusal| refusal.in_form(media))?;
    if operation::of_request(&mut request)
        .is_some_and(|operation| operation.kind == OperationType::Mutation)
    {
        let text = "GET is for queries: send mutations by POST";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, text);
        let allow = [(ALLOW, HeaderValue::from_static("POST"))];
        return Ok((allow, refusal.in_form(media)).into_response());
    }
    Ok(run(&site, &headers, media, request).await)
}

/// `POST /graphql`.
pub(crate) async fn post(
    State(site): State<Site>,
    client: Client,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let media = media(&headers)?;
    let admitted = site.admit(client).map_err(Refusal::too_many_requests);
    admitted.map_err(|refusal| refusal.in_form(media))?;
    let read = read(&headers, body, site.options().body_limit).await;
    let request = read.map_err(|refusal| refusal.in_form(media))?;
    Ok(run(&site, &headers, media, request).await)
}

async fn run(site: &Site, headers: &HeaderMap, media: Media, mut request: Request) -> Response {
    let caller = match identity::of_headers(headers) {
        Ok(claim) => site.engine().identify(&claim).await,
        Err(error) => Err(error),
    };
    let request = match caller {
        Ok(caller) => request.data(caller),
        // Tools read the schema before they know of any business.
        Err(engine::Error::NoBusiness(_))
            if operation::of_request(&mut request).is_some_and(|it| it.about_schema) =>
        {
            request
        }
        Err(error) => return answer(media, &graphql::error_response(&error)),
    };
    answer(media, &site.api().run(request).await)
}

fn media(headers: &HeaderMap) -> Result<Media, Refusal> {
    accepted(headers.get_all(ACCEPT).iter()).ok_or_else(|| {
        let text = "the answer is application/graphql-response+json or application/json: accept one of them";
        Refusal::new(StatusCode::NOT_ACCEPTABLE, Code::NotAcceptable, text)
    })
}

async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Request, Refusal> {
    if !is_json(headers.get(CONTENT_TYPE)) {
        let text = "the body must be JSON in UTF-8: send Content-Type: application/json";
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::UnsupportedMediaType,
            text,
        ));
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let bytes = to_bytes(body, limit)
        .await
        .map_err(|error| too_large_or_broken(&error, limit))?;
    of_body(&bytes)
}

fn of_body(bytes: &[u8]) -> Result<Request, Refusal> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(bad_request(
            "batches are not taken: send each operation as a request of its own",
        ));
    }
    let parameters: Parameters<Object> = serde_json::from_slice(bytes).map_err(|error| {
        bad_request(format!(
            "the body is not a GraphQL request in JSON: {error}"
        ))
    })?;
    let variables = parameters.variables.map(Value::Object);
    request(parameters.query, parameters.operation_name, variables)
}

fn of_address(parameters: Parameters<String>) -> Result<Request, Refusal> {
    let variables = match parameters
        .variables
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        Some(text) => {
            let object: Option<Object> = serde_json::from_str(text).map_err(|error| {
                bad_request(format!("`variables` is not an object in JSON: {error}"))
            })?;
            object.map(Value::Object)
        }
        None => None,
    };
    request(parameters.query, parameters.operation_name, variables)
}

fn request(
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Value>,
) -> Result<Request, Refusal> {
    let query = query.filter(|query| !query.trim().is_empty());
    let query =
        query.ok_or_else(|| bad_request("`query` is missing: it holds the GraphQL document"))?;
    let mut request =
        Request::new(query).variables(variables.map(Variables::from_json).unwrap_or_default());
    request.operation_name = operation_name.filter(|name| !name.is_empty());
    Ok(request)
}

fn bad_request(text: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, Code::BadRequest, text)
}

fn too_large(limit: usize) -> Refusal {
    let text = format!("the request is larger than {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge, text)
}

/// Axum tells only by the cause whether a body was too large or its sender went away.
fn too_large_or_broken(error: &axum::Error, limit: usize) -> Refusal {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit exceeded") {
            return too_large(limit);
        }
        cause = error.source();
    }
    bad_request("the body could not be read to its end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_request() {
        let body = br#"{"query":"{ a }","operationName":null,"variables":{"a":1},"extensions":null,"other":1}"#;
        let request = of_body(body).unwrap();
        assert_eq!(
            (request.query.as_str(), request.operation_name.as_deref()),
            ("{ a }", None)
        );
        assert_eq!(request.variables.len(), 1);
        let refused: [&[u8]; 9] = [
            b"",
            b"{",
            b"null",
            br#"[{"query":"{ a }"}]"#,
            br#"{"variables":{}}"#,
            br#"{"query":" "}"#,
            br#"{"query":7}"#,
            br#"{"query":"{ a }","variables":[1]}"#,
            br#"{"query":"{ a }","extensions":"x"}"#,
        ];
        for body in refused {
            let status = of_body(body).map(|_| ()).unwrap_err().status;
            assert_eq!(status, 400, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn an_address_is_one_request() {
        let parameters = |variables: Option<&str>| Parameters {
            query: Some("{ a }".to_owned()),
            operation_name: Some(String::new()),
            variables: variables.map(str::to_owned),
            extensions: None,
        };
        assert_eq!(
            of_address(parameters(Some(r#"{"a":1}"#)))
                .unwrap()
                .variables
                .len(),
            1
        );
        assert!(
            of_address(parameters(Some("null")))
                .unwrap()
                .variables
                .is_empty()
        );
        assert!(
            of_address(parameters(None))
                .unwrap()
                .operation_name
                .is_none()
        );
        assert_eq!(
            of_address(parameters(Some("{")))
                .map(|_| ())
                .unwrap_err()
                .status,
            400
        );
    }
}
