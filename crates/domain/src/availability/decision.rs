//! Whether one start can be booked: who takes it, with which units, or the reasons why nobody can.
//!
//! The stages are those that list slots, asked about a single minute and each on its own, so that every rule that
//! stands in the way is named.

use crate::availability::desk::{self, Desk};
use crate::availability::place::{Frame, View, sessions_of_day};
use crate::availability::pool;
use crate::availability::question::{Candidate, Plan, Question, Seats, Taken};
use crate::availability::span::holds;
use crate::availability::timeline::BusySession;
use crate::id::{CalendarId, LocationId, ProviderId};
use crate::interval::{Interval, Minute};
use crate::problem::UnavailableReason;

/// Books a start with this provider, or with any (AVAILABILITY.md, 14), or says what stands in the way: reasons in order,
/// each once, at least one. With any provider they are those of the one who is nearest to being bookable.
pub fn decide(
    question: &Question<'_>,
    starts: Minute,
    provider: Option<ProviderId>,
) -> Result<Plan, Vec<UnavailableReason>> {
    let views = views(question, starts);
    let found = chances(&views, starts, provider);
    let plan = found
        .iter()
        .filter(|chance| chance.reasons.is_empty())
        .min_by_key(|chance| chance.preference())
        .and_then(|chance| chance.plan(false));
    plan.ok_or_else(|| refusal(&views, starts, found))
}

/// As [`decide`], for staff who may book against rules 6, 7, 8, 10 and 11 (AVAILABILITY.md, 12): only seats
/// ([`UnavailableReason::Full`]), a provider who does not offer the service, and a pool with too few units altogether
/// ([`UnavailableReason::ResourceBusy`]) still refuse. What overlaps another session is marked so; what nothing stands
/// against is booked as [`decide`] would.
pub fn decide_overriding(
    question: &Question<'_>,
    starts: Minute,
    provider: Option<ProviderId>,
) -> Result<Plan, Vec<UnavailableReason>> {
    let views = views(question, starts);
    let found = chances(&views, starts, provider);
    let plans = found
        .iter()
        .filter(|chance| !chance.reasons.contains(&UnavailableReason::Full));
    let mut plans: Vec<_> = plans
        .map(|chance| (chance.reasons.len(), chance.preference(), chance))
        .collect();
    plans.sort_unstable_by_key(|&(reasons, preference, _)| (reasons, preference));
    let refused = match (found.is_empty(), plans.is_empty()) {
        (true, _) => UnavailableReason::ProviderDoesNotOffer,
        (false, true) => UnavailableReason::Full,
        (false, false) => UnavailableReason::ResourceBusy,
    };
    plans
        .into_iter()
        .find_map(|(.., chance)| chance.plan(true))
        .ok_or_else(|| vec![refused])
}

/// One provider at one place, for the start in question.
struct Chance<'v> {
    view: &'v View<'v>,
    candidate: &'v Candidate<'v>,
    starts: Minute,
    /// The session of the service that starts then, if there is one: it is joined or nothing is.
    session: Option<&'v BusySession>,
    reasons: Vec<UnavailableReason>,
}

fn views<'a>(question: &'a Question<'a>, starts: Minute) -> Vec<View<'a>> {
    let frame = Frame::new(question);
    let one = Interval::new(starts, starts.plus(1));
    one.map_or_else(Vec::new, |one| {
        question
            .places
            .iter()
            .map(|place| View::new(frame, place, one))
            .collect()
    })
}

fn chances<'v>(
    views: &'v [View<'v>],
    starts: Minute,
    provider: Option<ProviderId>,
) -> Vec<Chance<'v>> {
    let mut desk = Desk::default();
    let mut found = Vec::new();
    for view in views {
        let candidates = view.place.candidates.iter();
        for candidate in
            candidates.filter(|candidate| provider.is_none_or(|id| id == candidate.provider_id))
        {
            desk.set(view, candidate);
            found.push(Chance::new(view, candidate, starts, &desk));
        }
    }
    found
}

impl<'v> Chance<'v> {
    fn new(view: &'v View<'v>, candidate: &'v Candidate<'v>, starts: Minute, desk: &Desk) -> Self {
        let now = view.frame.question.now;
        let sessions = desk::sessions(view, candidate, view.starts);
        let session = sessions.min_by_key(|session| {
            (
                !desk::joins(view, candidate, session),
                session.seats_left(now),
                session.session_id,
            )
        });
        let mut chance = Self {
            view,
            candidate,
            starts,
            session,
            reasons: Vec::new(),
        };
        chance.reasons = chance.reasons(desk);
        chance
    }

