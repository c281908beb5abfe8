//! TLS to a PostgreSQL server of the test's own, over TCP: who proves what, and that nothing else is spoken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests: a failure is a panic"
)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use futures_util::StreamExt;
use local_postgres::{Durability, LocalPostgres, Options};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use store::database::DatabaseOptions;
use store::event::{event_listen, event_notify};
use store::{Database, StoreError};

/// What the server shows, and what a client may trust.
struct Papers {
    certificate: String,
    key: String,
    /// The authority that signed it.
    root: String,
    /// An authority that did not.
    other_root: String,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A server of this name, signed by an authority.
fn signed(name: &str) -> Papers {
    let root = authority("the root");
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    Papers {
        certificate: parameters.signed_by(&key, &root).unwrap().pem(),
        key: key.serialize_pem(),
        root: root.pem(),
        other_root: authority("another root").pem(),
    }
}

/// As `openssl req -x509` makes it: its own authority.
fn self_signed(name: &str) -> Papers {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key).unwrap().pem();
    Papers {
        root: certificate.clone(),
        certificate,
        key: key.serialize_pem(),
        other_root: self::authority("another root").pem(),
    }
}

/// A running server, gone at the end of the test.
struct Server {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Server {
    async fn start(papers: Option<&Papers>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let (programs, cluster) = make_cluster(folder.path()).await;
        if let Some(papers) = papers {
            give(&cluster, "server.crt", &papers.certificate);
            give(&cluster, "server.key", &papers.key);
            std::fs::write(folder.path().join("root.pem"), &papers.root).unwrap();
            std::fs::write(folder.path().join("other.pem"), &papers.other_root).unwrap();
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            // Somebody else may take the port in between: then the next one.
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut child = serve(&programs, &cluster, port, papers.is_some());
            if is_ready(&mut child) {
                let server = Self {
                    child,
                    port,
                    folder,
                };
                server.connect("sslmode=prefer").await.unwrap();
                return server;
            }
            child.wait().unwrap();
            assert!(Instant::now() < deadline, "the server did not start");
        }
    }

    fn database(&self, options: &str) -> Result<Database, StoreError> {
        let folder = self.folder.path().display();
        let options = options.replace("ROOTS", &folder.to_string());
        let url = format!(
            "postgres://bookable@127.0.0.1:{}/postgres?{options}",
            self.port
        );
        Database::new(&url, DatabaseOptions::default())
    }

    /// Whether the connection is under TLS.
    async fn connect(&self, options: &str) -> Result<bool, StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Bool)]
            ssl: bool,
        }
        let mut conn = self.database(options)?.dedicated().await?;
        let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let row: Row = diesel::sql_query(query).get_result(&mut conn).await?;
        Ok(row.ssl)
    }

    async fn refusal(&self, options: &str) -> String {
        self.connect(options).await.unwrap_err().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.child.wait();
    }
}

/// Has a private cluster made, and answers where PostgreSQL's programs and the cluster are.
async fn make_cluster(folder: &Path) -> (PathBuf, PathBuf) {
    let local = LocalPostgres::start(Options {
        durability: Durability::Volatile,
        ..Options::new(folder.join("data"))
    });
    let local = local.await.unwrap();
    let (client, connection) =
        tokio_postgres::connect(&local.url("postgres"), tokio_postgres::NoTls)
            .await
            .unwrap();
    let driver = tokio::spawn(connection);
    let query =
        "SELECT setting, current_setting('data_directory') FROM pg_config WHERE name = 'BINDIR'";
    let row = client.query_one(query, &[]).await.unwrap();
    let places: (&str, &str) = (row.get(0), row.get(1));
    let places = (PathBuf::from(places.0), PathBuf::from(places.1));
    drop(client);
    driver.await.unwrap().unwrap();
    local.stop().await.unwrap();
    places
}

/// Writes a file of the server's own user.
fn give(cluster: &Path, name: &str, text: &str) {
    let owner = cluster.metadata().unwrap();
    let path = cluster.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    lchown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
}

