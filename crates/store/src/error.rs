//! Faults of the database, sorted by what a caller can do about them. The one place that reads PostgreSQL's errors.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database, or what it names, is not as it should be. The text does not hold the address.
    #[error("{0}")]
    Address(String),
    /// The database cannot be reached, or went away in the middle: try again later. What a COMMIT did that went unanswered is
    /// not known.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Somebody else was faster: exclusion or unique violation in a race, deadlock, serialization failure, lock timeout. Read
    /// and decide again.
    #[error("lost a race: {0}")]
    Race(String),
    /// A unique constraint refuses a value that the client chose.
    #[error("there is one already: {0}")]
    Duplicate(String),
    /// A bug: the statement or the data are not as this crate believes.
    #[error("database error: {0}")]
    Fault(String),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, info) => {
                let message = info.message().to_owned();
                let constraint = info.constraint_name().unwrap_or_default().to_owned();
                from_database(kind, message, constraint)
            }
            DieselError::BrokenTransactionManager => {
                Self::Unavailable("the connection broke in a transaction".to_owned())
            }
            other => Self::Fault(other.to_string()),
        }
    }
}

fn from_database(kind: DatabaseErrorKind, message: String, constraint: String) -> StoreError {
    match kind {
        DatabaseErrorKind::ExclusionViolation | DatabaseErrorKind::SerializationFailure => {
            StoreError::Race(message)
        }
        DatabaseErrorKind::UniqueViolation => StoreError::Duplicate(constraint),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            StoreError::Unavailable(message)
        }
        _ if is_lost_lock(&message) => StoreError::Race(message),
        _ if is_gone(&message) => StoreError::Unavailable(message),
        _ => StoreError::Fault(message),
    }
}

/// Deadlock (40P01) and lock timeout (55P03), which Diesel does not tell apart from other errors.
fn is_lost_lock(message: &str) -> bool {
    message.contains("deadlock detected")
        || message.contains("canceling statement due to lock timeout")
}

/// The connection or the server is going away (57P01 to 57P03, 08xxx), or has not come up yet.
fn is_gone(message: &str) -> bool {
    [
        "terminating connection",
        "connection closed",
        "the database system is",
        "server closed the connection",
        "error communicating with the server",
        "Connection reset",
        "Broken pipe",
        "too many clients",
        "remaining connection slots",
        "canceling statement due to statement timeout",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for StoreError {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<diesel::ConnectionError> for StoreError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(error.to_string())
    }
}
