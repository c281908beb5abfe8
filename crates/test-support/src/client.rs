//! A client as frontends are: GraphQL over HTTP, and subscriptions by graphql-transport-ws.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

/// The longest that anything may take before the test fails: not a pause, a bound.
const PATIENCE: Duration = Duration::from_secs(20);

/// For plain HTTP to this machine: no authorities are read for TLS. Its provider is asked for all the same.
fn http_client() -> reqwest::Client {
    // It fails only where one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().tls_certs_only([]);
    builder.build().unwrap()
}

/// A client of one business.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    slug: String,
    token: Option<String>,
}

impl Client {
    /// A client of the business with this slug.
    pub fn new(address: SocketAddr, slug: &str, token: Option<&str>) -> Self {
        let token = token.map(str::to_owned);
        Self {
            http: http_client(),
            address,
            slug: slug.to_owned(),
            token,
        }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// A raw request.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .http
            .request(method, format!("http://{}{path}", self.address))
            .timeout(PATIENCE);
        let request = request.header("x-business", &self.slug);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The whole answer to an operation.
    pub async fn send(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self
            .request(reqwest::Method::POST, "/graphql")
            .header("content-type", "application/json");
        let answer = request
            .body(body)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The data of an answer that has no errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.send(query, variables).await;
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"].take()
    }

    /// A WebSocket that has said hello.
    pub async fn socket(&self) -> Socket {
        let mut socket = self.raw_socket().await;
        socket.send(json!({ "type": "connection_init", "payload": { "business": self.slug, "token": self.token } })).await;
        assert_eq!(socket.next().await["type"], "connection_ack");
        socket
    }

    /// A WebSocket that has said nothing yet.
    pub async fn raw_socket(&self) -> Socket {
        let connected = connect_async(self.handshake("graphql-transport-ws")).await;
        Socket(connected.unwrap().0)
    }

    /// A WebSocket that has said nothing yet, on a connection that takes little unless it is read.
    pub async fn narrow_socket(&self) -> Socket {
        let narrow = TcpSocket::new_v4().unwrap();
        narrow.set_recv_buffer_size(4 * 1024).unwrap();
        let stream = MaybeTlsStream::Plain(narrow.connect(self.address).await.unwrap());
        let connected = client_async(self.handshake("graphql-transport-ws"), stream).await;
        Socket(connected.unwrap().0)
    }

    /// The status with which a WebSocket of this subprotocol is refused.
    pub async fn refused_socket(&self, protocol: &str) -> u16 {
        match connect_async(self.handshake(protocol)).await {
            Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn handshake(&self, protocol: &str) -> Request {
        let address = format!("ws://{}/graphql", self.address);
        let mut request = address.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocol.parse().unwrap());
        request
    }
}

/// A WebSocket that speaks graphql-transport-ws.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// Sends text that need not be a message.
    pub async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Sends bytes, which no message is.
    pub async fn send_bytes(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    /// Sends a message again and again and reads nothing, until the other side is gone.
    pub async fn send_until_gone(&mut self, message: Value) {
        let text = message.to_string();
        let sending = async { while self.0.send(Message::text(text.as_str())).await.is_ok() {} };
        let gone = tokio::time::timeout(PATIENCE, sending).await;
        gone.expect("the other side goes in time");
    }

    /// Starts a subscription under an id.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next message; pings are answered on the way.
    pub async fn next(&mut self) -> Value {
        match self.next_or_close().await {
            Ok(message) => message,
            Err(code) => panic!("the socket was closed with {code}"),
        }
    }

    /// The next message, or the code with which the socket was closed.
    pub async fn next_or_close(&mut self) -> Result<Value, u16> {
        let next = tokio::time::timeout(PATIENCE, self.hear()).await;
        next.expect("a message in time")
    }

    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "ping" {
                        self.send(json!({ "type": "pong" })).await;
                        continue;
                    }
                    return Ok(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// The data of the next message of a subscription, which must be one.
    pub async fn data(&mut self) -> Value {
        let mut message = self.next().await;
        assert_eq!(message["type"], "next", "{message:#}");
        assert_eq!(message["payload"].get("errors"), None, "{message:#}");
        message["payload"]["data"].take()
    }
}
