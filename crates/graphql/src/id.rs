//! Ids of the API, TypeIDs, read into the ids of the domain: what is malformed or of another kind is a problem with its path.

use async_graphql::ID;
use domain::id::Id;
use domain::problem::Problem;

/// The id at this place of the input.
pub(crate) fn parsed<I: Id>(path: &[&str], id: &ID) -> Result<I, Problem> {
    id.parse()
        .map_err(|wrong: domain::id::IdError| Problem::invalid(path, wrong.to_string()))
}

/// The id at this place, if one is given.
pub(crate) fn optional<I: Id>(path: &[&str], id: Option<&ID>) -> Result<Option<I>, Problem> {
    id.map(|id| parsed(path, id)).transpose()
}

/// The ids at this place, if any are given.
pub(crate) fn list<I: Id>(path: &[&str], ids: Option<&Vec<ID>>) -> Result<Option<Vec<I>>, Problem> {
    ids.map(|ids| ids.iter().map(|id| parsed(path, id)).collect())
        .transpose()
}

/// The id as the API shows it.
pub(crate) fn shown(id: impl Id) -> ID {
    ID(id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{ProviderId, ServiceId};
    use uuid::Uuid;

    #[test]
    fn an_id_of_another_kind_is_invalid_at_its_path() {
        let id = shown(ProviderId::from_uuid(Uuid::now_v7()));
        assert!(parsed::<ProviderId>(&["id"], &id).is_ok());
        for wrong in [id, ID("nonsense".to_owned()), ID(String::new())] {
            let refused = parsed::<ServiceId>(&["input", "serviceId"], &wrong);
            assert!(
                matches!(refused, Err(Problem::Invalid { path, .. }) if path == ["input", "serviceId"])
            );
        }
    }
}
