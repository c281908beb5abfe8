//! Everything that can happen to bookings and to their events elsewhere, at random, on good days and bad. In the end calendars and bookings
//! agree, and each booking stands there exactly once.

use chrono::TimeDelta;
use domain::booking::BookingStatus;
use domain::id::{BookingId, Id, ProviderId};
use engine::booking::Reschedule;
use engine::calendar::ConnectCalendar;
use engine::{Error, Result};
use jobs::Jobs;
use plugin_api::Failure;
use serde_json::json;
use test_support::{ANNAS_TOKEN, BadCall, at, invariants};

use crate::calendars::stage::{Stage, options, plugins};
use crate::storm::Dice;

const STEPS: usize = 70;

struct Storm {
    stage: Stage,
    dice: Dice,
    bookings: Vec<BookingId>,
    busy: u32,
}

impl Storm {
    async fn new(seed: u64, policy: &str) -> Self {
        let mut stage = Stage::new(json!({ "onExternalMove": policy })).await;
        stage.diary.account("bens", "ben@example.com", &["ben"]);
        stage.connect(stage.input()).await;
        let bens = ConnectCalendar {
            provider_id: stage.ben,
            refresh_token: Some("bens".into()),
            ..stage.input()
        };
        stage.connect(bens).await;
        Self {
            stage,
            dice: Dice(seed * 7919 + 17),
            bookings: Vec::new(),
            busy: 0,
        }
    }

    fn start(&mut self) -> String {
        format!(
            "2027-03-{:02}T{:02}:00:00Z",
            10 + self.dice.roll(3),
            9 + self.dice.roll(8)
        )
    }

    fn provider(&mut self) -> (ProviderId, &'static str) {
        match self.dice.roll(2) {
            0 => (self.stage.anna, "anna"),
            _ => (self.stage.ben, "ben"),
        }
    }

    fn one(&mut self) -> Option<BookingId> {
        let turn = self.dice.roll(self.bookings.len().max(1));
        self.bookings.get(turn).copied()
    }

    async fn book(&mut self) -> Result<()> {
        let starts = self.start();
        let mut input = self.stage.world.booking(self.stage.service, &starts, "Eve");
        input.provider_id = Some(self.provider().0);
        let engine = &self.stage.world.engine;
        let booked = engine.book(&self.stage.world.visitor, input, None).await?;
        self.bookings.push(booked.made.booking.id);
        Ok(())
    }

    async fn reschedule(&mut self, booking_id: BookingId) -> Result<()> {
        let input = Reschedule {
            booking_id,
            starts_at: at(&self.start()),
            provider_id: Some(self.provider().0),
            expected_version: None,
            reason: None,
            override_reason: None,
        };
        let engine = &self.stage.world.engine;
        engine
            .reschedule(&self.stage.world.owner, input, None)
            .await?;
        Ok(())
    }

    fn trouble(&mut self) {
        let diary = &self.stage.diary;
        match self.dice.roll(6) {
            0 | 1 => diary.bad_call(BadCall::AnswerLost),
            2 => diary.bad_call(BadCall::Refused(Failure::retry("not now").into())),
            3 => diary.bad_call(BadCall::Panics),
            4 => diary.expire_tokens(),
            _ => diary.revoke(ANNAS_TOKEN, true),
        }
    }

    async fn mend(&mut self) -> Result<()> {
        self.stage.diary.revoke(ANNAS_TOKEN, false);
        let (engine, owner) = (self.stage.world.engine.clone(), self.stage.world.owner);
        let connect = self.stage.input();
        engine.connect_calendar(&owner, connect, None).await?;
        Ok(())
    }

    async fn step(&mut self) -> Result<()> {
        let (engine, owner) = (self.stage.world.engine.clone(), self.stage.world.owner);
        match (self.dice.roll(13), self.one()) {
            (0..=2, _) | (_, None) => self.book().await?,
            (3 | 4, Some(booking)) => self.reschedule(booking).await?,
            (5, Some(booking)) => {
                engine.cancel(&owner, booking, None, None, None).await?;
            }
            (6 | 7, Some(booking)) => {
                let (starts, (_, calendar)) = (self.start(), self.provider());
                self.stage
                    .diary
                    .move_booking(calendar, booking, at(&starts));
            }
            (8, Some(booking)) => {
                let (_, calendar) = self.provider();
                self.stage.diary.delete_booking(calendar, booking);
            }
            (9, _) => {
                self.busy += 1;
                let (_, calendar) = self.provider();
                let (from, id) = (at(&self.start()), format!("own{}", self.busy % 4));
                let to = (from + TimeDelta::minutes(30)).to_rfc3339();
                self.stage
                    .diary
                    .busy(calendar, &id, &from.to_rfc3339(), &to);
            }
            (10, _) => {
                let minutes = i64::try_from(self.dice.roll(90)).unwrap();
                self.stage.world.clock.advance(TimeDelta::minutes(minutes));
            }
            (11, _) => self.mend().await?,
            (_, _) => self.trouble(),
        }
        Ok(())
    }

    /// What is true in the end.
    async fn check(&self, seed: u64) {
        let stage = &self.stage;
        assert_eq!(invariants(&stage.world.url).await.unwrap(), []);
        let calendars = [(stage.anna, "anna"), (stage.ben, "ben")];
        for id in &self.bookings {
            let found = stage.world.engine.booking(&stage.world.owner, *id).await;
            let (booking, session) = found.unwrap().unwrap();
            for (provider, calendar) in calendars {
                let stands =
                    booking.status == BookingStatus::Confirmed && session.provider_id == provider;
                let expected = stands.then_some((session.starts_at, session.ends_at));
                let there = stage.diary.bookings(calendar).get(id).copied();
                assert_eq!(there, expected, "seed {seed}: {booking:?} in {calendar}");
            }
        }
        for (provider, calendar) in calendars {
            let own = format!("external_event WHERE calendar_id = '{}'", provider.uuid());
            let here = stage.count(&own).await;
            let own =
                (0..4).filter(|number| stage.diary.is_busy(calendar, &format!("own{number}")));
            assert_eq!(here, i64::try_from(own.count()).unwrap(), "seed {seed}");
        }
        assert_eq!(
            stage.count("delivery WHERE status <> 'delivered'").await,
            0,
            "seed {seed}"
        );
    }
}

async fn storm(seed: u64, policy: &str) {
    let mut storm = Storm::new(seed, policy).await;
    // Two processes work on the same calendars.
    let other = storm.stage.world.another_node(plugins(&storm.stage.diary));
    let others = Jobs::start(other.engine.clone(), options());
    for _ in 0..STEPS {
        match storm.step().await {
            // What makes no sense is refused, and that is all.
            Ok(()) | Err(Error::Refused(_)) => {}
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    storm.stage.diary.good_again();
    loop {
        match storm.mend().await {
            Ok(()) => break,
            Err(Error::Refused(_)) => {}
            Err(other) => panic!("seed {seed}: {other}"),
        }
    }
    // Until nothing is left to do, however often it is put off.
    for _ in 0..12 {
        storm.stage.later().await;
    }
    storm.check(seed).await;
    others.stop().await;
    storm.stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_calendars_and_bookings_agree_in_the_end() {
    let storms = (1..=6).map(|seed| {
        let policy = if seed % 2 == 0 { "FOLLOW" } else { "RESTORE" };
        tokio::spawn(storm(seed, policy))
    });
    for ended in futures_util::future::join_all(storms).await {
        ended.unwrap();
    }
}
