//! Errors of the GraphQL response: requests that are not authenticated, not allowed or cannot be answered, and faults of the server.
//!
//! Guaranteed: each has a code, and none says anything about the inside of the server. A fault is logged here, once, under the trace
//! id that the client is shown.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use domain::problem::Problem;
use engine::live::CutOff;
use uuid::Uuid;

use crate::problem::{self, ProblemCode};

/// What a resolver answers.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a field has no answer. It cannot be displayed on purpose: then no other error turns into one by accident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    path: Option<Vec<String>>,
    trace_id: Option<Uuid>,
}

impl Failure {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: None,
            trace_id: None,
        }
    }

    /// A bug: the text is for the log.
    pub(crate) fn fault(text: &str) -> Self {
        let trace_id = Uuid::now_v7();
        tracing::error!(%trace_id, error = text, "a request failed");
        Self {
            trace_id: Some(trace_id),
            ..Self::new(
                "INTERNAL",
                "something went wrong in the server; the trace id names it in its log",
            )
        }
    }

    fn extensions(&self) -> ErrorExtensionValues {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code);
        if let Some(path) = &self.path {
            extensions.set("path", path.clone());
        }
        if let Some(trace_id) = self.trace_id {
            extensions.set("traceId", trace_id.to_string());
        }
        extensions
    }

    /// The same, of the request as a whole.
    pub(crate) fn into_server_error(self) -> ServerError {
        let mut error = async_graphql::Error::from(self).into_server_error(Pos::default());
        error.locations.clear();
        error
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(failure: Failure) -> Self {
        let extensions = Some(failure.extensions());
        Self {
            message: failure.message,
            source: None,
            extensions,
        }
    }
}

impl From<&engine::Error> for Failure {
    fn from(error: &engine::Error) -> Self {
        use engine::Error;
        match error {
            Error::Refused(problems) => match problems.first() {
                Some(problem) => problem.clone().into(),
                None => Self::fault("refused without a reason"),
            },
            Error::Unauthenticated(why) => Self::new("UNAUTHENTICATED", why),
            Error::Forbidden(why) => Self::new("FORBIDDEN", why),
            Error::NoBusiness(why) => Self::new("NOT_FOUND", why),
            Error::Unavailable(why) => {
                tracing::warn!(error = why, "a request could not be answered");
                Self::new(
                    "UNAVAILABLE",
                    "the server cannot answer at the moment: try again",
                )
            }
            Error::Fault(text) => Self::fault(text),
        }
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        (&error).into()
    }
}

impl From<Problem> for Failure {
    fn from(refused: Problem) -> Self {
        let code = ProblemCode::of(&refused);
        let message = problem::message(&refused);
        Self {
            path: problem::path(&refused),
            ..Self::new(code.name(), message)
        }
    }
}

impl From<CutOff> for Failure {
    fn from(cut: CutOff) -> Self {
        Self::new("TOO_SLOW", cut.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_and_path(error: &engine::Error) -> (String, Option<Vec<String>>, String) {
        let failure = Failure::from(error);
        (failure.code.to_owned(), failure.path, failure.message)
    }

    #[test]
    fn every_error_of_the_engine_has_a_code() {
        use engine::Error;
        let text = || "why".to_owned();
        let codes = [
            (Error::Unauthenticated(text()), "UNAUTHENTICATED"),
            (Error::Forbidden(text()), "FORBIDDEN"),
            (Error::NoBusiness(text()), "NOT_FOUND"),
            (Error::Unavailable(text()), "UNAVAILABLE"),
            (Error::Fault(text()), "INTERNAL"),
            (Error::Refused(Vec::new()), "INTERNAL"),
            (Error::refuse(Problem::HoldExpired), "HOLD_EXPIRED"),
        ];
        for (error, code) in codes {
            assert_eq!(code_and_path(&error).0, code, "{error:?}");
        }
    }

    #[test]
    fn a_refusal_outside_a_mutation_keeps_its_path() {
        let error = engine::Error::refuse(Problem::invalid(
            &["input", "to"],
            "must be after the beginning",
        ));
        let (code, path, message) = code_and_path(&error);
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("INVALID", "`to` must be after the beginning")
        );
        assert_eq!(path, Some(vec!["input".to_owned(), "to".to_owned()]));
    }

    #[test]
    fn a_fault_shows_its_trace_id_and_nothing_else() {
        let response = crate::error_response(&engine::Error::Fault("password=hunter2".to_owned()));
        let json = serde_json::to_string(&response).unwrap();
        assert!(
            json.contains("INTERNAL") && json.contains("traceId"),
            "{json}"
        );
        assert!(!json.contains("hunter2"), "{json}");
        let unavailable =
            crate::error_response(&engine::Error::Unavailable("host=10.0.0.7".to_owned()));
        assert!(
            !serde_json::to_string(&unavailable)
                .unwrap()
                .contains("10.0.0.7")
        );
    }
}
