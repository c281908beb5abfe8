//! What every answer has: a code in each error, and what the request cost.
//!
//! Guaranteed: an error that GraphQL itself raises (a request that cannot be parsed, is not valid, or asks for too much) has a code as
//! those of the resolvers do; nothing of such a request is run.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest, NextRequest,
    NextSubscribe, NextValidation,
};
use async_graphql::parser::types::{BaseType, DocumentOperations, ExecutableDocument};
use async_graphql::{
    ErrorExtensionValues, Request, Response, ServerError, ServerResult, ValidationResult,
    Variables, async_trait, value,
};
use engine::{Caller, Engine};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::request::AtHand;
use crate::{Limits, expansion, scalar};

/// What GraphQL says of a request that asks for too much.
const TOO_COMPLEX: &str = "Query is too complex.";

/// Makes one for each request.
pub(crate) struct Answering(pub(crate) Limits);

impl ExtensionFactory for Answering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Answer {
            limits: self.0,
            cost: Cost::default(),
            bad_variable: Mutex::default(),
        })
    }
}

struct Answer {
    limits: Limits,
    cost: Cost,
    /// A variable that cannot be read. GraphQL's own validation passes over one that stands in an input beside others left out.
    bad_variable: Mutex<Option<ServerError>>,
}

/// What the request costs, once it was found valid.
#[derive(Clone, Default)]
struct Cost(Arc<Mutex<Option<ValidationResult>>>);

impl Cost {
    fn set(&self, result: ValidationResult) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    /// The answer with what it cost and a code in every error.
    fn complete(&self, mut response: Response) -> Response {
        for error in &mut response.errors {
            let fallback = if error.path.is_empty() {
                "GRAPHQL_VALIDATION_FAILED"
            } else {
                "BAD_USER_INPUT"
            };
            add_code(error, fallback);
        }
        let cost = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cost {
            Some(ValidationResult {
                complexity, depth, ..
            }) => response.extension("cost", value!({ "complexity": complexity, "depth": depth })),
            None => response,
        }
    }
}

#[async_trait::async_trait]
impl Extension for Answer {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        self.cost.complete(next.run(ctx).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        let cost = self.cost.clone();
        next.run(ctx, stream)
            .map(move |response| cost.complete(response))
            .boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let most = self.limits.complexity;
        // What cannot be parsed is told of where it is parsed.
        let document = request.parsed_query();
        if document.is_ok_and(|document| !expansion::is_within(document, most)) {
            return Err(self.explained(ServerError::new(TOO_COMPLEX, None)));
        }
        let own = request
            .data
            .get(&std::any::TypeId::of::<Caller>())
            .and_then(|data| data.downcast_ref::<Caller>());
        let caller = own.or_else(|| ctx.data_opt::<Caller>()).copied();
        let request = match (ctx.data_opt::<Engine>(), caller) {
            (Some(engine), Some(caller)) => request.data(AtHand::new(engine.clone(), caller)),
            _ => request,
        };
        next.run(ctx, request).await
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        match next.run(ctx, query, variables).await {
            Ok(document) => {
                *self
                    .bad_variable
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = bad_variable(&document, variables);
                Ok(document)
            }
            Err(mut error) => {
                add_code(&mut error, "GRAPHQL_PARSE_FAILED");
                Err(error)
            }
        }
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await;
        match result {
            Ok(result) => {
                self.cost.set(result);
                let bad_variable = self
                    .bad_variable
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take();
                bad_variable.map_or(Ok(result), |error| Err(vec![error]))
            }
            Err(errors) => Err(errors
                .into_iter()
                .map(|error| self.explained(error))
                .collect()),
        }
    }
}

