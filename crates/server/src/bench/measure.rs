//! Clients that ask one after the other, each over one connection of its own, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::http::{Client, Target, Workload};
use super::report::Line;

/// Before the measuring: connections are opened, caches are filled.
const WARM_UP: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Tally {
    took: Vec<Duration>,
    errors: usize,
    first_error: Option<String>,
    ran_out: bool,
    /// Since the end of the warm-up.
    lasted: Duration,
}

/// So many clients at once, for so long.
pub(super) async fn measure(
    target: &Arc<Target>,
    workload: Workload,
    clients: u32,
    duration: Duration,
) -> anyhow::Result<Line> {
    let begin = Instant::now() + WARM_UP;
    let mut running = JoinSet::new();
    for number in 0..clients {
        let client = Client::new(target.clone(), workload, number)?;
        running.spawn(ask(client, begin, begin + duration));
    }
    let mut all = Tally::default();
    while let Some(tally) = running.join_next().await {
        let tally = tally?;
        all.took.extend(tally.took);
        all.errors += tally.errors;
        all.first_error = all.first_error.or(tally.first_error);
        all.ran_out |= tally.ran_out;
        all.lasted = all.lasted.max(tally.lasted);
    }
    all.took.sort_unstable();
    let good = f64::from(u32::try_from(all.took.len())?);
    Ok(Line {
        request: workload.name(),
        clients,
        per_second: if all.lasted.is_zero() {
            0.0
        } else {
            good / all.lasted.as_secs_f64()
        },
        median: percentile(&all.took, 50),
        slow: percentile(&all.took, 99),
        errors: all.errors,
        first_error: all.first_error,
        ran_out: all.ran_out,
    })
}

/// What a client asks from now until the end; what it asks before `begin` does not count.
async fn ask(mut client: Client, begin: Instant, end: Instant) -> Tally {
    let mut tally = Tally::default();
    while Instant::now() < end {
        let Some(body) = client.next_body() else {
            tally.ran_out = true;
            break;
        };
        let asked = Instant::now();
        let answer = client.send(body).await;
        let took = asked.elapsed();
        let judged = answer.and_then(|answer| client.judge(&answer));
        if asked < begin {
            continue;
        }
        match judged {
            Ok(()) => tally.took.push(took),
            Err(error) => {
                tally.errors += 1;
                tally.first_error.get_or_insert(error);
            }
        }
    }
    tally.lasted = Instant::now().saturating_duration_since(begin);
    tally
}

/// The least of the sorted durations that so many percent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
    sorted.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let took: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&took, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&took, 99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&took[..1], 99), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&[], 50), None);
    }
}
