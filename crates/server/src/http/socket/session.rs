//! One open WebSocket: one task that reads, runs and writes, so that nothing is in two places.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_graphql::{Executor, Request, Response, Variables};
use axum::extract::ws::{Message, WebSocket};
use engine::Caller;
use engine::caller::Claim;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_stream::StreamMap;
use uuid::Uuid;

use super::protocol::{ClientMessage, Closing, Operation, ServerMessage};
use crate::http::answer::{self, Code, Wire, was_refused};
use crate::http::identity;
use crate::http::observe::panic_text;
use crate::http::rate::Client;
use crate::http::site::Site;

/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// An open WebSocket.
pub(crate) struct Session {
    site: Site,
    /// Whose requests its operations count as.
    client: Client,
    socket: WebSocket,
    stop: watch::Receiver<bool>,
    /// What the headers claim, until the first message.
    claim: Option<engine::Result<Claim>>,
    /// Who asks, once it is known.
    caller: Option<Caller>,
    operations: StreamMap<String, BoxStream<'static, Step>>,
    opened: Instant,
    heard: Instant,
    ping: Interval,
}

/// What comes of an operation.
enum Step {
    Answer(Box<Response>),
    Panicked(Box<dyn Any + Send>),
    Done,
}

/// Why a session is over.
enum End {
    /// With a word of ours.
    Close(Closing),
    /// The other side is gone.
    Gone,
    /// The other side does not read.
    Stalled,
}

type Flow = Result<(), End>;