impl Answer {
    /// The error with its code, the path in the arguments where it has one, and the limit or the form that was expected.
    fn explained(&self, mut error: ServerError) -> ServerError {
        let Limits { depth, complexity } = self.limits;
        let code = match error.message.as_str() {
            TOO_COMPLEX => {
                error.message = format!(
                    "the request asks for too much at once: at most {complexity} fields by estimate"
                );
                "TOO_COMPLEX"
            }
            "Query is nested too deep." => {
                error.message = format!("the request is nested too deep: at most {depth} levels");
                "TOO_COMPLEX"
            }
            message => match bad_argument(message) {
                Some((path, expected)) => {
                    if let Some(expected) = expected {
                        error.message = format!("{message}: expected {expected}");
                    }
                    set(&mut error, "path", path);
                    "BAD_USER_INPUT"
                }
                None => "GRAPHQL_VALIDATION_FAILED",
            },
        };
        add_code(&mut error, code);
        error
    }
}

/// The first variable of the operation whose value its scalar cannot read.
fn bad_variable(document: &ExecutableDocument, variables: &Variables) -> Option<ServerError> {
    let DocumentOperations::Single(operation) = &document.operations else {
        return None;
    };
    operation
        .node
        .variable_definitions
        .iter()
        .find_map(|definition| {
            let name = definition.node.name.node.as_str();
            let mut base = &definition.node.var_type.node.base;
            while let BaseType::List(inner) = base {
                base = &inner.base;
            }
            let BaseType::Named(scalar) = base else {
                return None;
            };
            let expected = scalar::expected(scalar)?;
            let value = variables
                .get(name)
                .filter(|value| !scalar::reads(scalar, value))?;
            let message =
                format!("Invalid value for variable \"${name}\": {value}, expected {expected}");
            let mut error = ServerError::new(message, Some(definition.pos));
            add_code(&mut error, "BAD_USER_INPUT");
            set(&mut error, "path", vec![name.to_owned()]);
            Some(error)
        })
}

/// Where the bad argument of a message stands, and what was expected there.
fn bad_argument(message: &str) -> Option<(Vec<String>, Option<&'static str>)> {
    let rest = message.strip_prefix("Invalid value for argument \"")?;
    let (path, rest) = rest.split_once('"')?;
    let scalar = rest
        .strip_prefix(", expected type \"")
        .and_then(|rest| rest.strip_suffix('"'));
    Some((
        path.split('.').map(str::to_owned).collect(),
        scalar.and_then(scalar::expected),
    ))
}

fn add_code(error: &mut ServerError, code: &str) {
    let has_code = error
        .extensions
        .as_ref()
        .is_some_and(|extensions| extensions.get("code").is_some());
    if !has_code {
        set(error, "code", code);
    }
}

