//! The code and the oracle say the same of random worlds.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::availability::{
    Plan, Question, Seats, Taken, alternatives, decide, decide_overriding, next_change, next_slot,
    slots,
};
use domain::id::CalendarId;
use domain::interval::{Interval, Minute};
use domain::problem::UnavailableReason;
use proptest::prelude::*;

use crate::oracle::Oracle;
use crate::scenario::{Scenario, scenario};
use crate::world::World;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_1_to_13_slots_are_those_of_the_oracle(scenario in scenario()) {
        let Scenario { world, from, to, days } = scenario;
        let oracle = Oracle::new(&world, &days);
        let wanted = oracle.slots(Minute::ceil(from), Minute::ceil(to));
        world.ask(|question| {
            prop_assert_eq!(slots(question, from, to), wanted);
            Ok(())
        })?;
    }

    #[test]
    fn rules_4_to_14_a_decision_is_the_oracles(scenario in scenario(), picks in prop::collection::vec(0..4320_i64, 12)) {
        let Scenario { world, from, to, days } = scenario;
        let oracle = Oracle::new(&world, &days);
        world.ask(|question| {
            for minute in some_starts(question, &(Minute::ceil(from), Minute::ceil(to)), &picks) {
                let listed = slots(question, minute.instant(), minute.plus(1).instant());
                let answer = decide(question, minute, None);
                prop_assert_eq!(answer.is_ok(), !listed.is_empty(), "{:?}", answer);
                let chosen = answer.as_ref().ok().map(|plan| (plan.provider_id, plan.location_id));
                prop_assert_eq!(chosen, oracle.choice(minute.get()));
                for (index, worker) in world.workers.iter().enumerate() {
                    let answer = decide(question, minute, Some(worker.id));
                    let offered = listed.iter().any(|slot| slot.provider_ids.iter().any(|id| id == worker.id));
                    prop_assert_eq!(answer.is_ok(), offered);
                    match answer {
                        Ok(plan) => check_plan(&oracle, question, &world, &plan, minute, false)?,
                        Err(reasons) => prop_assert_eq!(reasons, nearest(&oracle, &world, index, minute)),
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn rule_12_an_override_marks_what_overlaps(scenario in scenario(), picks in prop::collection::vec(0..4320_i64, 12)) {
        let Scenario { world, from, to, days } = scenario;
        let oracle = Oracle::new(&world, &days);
        world.ask(|question| {
            for minute in some_starts(question, &(Minute::ceil(from), Minute::ceil(to)), &picks) {
                for provider in std::iter::once(None).chain(world.workers.iter().map(|worker| Some(worker.id))) {
                    let plain = decide(question, minute, provider);
                    match (plain, decide_overriding(question, minute, provider)) {
                        (Ok(plain), answer) => prop_assert_eq!(Ok(plain), answer),
                        (Err(_), Ok(plan)) => check_plan(&oracle, question, &world, &plan, minute, true)?,
                        (Err(reasons), Err(refused)) => {
                            use UnavailableReason::{Full, ProviderDoesNotOffer, ResourceBusy};
                            prop_assert!(matches!(refused[..], [Full | ProviderDoesNotOffer | ResourceBusy]));
                            prop_assert!(reasons.contains(&refused[0]) || world.sites.len() > 1 || provider.is_none());
                        }
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn time_alone_changes_nothing_before_the_next_change(scenario in scenario(), parts in prop::collection::vec(0.0..1.0_f64, 4)) {
        let Scenario { world, from, to, .. } = scenario;
        let (before, change) = world.ask(|question| (slots(question, from, to), next_change(question, from, to)));
        prop_assert!(change.is_none_or(|change| change > world.now));
        let until = change.map_or(TimeDelta::days(9), |change| change - world.now) - TimeDelta::nanoseconds(1);
        let whole = until.num_nanoseconds().unwrap();
        for part in parts.into_iter().chain([1.0]) {
            let mut later = world.clone();
            later.now += TimeDelta::nanoseconds((whole as f64 * part) as i64).min(until);
            later.ask(|question| {
                prop_assert_eq!(&slots(question, from, to), &before);
                Ok(())
            })?;
        }
    }

    #[test]
    fn the_next_slot_is_the_first_of_all(scenario in scenario()) {
        let Scenario { world, from, .. } = scenario;
        world.ask(|question| {
            let all = slots(question, from, from + TimeDelta::days(80));
            prop_assert_eq!(next_slot(question, from), all.into_iter().next());
            Ok(())
        })?;
    }

    #[test]
    fn alternatives_are_the_nearest_starts(scenario in scenario(), named in any::<bool>()) {
        let Scenario { world, from, .. } = scenario;
        let start = Minute::ceil(from);
        let provider = named.then(|| world.workers[0].id);
        world.ask(|question| {
            let month = TimeDelta::days(31);
            let mut all = slots(question, start.instant() - month, start.instant() + month + TimeDelta::minutes(1));
            let same = all.iter().find(|slot| slot.starts == start).cloned();
            if let Some(provider) = provider {
                all.retain(|slot| slot.provider_ids.iter().any(|id| id == provider));
            }
            let mut starts: Vec<Minute> = all.iter().map(|slot| slot.starts).collect();
            starts.dedup();
            let before = starts.iter().rev().copied().filter(|other| *other < start).take(2).collect::<Vec<_>>();
            let after = starts.iter().copied().filter(|other| *other > start).take(2);
            let middle = same.filter(|_| named).map(|slot| slot.starts);
            let wanted: Vec<Minute> = before.into_iter().rev().chain(middle).chain(after).collect();
            let found: Vec<Minute> = alternatives(question, start, provider).iter().map(|slot| slot.starts).collect();
            prop_assert_eq!(found, wanted);
            Ok(())
        })?;
    }
}

/// Some starts that are on offer and some of which nothing is known.
fn some_starts(question: &Question<'_>, window: &(Minute, Minute), picks: &[i64]) -> Vec<Minute> {
    let listed = slots(question, window.0.instant(), window.1.instant());
    let on_offer = picks
        .iter()
        .filter_map(|pick| listed.get(usize::try_from(*pick).ok()? % listed.len().max(1)));
    let sessions = picks.iter().map(|pick| window.0.plus(*pick));
    let halves = picks
        .iter()
        .map(|pick| Minute::new(window.0.plus(*pick).get() / 30 * 30));
    on_offer
        .map(|slot| slot.starts)
        .chain(sessions)
        .chain(halves)
        .collect()
}

/// The oracle's reasons for a provider, at the place where they are fewest.
fn nearest(
    oracle: &Oracle<'_>,
    world: &World,
    worker: usize,
    minute: Minute,
) -> Vec<UnavailableReason> {
    let mut found = Vec::new();
    for (site, place) in world.sites.iter().enumerate() {
        for (index, _) in place
            .hours
            .iter()
            .enumerate()
            .filter(|(_, (other, _))| *other == worker)
        {
            found.push(oracle.reasons(site, index, minute.get()));
        }
    }
    found.sort_by_key(|reasons| {
        use UnavailableReason::{OffGrid, OutsideWorkingHours};
        let absent = [OutsideWorkingHours, OffGrid]
            .iter()
            .any(|reason| reasons.contains(reason));
        (reasons.len(), absent, reasons.clone())
    });
    found.into_iter().next().unwrap_or_else(|| {
        use UnavailableReason::{ProviderDoesNotOffer, TooFarAhead, TooSoon};
        let everywhere = |reason| {
            let mut sites =
                (0..world.sites.len()).filter(|site| !world.sites[*site].hours.is_empty());
            sites.all(|site| oracle.reasons(site, 0, minute.get()).contains(&reason))
        };
        let always = [TooSoon, TooFarAhead]
            .into_iter()
            .filter(|reason| everywhere(*reason));
        always.chain([ProviderDoesNotOffer]).collect()
    })
}

/// What a plan takes is there, is enough, and overlaps exactly where it says so.
fn check_plan(
    oracle: &Oracle<'_>,
    question: &Question<'_>,
    world: &World,
    plan: &Plan,
    minute: Minute,
    overriding: bool,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(plan.span.start(), minute);
    let Seats::Open { kept, taken } = &plan.seats else {
        return Ok(());
    };
    let before = i64::from(question.service.buffer_before_minutes);
    prop_assert_eq!(kept.start(), minute.plus(-before));
    prop_assert!(kept.end() >= plan.span.end());
    prop_assert!(taken.is_sorted());
    let distinct: BTreeSet<_> = taken
        .iter()
        .map(|one| (one.calendar_id, one.unit))
        .collect();
    prop_assert_eq!(distinct.len(), taken.len());
    let mut sites = world.sites.iter();
    let site = sites
        .find(|site| site.location_id == plan.location_id)
        .unwrap();
    let mut wanted = 1;
    for requirement in &site.requirements {
        wanted += requirement.0 as usize;
        check_units(oracle, world, requirement, (*kept, taken), overriding)?;
    }
    prop_assert_eq!(taken.len(), wanted);
    let mut workers = world.workers.iter();
    let worker = workers
        .find(|worker| worker.id == plan.provider_id)
        .unwrap();
    let calendar = CalendarId::from(plan.provider_id);
    let own = taken
        .iter()
        .find(|taken| taken.calendar_id == calendar)
        .unwrap();
    prop_assert_eq!(own.overlap, !oracle.worker_is_free(worker, *kept));
    prop_assert!(overriding || !own.overlap);
    Ok(())
}

fn check_units(
    oracle: &Oracle<'_>,
    world: &World,
    (units, pool): &(u32, Vec<usize>),
    (kept, taken): (Interval, &[Taken]),
    overriding: bool,
) -> Result<(), TestCaseError> {
    let mut found = 0;
    for &index in pool {
        let machine = &world.machines[index];
        let calendar = CalendarId::from(machine.id);
        for taken in taken.iter().filter(|taken| taken.calendar_id == calendar) {
            found += 1;
            let (free, open) = oracle.unit_is_free(index, taken.unit, kept);
            prop_assert!(taken.unit < machine.units);
            prop_assert_eq!(taken.overlap, !free);
            prop_assert!(overriding || (free && open));
        }
    }
    prop_assert_eq!(found, *units);
    Ok(())
}
