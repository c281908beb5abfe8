//! How many requests one client may send: a bucket for each address, which refills as time goes by.
//!
//! Guaranteed: memory is bounded by the addresses of the last few seconds. A client of IPv6 is its /64 network, because one machine
//! has all the addresses of one. Headers name the client only where proxies are known to stand in front.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::http::site::Site;

/// What proxies say about where a request came from.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// After how many requests the addresses that have been quiet are forgotten.
const SWEEP: usize = 4_096;

/// How many requests one client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// One in this time, for as long as it likes.
    pub every: Duration,
    /// At once, after a while of quiet.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many per second.
    pub fn per_second(number: NonZeroU32, burst: NonZeroU32) -> Self {
        let every = Duration::from_secs(1) / number.get();
        Self { every, burst }
    }
}

/// Counts the requests of every client.
pub(crate) struct Rates<C: Clock = DefaultClock> {
    limiter: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    asked: AtomicUsize,
}

impl Rates {
    pub(crate) fn new(rate: Rate) -> Self {
        Self::with_clock(rate, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rates<C> {
    fn with_clock(rate: Rate, clock: C) -> Self {
        // Only no time at all is refused: then a nanosecond bounds nobody either.
        let every = rate.every.max(Duration::from_nanos(1));
        let quota = Quota::with_period(every).unwrap_or(Quota::per_second(NonZeroU32::MAX));
        let quota = quota.allow_burst(rate.burst);
        Self {
            limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()),
            clock,
            asked: AtomicUsize::new(0),
        }
    }

    /// Counts one request; the error says how long the client has to wait for its next.
    pub(crate) fn admit(&self, client: Client) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter
            .check_key(&client.0)
            .map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

/// Who sends a request, as far as its address tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client(IpAddr);

impl FromRequestParts<Site> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Whoever serves the routes without saying who connects has one client.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let hops = site.options().trust_forwarded;
        Ok(Self::of(peer, &parts.headers, hops))
    }
}

impl Client {
    fn of(peer: IpAddr, headers: &HeaderMap, hops: usize) -> Self {
        let address = forwarded(headers, hops).unwrap_or(peer);
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// What the outermost of so many proxies saw. Each adds the address of whoever connected to it at the end; what stands before
/// their words the client may have made up.
fn forwarded(headers: &HeaderMap, hops: usize) -> Option<IpAddr> {
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let words: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let place = words.len().checked_sub(hops)?;
    address(words.get(place)?.trim())
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn client(text: &str) -> Client {
        Client::of(text.parse().unwrap(), &HeaderMap::new(), 0)
    }

    fn rates(clock: &FakeRelativeClock) -> Rates<FakeRelativeClock> {
        let number = |number| NonZeroU32::new(number).unwrap();
        Rates::with_clock(Rate::per_second(number(2), number(3)), clock.clone())
    }

    #[test]
    fn a_burst_goes_through_and_then_the_rate() {
        let clock = FakeRelativeClock::default();
        let rates = rates(&clock);
        let (one, other) = (client("192.0.2.1"), client("192.0.2.2"));
        assert!((0..3).all(|_| rates.admit(one).is_ok()));
        assert_eq!(rates.admit(one), Err(Duration::from_millis(500)));
        assert!(rates.admit(other).is_ok());
        clock.advance(Duration::from_millis(500));
        assert!(rates.admit(one).is_ok());
        assert!(rates.admit(one).is_err());
    }

    #[test]
    fn quiet_addresses_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let rates = rates(&clock);
        let numbered = |number: usize| {
            let number = u32::try_from(number).unwrap();
            Client(IpAddr::V4(Ipv4Addr::from_bits(number)))
        };
        for number in 0..3 * SWEEP {
            rates.admit(numbered(number)).unwrap();
            clock.advance(Duration::from_millis(1));
        }
        assert!(
            rates.limiter.len() <= SWEEP + 1_500,
            "{}",
            rates.limiter.len()
        );
    }

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let mut headers = HeaderMap::new();
        for line in ["203.0.113.9, 198.51.100.7:4711", "[2001:db8::1]"] {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let peer = "192.0.2.1".parse().unwrap();
        let seen = |hops| Client::of(peer, &headers, hops);
        assert_eq!(seen(0), client("192.0.2.1"));
        assert_eq!(seen(1), client("2001:db8::"));
        assert_eq!(seen(2), client("198.51.100.7"));
        assert_eq!(seen(3), client("203.0.113.9"));
        // Somebody came past the proxies.
        assert_eq!(seen(4), client("192.0.2.1"));
        headers.append(FORWARDED_FOR, HeaderValue::from_static("unknown"));
        assert_eq!(Client::of(peer, &headers, 1), client("192.0.2.1"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        assert_eq!(client("2001:db8:1:2:3::4"), client("2001:db8:1:2::9"));
        assert_ne!(client("2001:db8:1:2::"), client("2001:db8:1:3::"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
