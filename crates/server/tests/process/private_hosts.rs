//! What a business sets leads to this machine only where the operator says so.

use domain::actor::Role;
use serde_json::json;
use test_support::{Client, World};

use crate::server::Server;

const CLOCK: &str = "2027-03-01T08:00:00Z";
const CONFIGURE: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message } } }";
const CHECK: &str = "mutation { checkPlugin(name: \"email-smtp\") { ok message } }";

#[tokio::test(flavor = "multi_thread")]
async fn private_hosts_are_talked_to_only_with_the_flag() {
    let world = World::new().await;
    let token = world.token(Role::Owner, None).await;
    let data = tempfile::tempdir().unwrap();
    // Nobody listens there: who was allowed to try says so.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    for (flags, expected) in [
        (&[][..], "host: localhost is a private address"),
        (&["--allow-private-hosts"][..], "connecting failed"),
    ] {
        let server = Server::start_with(&world, data.path(), CLOCK, flags);
        let owner = Client::new(server.address, &world.slug, Some(&token));
        let settings = json!({ "host": "localhost", "port": port, "security": "NONE", "from": "a@aurora.example" });
        let input = json!({ "name": "email-smtp", "settings": settings });
        let set = owner.data(CONFIGURE, json!({ "input": input })).await;
        assert_eq!(set["configurePlugin"]["problems"], json!([]));
        let told = owner.data(CHECK, json!({})).await["checkPlugin"].clone();
        assert_eq!(told["ok"], false);
        assert!(
            told["message"].as_str().unwrap().contains(expected),
            "{flags:?}: {told}"
        );
    }
}
