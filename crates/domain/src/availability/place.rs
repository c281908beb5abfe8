//! What holds for everyone at a place: its days and opening hours, and the starts that the policy, the resources and the
//! service's limit per day allow. Each rule has its own list, so that a refusal can name it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::availability::days::{self, DayNumber, Days};
use crate::availability::hours::Hours;
use crate::availability::pool;
use crate::availability::question::{Place, Question};
use crate::availability::span::{Needs, intersect};
use crate::availability::timeline::Timeline;
use crate::interval::{Interval, Minute};
use crate::service::SlotAlignment;

/// What does not change from place to place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) needs: Needs,
    /// The first start that the minimum notice allows (AVAILABILITY.md, 10).
    pub(super) earliest: Minute,
}

impl<'a> Frame<'a> {
    pub(super) fn new(question: &'a Question<'a>) -> Self {
        let notice = TimeDelta::minutes(i64::from(question.service.policy.minimum_notice_minutes));
        let earliest = question
            .now
            .checked_add_signed(notice)
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self {
            question,
            needs: Needs::of(question.service),
            earliest: Minute::ceil(earliest),
        }
    }

    /// How many places are wanted.
    pub(super) fn party(self) -> u32 {
        self.question.party_size.max(1)
    }

    pub(super) fn interval(self) -> i64 {
        i64::from(self.question.service.slot_interval_minutes).max(1)
    }

    pub(super) fn alignment(self) -> SlotAlignment {
        self.question.service.slot_alignment
    }

    /// A minute past the last start that the maximum advance allows, in whatever zone.
    pub(super) fn far(self) -> Minute {
        let days = i64::from(self.question.service.policy.maximum_advance_days) + 3;
        Minute::floor(self.question.now).plus(days * 24 * 60)
    }
}

/// A place, for the starts in question.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) place: &'a Place<'a>,
    /// The starts in question.
    pub(super) starts: Interval,
    pub(super) days: Days,
    /// The location's own opening hours, as stretches (AVAILABILITY.md, 4).
    pub(super) opening: Option<Vec<Interval>>,
    /// Starts not past the maximum advance (AVAILABILITY.md, 10).
    pub(super) near: Vec<Interval>,
    /// Starts with enough units of every resource (AVAILABILITY.md, 8).
    pub(super) resourced: Vec<Interval>,
    /// Starts on days on which the service's limit is not reached (AVAILABILITY.md, 11).
    pub(super) within_limit: Vec<Interval>,
}

impl<'a> View<'a> {
    pub(super) fn new(frame: Frame<'a>, place: &'a Place<'a>, starts: Interval) -> Self {
        let worked =
            Interval::new(starts.start(), frame.needs.ends(starts.end())).unwrap_or(starts);
        let days = Days::around(place.zone, worked);
        let opening = place.opening.map(|schedule| {
            let mut hours = Hours::default();
            hours.read(schedule, &days);
            hours.stretches
        });
        let question = frame.question;
        let limit = question.service.daily_limit.zip(question.service_timeline);
        Self {
            opening,
            near: near(frame, place, &days, starts),
            resourced: resourced(frame, place, starts),
            within_limit: limit.map_or_else(
                || vec![starts],
                |(limit, timeline)| below_limit(&days, timeline, limit, starts, question.now),
            ),
            frame,
            place,
            starts,
            days,
        }
    }

    /// The starts that notice and advance allow: what someone needs who joins a session.
    pub(super) fn timely(&self) -> Vec<Interval> {
        let (mut timely, from) = (Vec::new(), self.starts.start().max(self.frame.earliest));
        let notice = Interval::new(from, self.starts.end());
        intersect(&self.near, notice.as_slice(), &mut timely);
        timely
    }

    /// The starts that the place allows: what a new session needs besides its provider.
    pub(super) fn open(&self) -> Vec<Interval> {
        let (mut open, mut resourced) = (Vec::new(), Vec::new());
        if self.frame.party() <= self.frame.question.service.capacity {
            intersect(&self.timely(), &self.resourced, &mut resourced);
            intersect(&resourced, &self.within_limit, &mut open);
        }
        open
    }
}

fn near(frame: Frame<'_>, place: &Place<'_>, days: &Days, starts: Interval) -> Vec<Interval> {
    let advance = i64::from(frame.question.service.policy.maximum_advance_days);
    let last = days::number(place.zone, frame.question.now) + advance;
    days.select(starts, |day| day <= last)
}

fn resourced(frame: Frame<'_>, place: &Place<'_>, starts: Interval) -> Vec<Interval> {
    let mut all = vec![starts];
    for requirement in &place.requirements {
        let free = pool::starts(requirement, frame.needs, starts, frame.question.now);
        let mut both = Vec::new();
        intersect(&all, &free, &mut both);
        all = both;
    }
    all
}

/// The starts on days on which fewer sessions than the limit start (AVAILABILITY.md, 11).
pub(super) fn below_limit(
    days: &Days,
    timeline: &Timeline,
    limit: u32,
    starts: Interval,
    now: DateTime<Utc>,
) -> Vec<Interval> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut known: Option<(DayNumber, bool)> = None;
    days.select(starts, |day| match known {
        Some((other, below)) if other == day => below,
        _ => {
            let below = sessions_of_day(days, timeline, day, now).count() < limit;
            known = Some((day, below));
            below
        }
    })
}

/// How long each session is, without buffers and in minutes, that starts on a local day.
pub(super) fn sessions_of_day<'t>(
    days: &'t Days,
    timeline: &'t Timeline,
    day: DayNumber,
    now: DateTime<Utc>,
) -> impl Iterator<Item = i64> + 't {
    let pieces = days.pieces_of(day);
    let sessions = pieces.flat_map(|piece| {
        let starting = timeline.starting(piece.span);
        let mut last = None;
        starting
            .iter()
            .filter(move |session| last.replace(session.session_id) != Some(session.session_id))
    });
    sessions
        .filter(move |session| session.is_live(now))
        .map(|session| session.ends.get() - session.starts.get())
}
