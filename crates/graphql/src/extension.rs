//! What every answer has: a code in each error, and what the request cost.
//!
//! Guaranteed: an error that GraphQL itself raises (a request that cannot be parsed, is not valid, or asks for too much) has a code as
//! those of the resolvers do; nothing of such a request is run.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest, NextRequest, NextSubscribe,
    NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    ErrorExtensionValues, Request, Response, ServerError, ServerResult, ValidationResult, Variables, async_trait, value,
};
use engine::{Caller, Engine};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::request::AtHand;
use crate::{Limits, scalar};

/// Makes one for each request.
pub(crate) struct Answering(pub(crate) Limits);

impl ExtensionFactory for Answering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Answer { limits: self.0, cost: Cost::default() })
    }
}

struct Answer {
    limits: Limits,
    cost: Cost,
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
            let fallback = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
            add_code(error, fallback);
        }
        let cost = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cost {
            Some(ValidationResult { complexity, depth, .. }) => {
                response.extension("cost", value!({ "complexity": complexity, "depth": depth }))
            }
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
        next.run(ctx, stream).map(move |response| cost.complete(response)).boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let own = request.data.get(&std::any::TypeId::of::<Caller>()).and_then(|data| data.downcast_ref::<Caller>());
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
        next.run(ctx, query, variables).await.map_err(|mut error| {
            add_code(&mut error, "GRAPHQL_PARSE_FAILED");
            error
        })
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
                Ok(result)
            }
            Err(errors) => Err(errors.into_iter().map(|error| self.explained(error)).collect()),
        }
    }
}

impl Answer {
    /// The error with its code, the path in the arguments where it has one, and the limit or the form that was expected.
    fn explained(&self, mut error: ServerError) -> ServerError {
        let Limits { depth, complexity } = self.limits;
        let code = match error.message.as_str() {
            "Query is too complex." => {
                error.message = format!("the request asks for too much at once: at most {complexity} fields by estimate");
                "TOO_COMPLEX"
            }
            "Query is nested too deep." => {
                error.message = format!("the request is nested too deep: at most {depth} levels");
                "TOO_COMPLEX"
            }
            message => match bad_argument(message) {
                Some((path, expected)) => {
                    if let Some(expected) = expected {
                        error.message = format!("{message}: {expected}");
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

/// Where the bad argument of a message stands, and what was expected there.
fn bad_argument(message: &str) -> Option<(Vec<String>, Option<&'static str>)> {
    let rest = message.strip_prefix("Invalid value for argument \"")?;
    let (path, rest) = rest.split_once('"')?;
    let scalar = rest.strip_prefix(", expected type \"").and_then(|rest| rest.strip_suffix('"'));
    Some((path.split('.').map(str::to_owned).collect(), scalar.and_then(scalar::expected)))
}

fn add_code(error: &mut ServerError, code: &str) {
    let has_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    if !has_code {
        set(error, "code", code);
    }
}

fn set(error: &mut ServerError, name: &str, value: impl Into<async_graphql::Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}
