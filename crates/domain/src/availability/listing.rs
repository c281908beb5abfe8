//! The slots of a window of time (AVAILABILITY.md, 13), and the instant at which time alone will change them.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::availability::days::{self, Days};
use crate::availability::desk::{self, Allowed, Desk};
use crate::availability::nearest::first_within;
use crate::availability::place::{Frame, View};
use crate::availability::question::{Candidate, Place, Question, Slot};
use crate::availability::roster::{ProviderIds, Roster};
use crate::id::{LocationId, ProviderId};
use crate::interval::{Interval, Minute};

/// Where nobody was found at a minute.
const NO_ROW: u32 = u32::MAX;

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
        match view.place.candidates.as_slice() {
            [] => {}
            [only] => list_one(&view, only, &mut slots),
            _ => Listing::of(&view).list(&view, &mut slots),
        }
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

/// The slots of the only provider of a place.
fn list_one(view: &View<'_>, candidate: &Candidate<'_>, slots: &mut Vec<Slot>) {
    let before = slots.len();
    Desk::at(view).visit(view, candidate, &Allowed::at(view), |start, joins| {
        let left = joins.then(|| seats_left(view, candidate, start)).flatten();
        let provider_ids = ProviderIds::one(candidate.provider_id);
        slots.push(slot(view, start, provider_ids, left));
    });
    // Sessions to join come after all others.
    if let Some(new) = slots.get_mut(before..) {
        new.sort_by_key(|slot| slot.starts);
    }
}

/// The starts of the providers of one place, put together.
struct Listing {
    /// Who can take each start: a row for each.
    roster: Roster,
    /// The starts, in order of their rows.
    found: Vec<Found>,
    /// The minute in question that `rows` begins with.
    first: Minute,
    /// The row of each minute in question.
    rows: Vec<u32>,
}

struct Found {
    starts: Minute,
    /// Seats left in the fullest session that can be joined.
    seats_left: Option<u32>,
}

impl Listing {
    fn of(view: &View<'_>) -> Self {
        let candidates = by_id(view.place);
        let ids = candidates.iter().map(|candidate| candidate.provider_id);
        let minutes = usize::try_from(view.starts.minutes()).unwrap_or(0);
        let mut listing = Self {
            roster: Roster::new(ids.collect()),
            found: Vec::new(),
            first: view.starts.start(),
            rows: vec![NO_ROW; minutes],
        };
        let (mut desk, allowed) = (Desk::at(view), Allowed::at(view));
        for (member, candidate) in candidates.into_iter().enumerate() {
            desk.visit(view, candidate, &allowed, |start, joins| {
                let left = joins.then(|| seats_left(view, candidate, start)).flatten();
                listing.add(start, member, left);
            });
        }
        listing
    }

    fn add(&mut self, starts: Minute, member: usize, seats_left: Option<u32>) {
        let minute = usize::try_from(starts.get() - self.first.get()).unwrap_or(usize::MAX);
        let Some(row) = self.rows.get_mut(minute) else {
            return;
        };
        if *row == NO_ROW {
            *row = u32::try_from(self.found.len()).unwrap_or(NO_ROW);
            self.found.push(Found {
                starts,
                seats_left: None,
            });
            self.roster.add_row();
        }
        let row = usize::try_from(*row).unwrap_or(usize::MAX);
        self.roster.mark(row, member);
        if let (Some(left), Some(found)) = (seats_left, self.found.get_mut(row)) {
            found.seats_left = Some(found.seats_left.map_or(left, |fewest| fewest.min(left)));
        }
    }

    /// Adds the slots, by start.
    fn list(self, view: &View<'_>, slots: &mut Vec<Slot>) {
        let mut found: Vec<_> = self.found.into_iter().enumerate().collect();
        // The first providers have found most of them, in order.
        found.sort_by_key(|(_, found)| found.starts);
        let roster = Arc::new(self.roster);
        slots.extend(found.into_iter().map(|(row, found)| {
            let provider_ids = ProviderIds::of_row(roster.clone(), row);
            slot(view, found.starts, provider_ids, found.seats_left)
        }));
    }
}

/// A slot, with the seats left in a session that can be joined.
fn slot(
    view: &View<'_>,
    starts: Minute,
    provider_ids: ProviderIds,
    seats_left: Option<u32>,
) -> Slot {
    Slot {
        starts,
        ends: view.frame.needs.ends(starts),
        location_id: view.place.location_id,
        provider_ids,
        seats_left: seats_left.unwrap_or(view.frame.question.service.capacity),
    }
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