fn set(error: &mut ServerError, name: &str, value: impl Into<async_graphql::Value>) {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Api, Mutation, Query, Schema, Subscription};
    use serde_json::{Value, json};

    /// Asks the whole schema without an engine: what passes validation fails right after it.
    async fn ask(request: impl Into<Request>) -> Value {
        let limits = Limits::default();
        let schema = Schema::build(Query::default(), Mutation::default(), Subscription)
            .limit_depth(limits.depth)
            .limit_complexity(limits.complexity)
            .extension(Answering(limits))
            .finish();
        serde_json::to_value(Api(schema).run(request.into()).await).unwrap()
    }

    async fn refused(request: impl Into<Request>) -> (String, Value) {
        let answer = ask(request).await;
        let extensions = &answer["errors"][0]["extensions"];
        (
            extensions["code"].as_str().unwrap_or_default().to_owned(),
            extensions["path"].clone(),
        )
    }

    const CHECK: &str = "query($at: DateTime!, $size: Int) { slotCheck(serviceId: \"svc\", startsAt: $at, partySize: $size) { bookable } }";

    #[tokio::test]
    async fn what_is_no_graphql_has_a_code() {
        assert_eq!(refused("{ business {").await.0, "GRAPHQL_PARSE_FAILED");
        assert_eq!(refused("").await.0, "GRAPHQL_PARSE_FAILED");
        assert_eq!(
            refused("{ buisness { id } }").await.0,
            "GRAPHQL_VALIDATION_FAILED"
        );
        assert_eq!(
            refused("query A { a: __typename } query B { b: __typename }")
                .await
                .0,
            "GRAPHQL_VALIDATION_FAILED"
        );
        assert_eq!(
            refused("subscription { bookingChanged { at } }").await.0,
            "GRAPHQL_VALIDATION_FAILED"
        );
    }

    #[tokio::test]
    async fn a_bad_argument_has_a_code_and_its_path() {
        let literal = "{ slotCheck(serviceId: \"svc\", startsAt: \"tomorrow\") { bookable } }";
        assert_eq!(
            refused(literal).await,
            ("BAD_USER_INPUT".to_owned(), json!(["startsAt"]))
        );
        let variable = Request::new(CHECK)
            .variables(Variables::from_json(json!({ "at": "2027-03-14T09:30" })));
        assert_eq!(
            refused(variable).await,
            ("BAD_USER_INPUT".to_owned(), json!(["startsAt"]))
        );
        let nested = "mutation { createBlock(input: { startsAt: 5, endsAt: \"2027-03-14T09:30:00Z\" }) { problems { code } } }";
        assert_eq!(
            refused(nested).await,
            ("BAD_USER_INPUT".to_owned(), json!(["input", "startsAt"]))
        );
        let beside = "mutation($at: DateTime!, $who: ID) { createBlock(input: { providerId: $who, startsAt: $at, endsAt: $at }) { problems { code } } }";
        let beside = Request::new(beside).variables(Variables::from_json(json!({ "at": "soon" })));
        assert_eq!(
            refused(beside).await,
            ("BAD_USER_INPUT".to_owned(), json!(["at"]))
        );
        let at = json!({ "at": "2027-03-14T09:30:00Z", "size": 3_000_000_000_u64 });
        let large = Request::new(CHECK).variables(Variables::from_json(at));
        assert_eq!(refused(large).await.0, "BAD_USER_INPUT");
    }

    #[tokio::test]
    async fn a_request_that_asks_for_too_much_is_not_run() {
        let deep = format!(
            "{{ services {}{{ name }}{} }}",
            "{ providers { services ".repeat(8),
            " } }".repeat(8)
        );
        assert_eq!(refused(deep.as_str()).await.0, "TOO_COMPLEX");
        assert_eq!(
            refused("{ services { providers { services { providers { id } } } } }")
                .await
                .0,
            "TOO_COMPLEX"
        );
        let aliases: Vec<String> = (0..60)
            .map(|n| format!("b{n}: bookings(first: 100) {{ nodes {{ id }} }}"))
            .collect();
        let aliases = aliases.join(" ");
        assert_eq!(refused(format!("{{ {aliases} }}")).await.0, "TOO_COMPLEX");
    }

    #[tokio::test]
    async fn useful_requests_are_within_the_limits() {
        let useful = [
            "{ services { id name description durationMinutes price { amount currency } providers { id name locations { id name } } } }",
            "{ bookings(first: 100) { edges { cursor node { id reference status version partySize note
                session { startsAt endsAt service { id name } provider { id name } location { id name timeZone } resources { name } }
                customer { id name email phone } } } pageInfo { hasNextPage endCursor } } }",
            "mutation { book(input: { serviceId: \"svc\", startsAt: \"2027-03-14T09:30:00Z\", customer: { name: \"Anna\" } }) {
                manageToken booking { id reference status session { startsAt provider { name } } }
                problems { code message path ... on SlotUnavailable { reasons alternatives { startsAt providers { id name } } } } } }",
        ];
        for query in useful {
            let answer = ask(query).await;
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "INTERNAL",
                "{answer}"
            );
            assert!(
                answer["extensions"]["cost"]["complexity"]
                    .as_u64()
                    .is_some(),
                "{answer}"
            );
        }
    }

    #[tokio::test]
    async fn the_introspection_of_graphiql_is_within_the_limits_and_says_what_it_costs() {
        let of_type = "ofType { kind name ".repeat(9) + &"}".repeat(9);
        let query = format!(
            "{{ __schema {{ types {{ name fields {{ args {{ type {{ kind name {of_type} }} }} }} }} }} }}"
        );
        let answer = ask(query).await;
        assert_eq!(answer["errors"], Value::Null);
        assert_eq!(answer["extensions"]["cost"]["depth"], 15);
    }
}
