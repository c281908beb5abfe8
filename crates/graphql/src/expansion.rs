//! How large a document is once its fragments stand where they are named. Pure.
//!
//! GraphQL's own checks walk the document in that form, before any limit of theirs: a few dozen fragments each of which names the next
//! one twice would keep them busy for years, and a long chain of fragments takes their stack. So they are asked only about what
//! [`is_within`] has let through, at a cost that grows with the document as it was sent.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// How deep fields and fragments may stand in each other. The same as GraphQL's own checks have, which no limit on fields replaces.
const DEEPEST: usize = 32;

/// How large a part of a document is.
#[derive(Clone, Copy, Default)]
struct Extent {
    selections: usize,
    height: usize,
}

/// Whether the operations have at most so many selections, the fragments by themselves too, and none is too deep. A fragment that names
/// itself is too deep.
pub(crate) fn is_within(document: &ExecutableDocument, most: usize) -> bool {
    let mut walk = Walk {
        document,
        most,
        known: HashMap::new(),
    };
    let operations = document.operations.iter();
    let operations = operations.map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values();
    let fragments = fragments.map(|fragment| &fragment.node.selection_set.node);
    walk.holds(operations) && walk.holds(fragments)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    most: usize,
    /// Fragments that were walked to their end: each is walked once.
    known: HashMap<&'a str, Extent>,
}

impl<'a> Walk<'a> {
    fn holds(&mut self, mut parts: impl Iterator<Item = &'a SelectionSet>) -> bool {
        let sum = parts.try_fold(0, |sum: usize, part| {
            Some(sum + self.extent(part, 0)?.selections)
        });
        sum.is_some_and(|sum| sum <= self.most)
    }

    /// How large it is; none: too large. `depth` is how deep the walk itself is, so that it ends where fragments name each other.
    fn extent(&mut self, set: &'a SelectionSet, depth: usize) -> Option<Extent> {
        let mut whole = Extent::default();
        for selection in &set.items {
            let inner = match &selection.node {
                Selection::Field(field) => &field.node.selection_set.node,
                Selection::InlineFragment(inline) => &inline.node.selection_set.node,
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(&spread.node.fragment_name.node, depth)?;
                    whole = self.with(whole, inner)?;
                    continue;
                }
            };
            let inner = if inner.items.is_empty() {
                Extent::default()
            } else {
                self.extent(inner, deeper(depth)?)?
            };
            whole = self.with(whole, inner)?;
        }
        Some(whole)
    }

    fn fragment(&mut self, name: &'a str, depth: usize) -> Option<Extent> {
        if let Some(known) = self.known.get(name) {
            return Some(*known);
        }
        // One that is not there is told of by the checks that come after.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Some(Extent::default());
        };
        let extent = self.extent(&fragment.node.selection_set.node, deeper(depth)?)?;
        self.known.insert(name, extent);
        Some(extent)
    }

    /// The whole with one more selection that has this in it.
    fn with(&self, whole: Extent, inner: Extent) -> Option<Extent> {
        let extent = Extent {
            selections: whole.selections + 1 + inner.selections,
            height: whole.height.max(1 + inner.height),
        };
        (extent.selections <= self.most && extent.height <= DEEPEST + 1).then_some(extent)
    }
}

fn deeper(depth: usize) -> Option<usize> {
    (depth < DEEPEST).then_some(depth + 1)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn within(document: &str) -> bool {
        is_within(&parse_query(document).unwrap(), 100)
    }

    /// Fragments each of which names the next one so many times.
    fn chain(length: usize, times: usize) -> String {
        let fragments = (0..length).map(|level| {
            let next = format!("...F{} ", level + 1).repeat(times);
            format!(" fragment F{level} on Query {{ {next}}}")
        });
        let fragments: String = fragments.collect();
        format!("{fragments} fragment F{length} on Query {{ a }}")
    }

    #[test]
    fn a_document_counts_with_its_fragments_put_in() {
        assert!(within(
            "{ a { b c } ...F } fragment F on Query { d ... { e } }"
        ));
        let fields = |count: usize| format!("{{ {} }}", "a ".repeat(count));
        assert!(within(&fields(100)) && !within(&fields(101)));
        assert!(within(&format!("{{ ...F0 }}{}", chain(3, 2))));
        assert!(!within(&format!("{{ ...F0 }}{}", chain(6, 2))));
        assert!(!within(&format!("{{ ...F0 }}{}", chain(31, 40))));
        assert!(!within(&format!("{{ a }} {}", chain(31, 2))), "unused");
        let operations = (0..30).map(|number| format!("query Q{number} {{ ...F0 }} "));
        let operations = operations.collect::<Vec<_>>().concat();
        assert!(!within(&format!("{operations}{}", chain(3, 1))));
    }

    #[test]
    fn a_document_has_a_greatest_depth() {
        let nested = |depth: usize| format!("{}{}", "{ a ".repeat(depth), "}".repeat(depth));
        assert!(within(&nested(33)) && !within(&nested(34)));
        let deep = |length: usize| {
            is_within(
                &parse_query(format!("{{ a }} {}", chain(length, 1))).unwrap(),
                1_000_000,
            )
        };
        assert!(deep(32) && !deep(33) && !deep(5_000));
        assert!(!within("{ ...A } fragment A on Query { ...A }"));
        assert!(!within(
            "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }"
        ));
        assert!(within("{ ...Nowhere }"));
    }
}
