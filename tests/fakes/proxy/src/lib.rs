//! A proxy for tests that stands before another side and has bad days: of the calls that come through it, every so many goes wrong, each in
//! another way. Some are not carried out at all, and some are, and only the answer is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri, header};
use bad_answers::{cut, later, page, respond};

/// In what ways calls go wrong, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing is done: 500.
    ServerError,
    /// It is done, and the connection breaks off before the answer.
    AnswerLost,
    /// Nothing is done: 429, and to be tried again in a second.
    TooMany,
    /// It is done, and the answer is 502 with a page for people.
    BadGateway,
    /// Nothing is done: 200 with a page for people.
    Html,
}

const FAULTS: [Fault; 5] = [
    Fault::ServerError,
    Fault::AnswerLost,
    Fault::TooMany,
    Fault::BadGateway,
    Fault::Html,
];

impl Fault {
    fn acts(self) -> bool {
        matches!(self, Self::AnswerLost | Self::BadGateway)
    }
}

struct Way {
    target: String,
    http: reqwest::Client,
    /// Of so many calls one goes wrong; 0: none does.
    every: AtomicUsize,
    calls: AtomicUsize,
    faults: AtomicUsize,
    /// Whether a status of 2xx means that it was done.
    is_honest: AtomicBool,
}

/// The proxy. It ends with the runtime that it was started in.
pub struct BadProxy {
    address: SocketAddr,
    way: Arc<Way>,
}

impl BadProxy {
    /// Starts one before this address (`http://127.0.0.1:1234`, without a slash at its end). Of so many calls one goes wrong.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn start(target: &str, every: usize) -> std::io::Result<Self> {
        // It fails only where one is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(std::io::Error::other)?;
        let way = Arc::new(Way {
            target: target.to_owned(),
            http,
            every: AtomicUsize::new(every),
            calls: AtomicUsize::default(),
            faults: AtomicUsize::default(),
            is_honest: AtomicBool::default(),
        });
        let router = Router::new().fallback(pass).with_state(way.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async { axum::serve(listener, router).await });
        Ok(Self { address, way })
    }

    /// Its own address, without a slash at its end.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on one of so many calls goes wrong; 0: none does.
    pub fn one_in(&self, every: usize) {
        self.way.every.store(every, Ordering::Relaxed);
    }

    /// From now on nothing that was not done is answered 2xx: of some other sides the status is all that is read.
    pub fn be_honest(&self) {
        self.way.is_honest.store(true, Ordering::Relaxed);
    }

    /// How many calls went wrong.
    pub fn faults(&self) -> usize {
        self.way.faults.load(Ordering::Relaxed)
    }
}

async fn pass(
    State(way): State<Arc<Way>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let call = way.calls.fetch_add(1, Ordering::Relaxed) + 1;
    let every = way.every.load(Ordering::Relaxed);
    let fault = (every > 0 && call.is_multiple_of(every)).then(|| {
        let turn = way.faults.fetch_add(1, Ordering::Relaxed);
        FAULTS.get(turn % FAULTS.len()).copied()
    });
    let fault = fault.flatten();
    let forwarded = match fault {
        Some(fault) if !fault.acts() => None,
        _ => Some(forward(&way, method, &uri, headers, body).await),
    };
    match fault {
        None => forwarded.unwrap_or_else(|| respond(500, "text/plain", Body::empty())),
        Some(Fault::ServerError) => respond(500, "text/plain", "it failed"),
        Some(Fault::TooMany) => later(respond(429, "text/plain", Body::empty()), Some(1)),
        Some(Fault::BadGateway) => page(502),
        Some(Fault::Html) if way.is_honest.load(Ordering::Relaxed) => page(404),
        Some(Fault::Html) => page(200),
        Some(Fault::AnswerLost) => cut(Bytes::new()),
    }
}

async fn forward(
    way: &Way,
    method: Method,
    uri: &Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    for own in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
        headers.remove(own);
    }
    let request = way
        .http
        .request(method, format!("{}{uri}", way.target))
        .headers(headers)
        .body(body);
    let Ok(answered) = request.send().await else {
        return respond(502, "text/plain", Body::empty());
    };
    let (status, mut headers) = (answered.status(), answered.headers().clone());
    let Ok(body) = answered.bytes().await else {
        return respond(502, "text/plain", Body::empty());
    };
    for own in [header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(own);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