    fn reasons(&self, desk: &Desk) -> Vec<UnavailableReason> {
        use UnavailableReason::{
            DailyLimit, Full, OffGrid, OutsideWorkingHours, ProviderBlocked, ProviderBusy,
            ResourceBusy,
        };
        let (view, starts, timeline) = (self.view, self.starts, self.candidate.timeline);
        let (question, needs) = (view.frame.question, view.frame.needs);
        let mut reasons = Vec::new();
        let mut against = |reason, stands: bool| reasons.extend(stands.then_some(reason));
        let works = holds(&desk.fitting, starts);
        against(OutsideWorkingHours, !works);
        against(OffGrid, works && !desk.is_on_grid(view, starts));
        if let Some(session) = self.session {
            against(ProviderBlocked, desk::is_closed(self.candidate, session));
            against(Full, session.seats_left(question.now) < view.frame.party());
        } else {
            let limited =
                desk::limited(view, self.candidate).is_some_and(|limited| !holds(&limited, starts));
            against(
                ProviderBusy,
                needs.is_forbidden(timeline.held(0, question.now, &mut Vec::new()), starts),
            );
            against(
                ProviderBlocked,
                needs.is_forbidden(timeline.closed(), starts),
            );
            against(ResourceBusy, !holds(&view.resourced, starts));
            against(Full, view.frame.party() > question.service.capacity);
            against(DailyLimit, limited || !holds(&view.within_limit, starts));
        }
        for (reason, stands) in untimely(view, starts) {
            against(reason, stands);
        }
        reasons.sort_unstable();
        reasons
    }

    /// Minutes booked with the provider on that local day.
    fn booked(&self) -> i64 {
        let (days, now) = (&self.view.days, self.view.frame.question.now);
        days.day_of(self.starts).map_or(0, |day| {
            sessions_of_day(days, self.candidate.timeline, day, now).sum()
        })
    }

    /// Smaller is better: the fullest session that can be joined, then the provider with the fewest booked minutes, then
    /// the smallest ids (AVAILABILITY.md, 9 and 14).
    fn preference(&self) -> (bool, i64, ProviderId, LocationId) {
        let now = self.view.frame.question.now;
        let rank = self.session.map_or_else(
            || self.booked(),
            |session| i64::from(session.seats_left(now)),
        );
        (
            self.session.is_none(),
            rank,
            self.candidate.provider_id,
            self.view.place.location_id,
        )
    }

    /// What is taken; none where the place has too few units altogether.
    fn plan(&self, overriding: bool) -> Option<Plan> {
        let plan = |span, seats| Plan {
            provider_id: self.candidate.provider_id,
            location_id: self.view.place.location_id,
            span,
            seats,
        };
        if let Some(session) = self.session {
            let span = Interval::new(session.starts, session.ends)?;
            return Some(plan(span, Seats::Join(session.session_id)));
        }
        let (needs, now) = (self.view.frame.needs, self.view.frame.question.now);
        let held = self.candidate.timeline;
        let overlap =
            overriding && needs.is_forbidden(held.held(0, now, &mut Vec::new()), self.starts);
        let mut taken = vec![Taken {
            calendar_id: CalendarId::from(self.candidate.provider_id),
            unit: 0,
            overlap,
        }];
        for requirement in &self.view.place.requirements {
            taken.extend(pool::choose(requirement, needs, self.starts, now)?);
        }
        taken.sort_unstable();
        Some(plan(
            needs.span(self.starts)?,
            Seats::Open {
                kept: needs.kept(self.starts)?,
                taken,
            },
        ))
    }
}

/// Rule 10, which says the same to every provider of a place.
fn untimely(view: &View<'_>, starts: Minute) -> [(UnavailableReason, bool); 2] {
    [
        (UnavailableReason::TooSoon, starts < view.frame.earliest),
        (UnavailableReason::TooFarAhead, !holds(&view.near, starts)),
    ]
}

/// How far from being bookable: fewer reasons are nearer, and somebody at work who is busy is nearer than somebody who is not there.
fn distance(reasons: &[UnavailableReason]) -> (usize, bool, &[UnavailableReason]) {
    let absent = reasons.contains(&UnavailableReason::OutsideWorkingHours)
        || reasons.contains(&UnavailableReason::OffGrid);
    (reasons.len(), absent, reasons)
}

/// The reasons of whoever is nearest to being bookable; where nobody offers the service, that.
fn refusal(views: &[View<'_>], starts: Minute, found: Vec<Chance<'_>>) -> Vec<UnavailableReason> {
    let nearest = found
        .into_iter()
        .map(|chance| chance.reasons)
        .filter(|reasons| !reasons.is_empty());
    nearest
        .min_by(|one, other| distance(one).cmp(&distance(other)))
        .unwrap_or_else(|| {
            let everywhere = |reason: &UnavailableReason| {
                !views.is_empty()
                    && views
                        .iter()
                        .all(|view| untimely(view, starts).contains(&(*reason, true)))
            };
            let always = [UnavailableReason::TooSoon, UnavailableReason::TooFarAhead]
                .into_iter()
                .filter(everywhere);
            always
                .chain([UnavailableReason::ProviderDoesNotOffer])
                .collect()
        })
}