fn serve(programs: &Path, cluster: &Path, port: u16, with_tls: bool) -> Child {
    let owner = cluster.metadata().unwrap();
    let mut command = Command::new(programs.join("postgres"));
    command.arg("-D").arg(cluster).current_dir("/");
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        format!("port={port}"),
        format!("ssl={with_tls}"),
    ] {
        command.args(["-c", &setting]);
    }
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != owner.uid()) {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
        .env("LC_ALL", "C")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    command.spawn().unwrap()
}

/// Waits until a server says that it takes connections, or ends.
fn is_ready(server: &mut Child) -> bool {
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let is_ready = log.any(|line| line.unwrap().contains("ready to accept connections"));
    // Read on, so that the server is not stopped by a pipe that is full.
    std::thread::spawn(move || log.for_each(drop));
    is_ready
}

#[tokio::test]
async fn a_server_proves_as_much_as_the_address_asks() {
    let server = Server::start(Some(&signed("127.0.0.1"))).await;
    for options in [
        "",
        "sslmode=prefer",
        "sslmode=require",
        "sslmode=require&sslrootcert=ROOTS/root.pem",
        "sslmode=verify-ca&sslrootcert=ROOTS/root.pem",
        "sslmode=verify-full&sslrootcert=ROOTS/root.pem",
    ] {
        assert!(server.connect(options).await.unwrap(), "{options}");
    }
    assert!(!server.connect("sslmode=disable").await.unwrap());
    for options in [
        "sslmode=require&sslrootcert=ROOTS/other.pem",
        "sslmode=verify-ca&sslrootcert=ROOTS/other.pem",
        "sslmode=verify-full&sslrootcert=ROOTS/other.pem",
    ] {
        let refusal = server.refusal(options).await;
        assert!(
            refusal.contains("comes from none of the roots of sslrootcert"),
            "{options}: {refusal}"
        );
    }
    let refusal = server
        .refusal("sslmode=verify-ca&sslrootcert=ROOTS/no.pem")
        .await;
    assert!(
        refusal.contains("no.pem") && refusal.contains("PEM"),
        "{refusal}"
    );
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_only_in_full() {
    let server = Server::start(Some(&signed("db.example"))).await;
    let by_chain = "sslmode=verify-ca&sslrootcert=ROOTS/root.pem";
    assert!(server.connect(by_chain).await.unwrap());
    let refusal = server
        .refusal("sslmode=verify-full&sslrootcert=ROOTS/root.pem")
        .await;
    assert!(refusal.contains("another host"), "{refusal}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_its_own_root() {
    let server = Server::start(Some(&self_signed("127.0.0.1"))).await;
    let trusted = "sslmode=verify-full&sslrootcert=ROOTS/root.pem";
    assert!(server.connect(trusted).await.unwrap());
    let refusal = server
        .refusal("sslmode=verify-full&sslrootcert=ROOTS/other.pem")
        .await;
    assert!(refusal.contains("sslrootcert"), "{refusal}");
}

#[tokio::test]
async fn without_tls_on_the_server_only_those_who_insist_are_refused() {
    let server = Server::start(None).await;
    assert!(!server.connect("sslmode=prefer").await.unwrap());
    let refusal = server.refusal("sslmode=require").await;
    assert!(refusal.contains("server does not support TLS"), "{refusal}");
}

#[tokio::test]
async fn pool_and_notifications_go_through_it_too() {
    let server = Server::start(Some(&signed("127.0.0.1"))).await;
    let database = server
        .database("sslmode=verify-full&sslrootcert=ROOTS/root.pem")
        .unwrap();
    let mut listening = database.dedicated().await.unwrap();
    event_listen(&listening).await.unwrap();
    let pooled = database.conn().await.unwrap();
    event_notify(&pooled, "here").await.unwrap();
    let mut heard = std::pin::pin!(listening.notifications_stream());
    assert!(heard.next().await.unwrap().is_ok());
}
