//! How places are shared between businesses: none has more under way than places are free, or than a part of those. So one alone has half of them (or
//! less), some have equal parts, and however many take all that they may, a place is left for the next, unless each of them has a single one.

use std::collections::HashMap;

use domain::id::BusinessId;

/// A business that is alone has half of the places.
pub(crate) const SHARE: usize = 2;

/// What is under way, by business.
#[derive(Debug)]
pub(crate) struct Shares {
    places: usize,
    /// For each that a business has under way, so many have to be free.
    left: usize,
    under_way: HashMap<BusinessId, usize>,
}

impl Shares {
    /// So many places, of which a business that is alone has one of so many, and nothing under way.
    pub(crate) fn new(places: usize, share: usize) -> Self {
        Self {
            places,
            left: share.saturating_sub(1).max(1),
            under_way: HashMap::new(),
        }
    }

    /// How many are under way for a business.
    pub(crate) fn of(&self, business: BusinessId) -> usize {
        self.under_way.get(&business).copied().unwrap_or(0)
    }

    /// Whether a business may have one more.
    pub(crate) fn has_room(&self, business: BusinessId) -> bool {
        self.of(business) * self.left < self.free()
    }

    /// The businesses that have something under way and may have no more.
    pub(crate) fn full(&self) -> impl Iterator<Item = BusinessId> {
        let (free, left) = (self.free(), self.left);
        let full = self.under_way.iter();
        let full = full.filter(move |(_, own)| **own * left >= free);
        full.map(|(business, _)| *business)
    }

    /// One more is under way.
    pub(crate) fn begin(&mut self, business: BusinessId) {
        *self.under_way.entry(business).or_default() += 1;
    }

    /// One has ended.
    pub(crate) fn end(&mut self, business: BusinessId) {
        if let Some(own) = self.under_way.get_mut(&business) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.under_way.remove(&business);
            }
        }
    }

    /// How many places are free.
    pub(crate) fn free(&self) -> usize {
        let taken: usize = self.under_way.values().sum();
        self.places.saturating_sub(taken)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::Id;
    use uuid::Uuid;

    use super::*;

    /// So many businesses take turns in taking all that they may: what each has in the end.
    fn taken((places, share): (usize, usize), businesses: u128) -> Vec<usize> {
        let mut shares = Shares::new(places, share);
        let all: Vec<_> = (1..=businesses)
            .map(|number| BusinessId::from_uuid(Uuid::from_u128(number)))
            .collect();
        while let Some(next) = all
            .iter()
            .filter(|one| shares.has_room(**one))
            .min_by_key(|one| shares.of(**one))
        {
            shares.begin(*next);
        }
        assert_eq!(
            shares.full().count(),
            all.iter().filter(|one| shares.of(**one) > 0).count()
        );
        all.into_iter().map(|one| shares.of(one)).collect()
    }

    #[test]
    fn however_many_take_all_that_they_may_a_place_is_left_for_the_next() {
        assert_eq!(taken((32, SHARE), 1), [16]);
        assert_eq!(taken((32, SHARE), 2), [11, 11], "and ten are left");
        assert_eq!(taken((32, SHARE), 3), [8, 8, 8]);
        assert_eq!(taken((32, SHARE), 16).iter().sum::<usize>(), 31);
        assert_eq!(taken((8, SHARE), 2), [3, 3]);
        assert_eq!(
            taken((2, SHARE), 3),
            [1, 1, 0],
            "there is no more than there is"
        );
        assert_eq!(taken((1, SHARE), 1), [1]);
        assert_eq!(taken((32, 8), 1), [4], "one of eight");
        assert_eq!(taken((32, 8), 2), [4, 4]);
        assert_eq!(taken((32, 8), 8).iter().sum::<usize>(), 18);
    }

    #[test]
    fn what_has_ended_is_free() {
        let mut shares = Shares::new(2, SHARE);
        let one = BusinessId::from_uuid(Uuid::from_u128(1));
        shares.begin(one);
        assert!(!shares.has_room(one));
        assert_eq!(shares.full().collect::<Vec<_>>(), [one]);
        shares.end(one);
        assert!(shares.has_room(one));
        assert_eq!(shares.full().count(), 0);
    }
}
