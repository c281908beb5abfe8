//! What was measured, as a table.

use std::fmt;
use std::time::Duration;

/// What was measured. Shown, it is a Markdown table.
pub struct Report {
    /// Providers of the business.
    pub providers: u32,
    /// Its bookings when the measuring began.
    pub bookings: usize,
    /// One for each kind of request and number of clients.
    pub lines: Vec<Line>,
}

/// One kind of request by so many clients.
pub struct Line {
    /// What was asked.
    pub request: &'static str,
    /// How many clients asked at once.
    pub clients: u32,
    /// Good answers per second.
    pub per_second: f64,
    /// Half of the good answers took no longer; none without a good answer.
    pub median: Option<Duration>,
    /// 99 of a hundred good answers took no longer.
    pub slow: Option<Duration>,
    /// Answers that were not good.
    pub errors: usize,
    /// What the first of them said.
    pub first_error: Option<String>,
    /// Whether the free slots came to an end before the time.
    pub ran_out: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} providers, {} bookings.\n",
            self.providers, self.bookings
        )?;
        writeln!(
            f,
            "| Request | Clients | Requests/s | p50 ms | p99 ms | Errors |"
        )?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|")?;
        for line in &self.lines {
            let Line {
                request,
                clients,
                per_second,
                errors,
                ..
            } = line;
            let (median, slow) = (millis(line.median), millis(line.slow));
            writeln!(
                f,
                "| {request} | {clients} | {per_second:.0} | {median} | {slow} | {errors} |"
            )?;
        }
        for line in &self.lines {
            if let Some(error) = &line.first_error {
                writeln!(
                    f,
                    "\n{}, {} clients: the first error was `{error}`",
                    line.request, line.clients
                )?;
            }
            if line.ran_out {
                writeln!(
                    f,
                    "\n{}, {} clients: stopped early, no free slot was left",
                    line.request, line.clients
                )?;
            }
        }
        Ok(())
    }
}

fn millis(took: Option<Duration>) -> String {
    took.map_or_else(
        || "–".to_owned(),
        |took| format!("{:.2}", took.as_secs_f64() * 1000.0),
    )
}
