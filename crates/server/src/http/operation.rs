//! What kind of operation a request asks for, before it is run. Pure.

use async_graphql::Request;
use async_graphql::parser::types::{OperationDefinition, OperationType, Selection};

/// What matters of an operation before it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) kind: OperationType,
    /// Whether it asks about the schema alone, which is the same for every business.
    pub(crate) about_schema: bool,
}

/// The operation that the request asks for; none where GraphQL will refuse it. The request keeps the parsed document.
pub(crate) fn of_request(request: &mut Request) -> Option<Operation> {
    let name = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let mut operations = document.operations.iter();
    let found = match &name {
        Some(wanted) => {
            operations.find(|(name, _)| name.is_some_and(|name| name.as_str() == wanted.as_str()))
        }
        None => operations.next(),
    };
    found.map(|(_, operation)| of_definition(&operation.node))
}

fn of_definition(definition: &OperationDefinition) -> Operation {
    let fields = &definition.selection_set.node.items;
    let about_schema = fields.iter().all(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node.starts_with("__"),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
    });
    Operation {
        kind: definition.ty,
        about_schema: about_schema && definition.ty == OperationType::Query,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str, name: Option<&str>) -> Option<(OperationType, bool)> {
        let mut request = Request::new(query);
        request.operation_name = name.map(str::to_owned);
        of_request(&mut request).map(|operation| (operation.kind, operation.about_schema))
    }

    #[test]
    fn the_operation_asked_for_is_found() {
        use OperationType::{Mutation, Query, Subscription};
        assert_eq!(of("{ services { id } }", None), Some((Query, false)));
        assert_eq!(
            of("query Q { a } mutation M { b }", Some("M")),
            Some((Mutation, false))
        );
        assert_eq!(of("query Q { a } mutation M { b }", Some("X")), None);
        assert_eq!(of("subscription { a }", None), Some((Subscription, false)));
        assert_eq!(of("{", None), None);
    }

    #[test]
    fn what_asks_about_the_schema_alone_is_known() {
        let about_schema =
            |query: &str| of(query, None).is_some_and(|(_, about_schema)| about_schema);
        assert!(about_schema(
            "query Introspection { __schema { types { name } } __typename }"
        ));
        assert!(!about_schema(
            "{ __schema { types { name } } services { id } }"
        ));
        assert!(!about_schema(
            "{ ...F } fragment F on Query { services { id } }"
        ));
        assert!(!about_schema("mutation { __typename }"));
    }
}
