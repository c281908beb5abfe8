//! The slots of a window of time (AVAILABILITY.md, 13), and the instant at which time alone will change them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::availability::days::{self, Days};
use crate::availability::desk::{self, Allowed, Desk};
use crate::availability::nearest::first_within;
use crate::availability::place::{Frame, View};
use crate::availability::question::{Candidate, Place, Question, Slot};
use crate::id::{LocationId, ProviderId};
use crate::interval::{Interval, Minute};

/// The starts on offer from `from` on and before `to`: by start, then location; one for each of both, with every
/// provider who can take it (AVAILABILITY.md, 13).
pub fn slots(question: &Question<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Slot> {
    slots_between(question, Minute::ceil(from), Minute::ceil(to))
}

/// Visits what [`slots`] puts together: every start on offer with every provider who can take it, place by place and
/// provider by provider. For those who only count, or want the starts alone; a start may come more than once.
pub fn for_each_start(
    question: &Question<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    mut visitor: impl FnMut(LocationId, ProviderId, Minute),
) {
    for view in views(question, Minute::ceil(from), Minute::ceil(to)) {
        let mut desk = Desk::at(&view);
        let allowed = Allowed::at(&view);
        for candidate in &view.place.candidates {
            let (location_id, provider_id) = (view.place.location_id, candidate.provider_id);
            desk.visit(&view, candidate, &allowed, |start, _| {
                visitor(location_id, provider_id, start);
            });
        }
    }
}

/// The places, for what notice and advance can leave of a window of time.
fn views<'a>(
    question: &'a Question<'a>,
    from: Minute,
    to: Minute,
) -> impl Iterator<Item = View<'a>> {
    let frame = Frame::new(question);
    let starts = Interval::new(from.max(frame.earliest), to.min(frame.far()));
    starts.into_iter().flat_map(move |starts| {
        question
            .places
            .iter()
            .map(move |place| View::new(frame, place, starts))
    })
}

pub(super) fn slots_between(question: &Question<'_>, from: Minute, to: Minute) -> Vec<Slot> {
    let mut slots = Vec::new();
    for view in views(question, from, to) {
        Listing::of(&view).assemble(&view, &mut slots);
    }
    if question.places.len() > 1 {
        slots.sort_by_key(|slot| (slot.starts, slot.location_id));
    }
    slots
}

/// The next instant at which time alone may change `slots(question, from, to)`: a start on offer passes its notice, a
/// hold runs out, or midnight moves the maximum advance. Always later than the question's now.
pub fn next_change(
    question: &Question<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (from, to) = (Minute::ceil(from), Minute::ceil(to));
    let starts = Interval::new(from, to)?;
    let notice = TimeDelta::minutes(i64::from(question.service.policy.minimum_notice_minutes));
    let first = first_within(question, from, to)
        .and_then(|slot| slot.starts.instant().checked_sub_signed(notice));
    // At that very instant it is still on offer.
    let passes = first.and_then(|last| last.checked_add_signed(TimeDelta::nanoseconds(1)));
    let advances = question
        .places
        .iter()
        .filter_map(|place| advance_moves(question, place, starts));
    passes
        .into_iter()
        .chain(next_expiry(question, starts))
        .chain(advances)
        .min()
}

fn next_expiry(question: &Question<'_>, starts: Interval) -> Option<DateTime<Utc>> {
    let frame = Frame::new(question);
    // A limit per day counts sessions of the whole day.
    let day = 2 * 24 * 60;
    let around = Interval::new(starts.start().plus(-day), starts.end().plus(day))
        .and_then(|days| frame.needs.around(days))?;
    let candidates = question
        .places
        .iter()
        .flat_map(|place| place.candidates.iter().map(|candidate| candidate.timeline));
    let requirements = question.places.iter().flat_map(|place| &place.requirements);
    let resources =
        requirements.flat_map(|requirement| requirement.pool.iter().map(|&(_, timeline)| timeline));
    let timelines = candidates.chain(resources).chain(question.service_timeline);
    timelines
        .filter_map(|timeline| timeline.next_expiry_within(around, question.now))
        .min()
}

/// When the maximum advance moves at a place, if it withholds any of the starts.
fn advance_moves(
    question: &Question<'_>,
    place: &Place<'_>,
    starts: Interval,
) -> Option<DateTime<Utc>> {
    let advance = i64::from(question.service.policy.maximum_advance_days);
    let last = days::number(place.zone, question.now) + advance;
    let withholds = !Days::around(place.zone, starts)
        .select(starts, |day| day > last)
        .is_empty();
    let next = days::next_date_change(place.zone, question.now)?;
    withholds.then(|| next.instant())
}

