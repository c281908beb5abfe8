//! Who can take a slot. The providers of a place are listed once for an answer, and each of its slots has a row of bits,
//! one for each of them: with a list for every slot, most of the time would go into copying ids and allocating. The slots
//! of a single provider need neither.

use std::fmt;
use std::sync::Arc;

use crate::id::ProviderId;

/// Providers, each once, by id. Cheap to clone: the slots of an answer share one roster.
#[derive(Clone)]
pub struct ProviderIds(Shape);

#[derive(Clone)]
enum Shape {
    One(ProviderId),
    Row { roster: Arc<Roster>, row: usize },
}

impl ProviderIds {
    /// A single provider.
    pub const fn one(provider_id: ProviderId) -> Self {
        Self(Shape::One(provider_id))
    }

    pub(super) const fn of_row(roster: Arc<Roster>, row: usize) -> Self {
        Self(Shape::Row { roster, row })
    }

    /// The providers in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = ProviderId> {
        let (one, row) = match &self.0 {
            Shape::One(provider_id) => (Some(*provider_id), None),
            Shape::Row { roster, row } => (None, Some(roster.row(*row))),
        };
        one.into_iter().chain(row.into_iter().flatten())
    }
}

impl FromIterator<ProviderId> for ProviderIds {
    fn from_iter<I: IntoIterator<Item = ProviderId>>(provider_ids: I) -> Self {
        let mut everyone: Vec<_> = provider_ids.into_iter().collect();
        everyone.sort_unstable();
        everyone.dedup();
        let mut roster = Roster::new(everyone);
        roster.add_row();
        for member in 0..roster.everyone.len() {
            roster.mark(0, member);
        }
        Self::of_row(Arc::new(roster), 0)
    }
}

impl PartialEq for ProviderIds {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ProviderIds {}

impl fmt::Debug for ProviderIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Everyone who may take a slot at a place, and for each slot a row of who can.
pub(super) struct Roster {
    /// By id; a member's index here is the index of their bit in a row.
    everyone: Vec<ProviderId>,
    /// How many words make a row.
    width: usize,
    words: Vec<u64>,
}

impl Roster {
    /// Without rows; everyone by id.
    pub(super) fn new(everyone: Vec<ProviderId>) -> Self {
        Self {
            width: everyone.len().div_ceil(64),
            everyone,
            words: Vec::new(),
        }
    }

    /// One more row, with nobody in it.
    pub(super) fn add_row(&mut self) {
        self.words.resize(self.words.len() + self.width, 0);
    }

    /// Puts a member into a row.
    pub(super) fn mark(&mut self, row: usize, member: usize) {
        if let Some(word) = self.words.get_mut(row * self.width + member / 64) {
            *word |= 1 << (member % 64);
        }
    }

    fn row(&self, row: usize) -> impl Iterator<Item = ProviderId> {
        let words = self.words.iter().skip(row * self.width).take(self.width);
        let members = words.zip(self.everyone.chunks(64));
        members.flat_map(|(word, members)| {
            let marked = move |index: &usize| word >> index & 1 == 1;
            members
                .iter()
                .enumerate()
                .filter(move |(index, _)| marked(index))
                .map(|(_, provider_id)| *provider_id)
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::Id;

    fn provider(number: u128) -> ProviderId {
        ProviderId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_row_has_who_was_marked_in_it() {
        let mut roster = Roster::new((0..130).map(provider).collect());
        let rows = [&[0, 63, 64, 129][..], &[], &[65]];
        for (row, members) in rows.into_iter().enumerate() {
            roster.add_row();
            for member in members {
                roster.mark(row, *member);
            }
        }
        let roster = Arc::new(roster);
        let row = |row| {
            ProviderIds::of_row(roster.clone(), row)
                .iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(row(0), [0, 63, 64, 129].map(provider));
        assert_eq!(row(1), []);
        assert_eq!(row(2), [provider(65)]);
    }

    #[test]
    fn the_same_providers_are_equal_in_whatever_shape() {
        let collected: ProviderIds = [provider(7), provider(7)].into_iter().collect();
        assert_eq!(collected, ProviderIds::one(provider(7)));
        let two: ProviderIds = [provider(9), provider(7)].into_iter().collect();
        assert!(two.iter().eq([provider(7), provider(9)]));
        assert_ne!(collected, two);
    }
}
