//! What holds for one provider at a place: their hours, their busy time, the sessions with them that can be joined.
//!
//! A desk is cleared and set for one provider after the other; its buffers stay, so that a question about thousands of
//! them allocates for the first few only.

use crate::availability::grid::{Run, visit};
use crate::availability::hours::Hours;
use crate::availability::place::{View, below_limit};
use crate::availability::question::Candidate;
use crate::availability::span::{intersect, subtract};
use crate::availability::timeline::BusySession;
use crate::interval::{Interval, Minute};
use crate::service::SlotAlignment;

/// What a place allows, made once for all providers there.
#[derive(Debug)]
pub(super) struct Allowed {
    /// The starts of new sessions.
    open: Vec<Interval>,
    /// The starts of sessions that are joined.
    timely: Vec<Interval>,
}

impl Allowed {
    pub(super) fn at(view: &View<'_>) -> Self {
        Self {
            open: view.open(),
            timely: view.timely(),
        }
    }
}

/// One provider's side of a question.
#[derive(Debug, Default)]
pub(super) struct Desk {
    hours: Hours,
    /// Starts whose session lies inside a stretch of working time (AVAILABILITY.md, 7).
    pub(super) fitting: Vec<Interval>,
    /// Buffers for what the next rule leaves.
    allowed: Vec<Interval>,
    limited: Vec<Interval>,
    starts: Vec<Interval>,
    lapsed: Vec<Interval>,
}

impl Desk {
    /// With room for what an ordinary provider has on the days in question.
    pub(super) fn at(view: &View<'_>) -> Self {
        let windows = view.days.days().len() * 2;
        Self {
            hours: Hours::with_capacity(windows),
            fitting: Vec::with_capacity(windows),
            allowed: Vec::with_capacity(windows),
            starts: Vec::with_capacity(windows * 4),
            ..Self::default()
        }
    }

    /// Reads the hours of a provider (AVAILABILITY.md, 2-4 and 7).
    pub(super) fn set(&mut self, view: &View<'_>, candidate: &Candidate<'_>) {
        self.hours.read(candidate.schedule, &view.days);
        let stretches = match &view.opening {
            Some(opening) => {
                intersect(&self.hours.stretches, opening, &mut self.allowed);
                &self.allowed
            }
            None => &self.hours.stretches,
        };
        self.fitting.clear();
        self.fitting.extend(
            stretches
                .iter()
                .filter_map(|&stretch| view.frame.needs.fitting(stretch)),
        );
    }

    /// Visits the starts at which a provider can be had, and whether a session is joined there: those of new sessions in
    /// order, then those of sessions to join (AVAILABILITY.md, 6-11).
    pub(super) fn visit(
        &mut self,
        view: &View<'_>,
        candidate: &Candidate<'_>,
        allowed: &Allowed,
        mut visitor: impl FnMut(Minute, bool),
    ) {
        self.set(view, candidate);
        self.visit_open(view, candidate, &allowed.open, |start| {
            visitor(start, false);
        });
        if view.frame.question.service.capacity > 1 {
            self.visit_joinable(view, candidate, &allowed.timely, |start| {
                visitor(start, true);
            });
        }
    }

    fn visit_open(
        &mut self,
        view: &View<'_>,
        candidate: &Candidate<'_>,
        open: &[Interval],
        visitor: impl FnMut(Minute),
    ) {
        intersect(&self.fitting, open, &mut self.allowed);
        if let Some(limited) = limited(view, candidate) {
            intersect(&self.allowed, &limited, &mut self.limited);
            std::mem::swap(&mut self.allowed, &mut self.limited);
        }
        let busy = candidate
            .timeline
            .busy(0, view.frame.question.now, &mut self.lapsed);
        subtract(
            &self.allowed,
            view.frame.needs.forbidden_by(busy, view.starts),
            &mut self.starts,
        );
        self.visit_grid(view, &self.starts, visitor);
    }

    fn visit_joinable(
        &mut self,
        view: &View<'_>,
        candidate: &Candidate<'_>,
        timely: &[Interval],
        visitor: impl FnMut(Minute),
    ) {
        self.limited.clear();
        for session in
            sessions(view, candidate, view.starts).filter(|session| joins(view, candidate, session))
        {
            let one = Interval::new(session.starts, session.starts.plus(1));
            self.limited
                .extend(one.filter(|one| self.limited.last() != Some(one)));
        }
        if !self.limited.is_empty() {
            intersect(&self.fitting, timely, &mut self.allowed);
            intersect(&self.limited, &self.allowed, &mut self.starts);
            self.visit_grid(view, &self.starts, visitor);
        }
    }

    /// Whether a start is a candidate of one of the provider's windows (AVAILABILITY.md, 6).
    pub(super) fn is_on_grid(&self, view: &View<'_>, start: Minute) -> bool {
        let (mut found, one) = (false, Interval::new(start, start.plus(1)));
        self.visit_grid(view, one.as_slice(), |_| found = true);
        found
    }

    fn visit_grid(&self, view: &View<'_>, starts: &[Interval], visitor: impl FnMut(Minute)) {
        let interval = view.frame.interval();
        match view.frame.alignment() {
            SlotAlignment::Window => visit(
                self.hours.windows.iter().map(Run::of_window),
                interval,
                starts,
                visitor,
            ),
            // The starts lie in stretches of working time, and those in windows.
            SlotAlignment::Clock => visit(
                view.days.pieces().iter().map(Run::of_clock),
                interval,
                starts,
                visitor,
            ),
        }
    }
}

/// The starts on days on which the provider's limit is not reached; none where they have no limit (AVAILABILITY.md, 11).
pub(super) fn limited(view: &View<'_>, candidate: &Candidate<'_>) -> Option<Vec<Interval>> {
    let limit = candidate.daily_limit?;
    Some(below_limit(
        &view.days,
        candidate.timeline,
        limit,
        view.starts,
        view.frame.question.now,
    ))
}

/// The live sessions of the service with a provider, at the place, that start then and could be joined if they had room:
/// none for a service of capacity 1 (AVAILABILITY.md, 9).
pub(super) fn sessions<'c>(
    view: &'c View<'_>,
    candidate: &'c Candidate<'_>,
    starts: Interval,
) -> impl Iterator<Item = &'c BusySession> {
    let question = view.frame.question;
    let group = if question.service.capacity > 1 {
        candidate.timeline.starting(starts)
    } else {
        &[]
    };
    group.iter().filter(move |session| {
        session.service_id == question.service.id
            && session.location_id == view.place.location_id
            && session.is_live(question.now)
    })
}

/// Whether a session has room and nothing closes the calendar over it (AVAILABILITY.md, 9).
pub(super) fn joins(view: &View<'_>, candidate: &Candidate<'_>, session: &BusySession) -> bool {
    let question = view.frame.question;
    session.seats_left(question.now) >= view.frame.party() && !is_closed(candidate, session)
}

/// Whether a block or external busy time lies over a session, buffers counted.
pub(super) fn is_closed(candidate: &Candidate<'_>, session: &BusySession) -> bool {
    let closed = candidate.timeline.closed();
    let next = closed.partition_point(|closed| closed.end() <= session.kept.start());
    closed
        .get(next)
        .is_some_and(|closed| closed.meets(session.kept))
}