/// The starts of many providers at one place, before they are put together.
#[derive(Default)]
struct Listing {
    /// Starts in minutes after the first in question: of one provider after the other, in order of their ids.
    found: Vec<u32>,
    /// Each provider, and how many of `found` are theirs.
    counts: Vec<(ProviderId, usize)>,
    /// A start and the seats left in a session that can be joined.
    joinable: Vec<(u32, u32)>,
}

impl Listing {
    fn of(view: &View<'_>) -> Self {
        let mut listing = Self::default();
        let mut desk = Desk::at(view);
        let offset = |start: Minute| {
            u32::try_from(start.get() - view.starts.start().get()).unwrap_or(u32::MAX)
        };
        let allowed = Allowed::at(view);
        for candidate in by_id(view.place) {
            let before = listing.found.len();
            let (found, joinable) = (&mut listing.found, &mut listing.joinable);
            desk.visit(view, candidate, &allowed, |start, joins| {
                found.push(offset(start));
                let left = if joins {
                    seats_left(view, candidate, start)
                } else {
                    None
                };
                joinable.extend(left.map(|left| (offset(start), left)));
            });
            listing
                .counts
                .push((candidate.provider_id, listing.found.len() - before));
        }
        listing.joinable.sort_unstable();
        listing
    }

    /// Puts the providers of each start together.
    fn assemble(&self, view: &View<'_>, slots: &mut Vec<Slot>) {
        let minutes = usize::try_from(view.starts.minutes()).unwrap_or(usize::MAX);
        if self.found.len() < minutes / 32 {
            self.assemble_few(view, slots);
        } else {
            self.assemble_many(view, minutes, slots);
        }
    }

    fn assemble_few(&self, view: &View<'_>, slots: &mut Vec<Slot>) {
        let mut found: Vec<(u32, ProviderId)> = Vec::with_capacity(self.found.len());
        self.each(|start, provider_id| found.push((start, provider_id)));
        found.sort_unstable();
        slots.reserve(found.len());
        for group in found.chunk_by(|one, next| one.0 == next.0) {
            let providers = group.iter().map(|&(_, provider_id)| provider_id).collect();
            slots.extend(
                group
                    .first()
                    .map(|&(start, _)| self.slot(view, start, providers)),
            );
        }
    }

    /// Counts the providers of each minute before it writes any down: each list is made once, at its size.
    fn assemble_many(&self, view: &View<'_>, minutes: usize, slots: &mut Vec<Slot>) {
        let mut table = vec![0_usize; minutes];
        self.each(|start, _| {
            if let Some(count) = table.get_mut(index(start)) {
                *count += 1;
            }
        });
        for (start, entry) in (0..).zip(&mut table) {
            if *entry > 0 {
                slots.push(self.slot(view, start, Vec::with_capacity(*entry)));
                *entry = slots.len() - 1;
            }
        }
        self.each(|start, provider_id| {
            let slot = table
                .get(index(start))
                .and_then(|&entry| slots.get_mut(entry));
            if let Some(slot) = slot {
                slot.provider_ids.push(provider_id);
            }
        });
    }

    /// Every start that was found and whose it is, in order of the providers' ids.
    fn each(&self, mut visitor: impl FnMut(u32, ProviderId)) {
        let mut found = self.found.iter();
        for &(provider_id, count) in &self.counts {
            found
                .by_ref()
                .take(count)
                .for_each(|&start| visitor(start, provider_id));
        }
    }

    fn slot(&self, view: &View<'_>, start: u32, provider_ids: Vec<ProviderId>) -> Slot {
        // The first of a start has the fewest seats left.
        let next = self.joinable.partition_point(|(other, _)| *other < start);
        let left = self
            .joinable
            .get(next)
            .filter(|(other, _)| *other == start)
            .map(|(_, left)| *left);
        let starts = view.starts.start().plus(i64::from(start));
        Slot {
            starts,
            ends: view.frame.needs.ends(starts),
            location_id: view.place.location_id,
            provider_ids,
            seats_left: left.unwrap_or(view.frame.question.service.capacity),
        }
    }
}

fn index(start: u32) -> usize {
    usize::try_from(start).unwrap_or(usize::MAX)
}

/// The candidates of a place by id.
fn by_id<'a>(place: &'a Place<'a>) -> Vec<&'a Candidate<'a>> {
    let mut candidates: Vec<_> = place.candidates.iter().collect();
    candidates.sort_by_key(|candidate| candidate.provider_id);
    candidates
}

/// The seats left in the fullest session with a provider that can be joined at a start.
fn seats_left(view: &View<'_>, candidate: &Candidate<'_>, start: Minute) -> Option<u32> {
    let one = Interval::new(start, start.plus(1))?;
    let sessions = desk::sessions(view, candidate, one)
        .filter(|session| desk::joins(view, candidate, session));
    sessions
        .map(|session| session.seats_left(view.frame.question.now))
        .min()
}