impl Session {
    pub(crate) fn new(
        site: Site,
        client: Client,
        socket: WebSocket,
        claim: engine::Result<Claim>,
    ) -> Self {
        let now = Instant::now();
        let period = site.options().keepalive;
        let mut ping = interval_at(now + period, period);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stop: site.stop_signal(),
            site,
            client,
            socket,
            claim: Some(claim),
            caller: None,
            operations: StreamMap::new(),
            opened: now,
            heard: now,
            ping,
        }
    }

    pub(crate) async fn run(mut self) {
        match self.talk().await {
            End::Close(closing) => {
                tracing::debug!(code = closing.code, "closing a socket");
                self.operations.clear();
                self.close(&closing).await;
            }
            End::Gone => tracing::debug!("a socket was left"),
            End::Stalled => tracing::info!("a socket whose reader is too slow was cut off"),
        }
    }

    async fn talk(&mut self) -> End {
        let init_deadline = self.opened + self.site.options().init_timeout;
        loop {
            let flow = tokio::select! {
                () = told(&mut self.stop) => Err(End::Close(Closing::going_away())),
                received = self.socket.recv() => self.receive(received).await,
                Some((id, step)) = self.operations.next() => self.proceed(&id, step).await,
                _ = self.ping.tick() => self.keep_alive().await,
                () = sleep_until(init_deadline), if self.caller.is_none() => Err(End::Close(Closing::init_timeout())),
            };
            if let Err(end) = flow {
                return end;
            }
        }
    }

    async fn receive(&mut self, received: Option<Result<Message, axum::Error>>) -> Flow {
        self.heard = Instant::now();
        match received {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(message) => self.hear(message).await,
                Err(error) => Err(End::Close(Closing::invalid_message(&error.to_string()))),
            },
            Some(Ok(Message::Binary(_))) => {
                Err(End::Close(Closing::invalid_message("expected text")))
            }
            // Answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            // The library tells the kinds of its errors apart by their words alone.
            Some(Err(error)) if error.to_string().contains("too long") => {
                Err(End::Close(Closing::too_big(self.site.options().body_limit)))
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Gone),
        }
    }

    async fn hear(&mut self, message: ClientMessage) -> Flow {
        match message {
            ClientMessage::ConnectionInit { payload } => self.identify(payload).await,
            ClientMessage::Ping { payload } => self.say(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong {} => Ok(()),
            ClientMessage::Subscribe { id, payload } => self.begin(id, payload).await,
            ClientMessage::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    async fn identify(&mut self, payload: Option<Value>) -> Flow {
        let Some(claim) = self.claim.take() else {
            return Err(End::Close(Closing::too_many_inits()));
        };
        // Headers that make no sense are refused as a bad token is.
        let claim = claim.and_then(|claim| identity::of_payload(payload.as_ref(), claim));
        let caller = match claim {
            Ok(claim) => self.site.engine().identify(&claim).await,
            Err(error) => Err(error),
        };
        match caller {
            Ok(caller) => {
                self.caller = Some(caller);
                self.say(&ServerMessage::ConnectionAck).await
            }
            Err(error) => Err(End::Close(refusal(&error))),
        }
    }

    async fn begin(&mut self, id: String, operation: Operation) -> Flow {
        let Some(caller) = self.caller else {
            return Err(End::Close(Closing::not_acknowledged()));
        };
        if self.operations.contains_key(&id) {
            return Err(End::Close(Closing::id_in_use(&id)));
        }
        let most = self.site.options().operations;
        if self.operations.len() >= most {
            let text =
                format!("this WebSocket has {most} operations open already: complete some of them");
            let error = answer::error(Code::TooManyOperations, &text, None);
            return self.refuse(&id, error).await;
        }
        if let Err(wait) = self.site.admit(self.client) {
            return self.refuse(&id, answer::too_many_requests(wait)).await;
        }
        let variables = operation
            .variables
            .map(|map| Variables::from_json(Value::Object(map)))
            .unwrap_or_default();
        let mut request = Request::new(operation.query)
            .variables(variables)
            .data(caller);
        request.operation_name = operation.name;
        let answers =
            AssertUnwindSafe(self.site.api().execute_stream(request, None)).catch_unwind();
        let steps = answers.map(|answer| {
            answer.map_or_else(Step::Panicked, |response| Step::Answer(Box::new(response)))
        });
        self.operations
            .insert(id, steps.chain(stream::iter([Step::Done])).boxed());
        Ok(())
    }

    async fn proceed(&mut self, id: &str, step: Step) -> Flow {
        match step {
            Step::Answer(response) if was_refused(&response) => {
                self.operations.remove(id);
                let errors: Vec<Value> = response
                    .errors
                    .iter()
                    .filter_map(|error| serde_json::to_value(error).ok())
                    .collect();
                self.say(&ServerMessage::Error {
                    id,
                    payload: errors,
                })
                .await
            }
            Step::Answer(response) => {
                self.say(&ServerMessage::Next {
                    id,
                    payload: Wire::of(&response),
                })
                .await
            }
            Step::Panicked(panic) => {
                self.operations.remove(id);
                let trace_id = Uuid::now_v7().to_string();
                tracing::error!(
                    trace_id,
                    panic = panic_text(panic.as_ref()),
                    "an operation panicked"
                );
                let text = "something went wrong in the server; the trace id names it in its log";
                let error = answer::error(Code::Internal, text, Some(&trace_id));
                self.refuse(id, error).await
            }
            Step::Done => {
                self.operations.remove(id);
                self.say(&ServerMessage::Complete { id }).await
            }
        }
    }

    /// Ends an operation with one error, before it began.
    async fn refuse(&mut self, id: &str, error: Value) -> Flow {
        let payload = vec![error];
        self.say(&ServerMessage::Error { id, payload }).await
    }

    async fn keep_alive(&mut self) -> Flow {
        // The pong to the last ping, at the latest, should have been heard by now.
        if self.heard.elapsed() > self.site.options().keepalive * 2 {
            return Err(End::Close(Closing::keepalive_timeout()));
        }
        self.write(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Flow {
        match message.message() {
            Ok(message) => self.write(message).await,
            Err(error) => {
                tracing::error!(%error, "a message could not be written down");
                Err(End::Close(Closing::internal()))
            }
        }
    }

    async fn write(&mut self, message: Message) -> Flow {
        match timeout(self.site.options().write_timeout, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(|_| End::Gone),
            Err(_) => Err(End::Stalled),
        }
    }

    /// Says why, and hears the other side out: a connection that is dropped with something unread takes our last word with it.
    async fn close(mut self, closing: &Closing) {
        let goodbye = async {
            if self.socket.send(closing.message()).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// Resolves when the server stops.
async fn told(stop: &mut watch::Receiver<bool>) {
    // The sender lives in the site, which the session has too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why a socket is closed whose bearer or business is not known.
fn refusal(error: &engine::Error) -> Closing {
    match error {
        engine::Error::Unauthenticated(_) | engine::Error::Forbidden(_) => Closing::forbidden(),
        engine::Error::NoBusiness(why) => Closing::no_business(why),
        engine::Error::Unavailable(why) => {
            tracing::warn!(error = why, "a socket could not be opened");
            Closing::try_again()
        }
        engine::Error::Refused(_) | engine::Error::Fault(_) => {
            tracing::error!(%error, "a socket could not be opened");
            Closing::internal()
        }
    }
}
