//! The schema behind a box, for whoever runs it: everything that is generic over the whole API is compiled in this crate, once, and no
//! crate above needs a higher recursion limit for it.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::Schema;

/// The schema, ready to run.
#[derive(Clone)]
pub struct Api(pub Schema);

impl Api {
    /// Runs a query or a mutation.
    pub fn run(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.0.execute(request))
    }
}

impl Executor for Api {
    async fn execute(&self, request: Request) -> Response {
        self.run(request).await
    }

    fn execute_stream(
        &self,
        request: Request,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        self.0
            .execute_stream_with_session_data(request, session.unwrap_or_default())
    }
}
