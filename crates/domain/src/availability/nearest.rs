//! The slots nearest to a time: the next one, and the alternatives to one that cannot be had.
//!
//! They are looked for in windows that grow, so that a slot nearby is found quickly and one far away at all.

use chrono::{DateTime, Utc};

use crate::availability::listing::slots_between;
use crate::availability::place::Frame;
use crate::availability::question::{Question, Slot};
use crate::id::ProviderId;
use crate::interval::Minute;

const DAY_MINUTES: i64 = 24 * 60;
/// How far alternatives are looked for, before and after.
const FARTHEST_DAYS: i64 = 31;
/// How many start times are offered before, and how many after.
const ALTERNATIVES: usize = 2;

/// The first slot at or after an instant, up to the maximum advance.
pub fn next_slot(question: &Question<'_>, from: DateTime<Utc>) -> Option<Slot> {
    first_within(question, Minute::ceil(from), Frame::new(question).far())
}

/// The first slot from one minute on and before another.
pub(super) fn first_within(question: &Question<'_>, from: Minute, to: Minute) -> Option<Slot> {
    let frame = Frame::new(question);
    let (mut from, to) = (from.max(frame.earliest), to.min(frame.far()));
    let mut days = 1;
    while from < to {
        let until = from.plus(days * DAY_MINUTES).min(to);
        if let Some(slot) = slots_between(question, from, until).into_iter().next() {
            return Some(slot);
        }
        (from, days) = (until, days * 2);
    }
    None
}

/// What to offer instead of a start: the same time with another provider, if one was named; and the two nearest start
/// times before and after, at most 31 days away, with the provider who was named. By start; one slot for each time.
pub fn alternatives(
    question: &Question<'_>,
    starts: Minute,
    provider: Option<ProviderId>,
) -> Vec<Slot> {
    let named = provider.map(|id| with_only(question, id));
    let narrowed = named.as_ref().unwrap_or(question);
    let mut found = before(narrowed, starts);
    if named.is_some() {
        found.extend(
            slots_between(question, starts, starts.plus(1))
                .into_iter()
                .take(1),
        );
    }
    found.extend(after(narrowed, starts));
    found
}

/// The same question about one provider.
fn with_only<'a>(question: &Question<'a>, provider: ProviderId) -> Question<'a> {
    let mut question = question.clone();
    for place in &mut question.places {
        place
            .candidates
            .retain(|candidate| candidate.provider_id == provider);
    }
    question.places.retain(|place| !place.candidates.is_empty());
    question
}

fn before(question: &Question<'_>, starts: Minute) -> Vec<Slot> {
    let earliest = starts
        .plus(-FARTHEST_DAYS * DAY_MINUTES)
        .max(Frame::new(question).earliest);
    let (mut until, mut days, mut found) = (starts, 1, Vec::new());
    while found.len() < ALTERNATIVES && until > earliest {
        let from = until.plus(-days * DAY_MINUTES).max(earliest);
        let mut slots = slots_between(question, from, until);
        slots.dedup_by_key(|slot| slot.starts);
        slots.extend(found);
        found = slots;
        (until, days) = (from, days * 2);
    }
    found.split_off(found.len().saturating_sub(ALTERNATIVES))
}

fn after(question: &Question<'_>, starts: Minute) -> Vec<Slot> {
    let frame = Frame::new(question);
    let latest = starts
        .plus(FARTHEST_DAYS * DAY_MINUTES + 1)
        .min(frame.far());
    let (mut from, mut days, mut found) = (starts.plus(1).max(frame.earliest), 1, Vec::new());
    while found.len() < ALTERNATIVES && from < latest {
        let until = from.plus(days * DAY_MINUTES).min(latest);
        let mut slots = slots_between(question, from, until);
        slots.dedup_by_key(|slot| slot.starts);
        found.extend(slots);
        (from, days) = (until, days * 2);
    }
    found.truncate(ALTERNATIVES);
    found
}
