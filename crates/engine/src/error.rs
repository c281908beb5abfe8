//! What a use case can answer instead of what was asked for: a refusal, a fault of the database, or a bug.

use domain::actor::Actor;
use domain::problem::Problem;
use store::StoreError;

use crate::Caller;

/// What a use case answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case was not done. Nothing of it was done then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the client can mend: becomes problems of the API.
    #[error("refused: {0:?}")]
    Refused(Vec<Problem>),
    /// The token is not one, or was revoked.
    #[error("{0}")]
    Unauthenticated(String),
    /// The actor may not.
    #[error("{0}")]
    Forbidden(String),
    /// No business could be found for the request.
    #[error("{0}")]
    NoBusiness(String),
    /// The database cannot be reached or is too busy: try again.
    #[error("{0}")]
    Unavailable(String),
    /// A bug. The text is for the log, never for the client.
    #[error("{0}")]
    Fault(String),
}

impl Error {
    /// A refusal for one problem.
    pub fn refuse(problem: Problem) -> Self {
        Self::Refused(vec![problem])
    }

    /// The caller may not do that.
    pub fn forbidden(caller: &Caller, what: &str) -> Self {
        Self::Forbidden(match caller.actor {
            Actor::Anonymous => {
                format!("a sign-in token is needed to {what}: send `Authorization: Bearer …`")
            }
            _ => format!("this token does not allow to {what}"),
        })
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::refuse(problem)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) => Self::Unavailable(why),
            // The transaction runner mends races; one that gets here was lost too often.
            StoreError::Race(why) => {
                Self::Unavailable(format!("too many others want the same: {why}"))
            }
            StoreError::Address(_) | StoreError::Duplicate(_) | StoreError::Fault(_) => {
                Self::Fault(error.to_string())
            }
        }
    }
}
