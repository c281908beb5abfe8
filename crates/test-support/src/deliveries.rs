//! What the database itself tells of its deliveries and of calendars elsewhere, whichever process changed them: a test waits for the change, not for a while.

use std::future::poll_fn;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls};

/// The longest that anything may take before the test fails: not a pause, a bound.
const PATIENCE: Duration = Duration::from_secs(60);

const TELL: &str = "
CREATE OR REPLACE FUNCTION tell_of_deliveries() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NOTIFY delivery_changed; RETURN NULL; END';
CREATE OR REPLACE TRIGGER tell_of_deliveries AFTER INSERT OR UPDATE ON delivery
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_deliveries();
CREATE OR REPLACE TRIGGER tell_of_dispatches AFTER DELETE ON dispatch
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_deliveries();
CREATE OR REPLACE TRIGGER tell_of_calendars AFTER INSERT OR UPDATE OR DELETE ON calendar_source
  FOR EACH STATEMENT EXECUTE FUNCTION tell_of_deliveries();
LISTEN delivery_changed;
";

/// Every change of the deliveries of one database.
pub struct Deliveries {
    client: Client,
    changes: mpsc::UnboundedReceiver<()>,
}

impl Deliveries {
    /// Has the database at this address tell of them from now on.
    pub async fn watch(url: &str) -> Self {
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let (tell, changes) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if matches!(message, AsyncMessage::Notification(_)) {
                    // Nobody waits any more: the connection ends with its client.
                    let _ = tell.send(());
                }
            }
        });
        client.batch_execute(TELL).await.unwrap();
        Self { client, changes }
    }

    /// Waits until so many deliveries are as the condition says.
    pub async fn until(&mut self, count: i64, condition: &str) {
        let query = format!("SELECT count(*) FROM delivery WHERE {condition}");
        self.until_counted(count, &query).await;
    }

    /// Waits until a query counts so many, and no event is still to be handed on; it is asked whenever deliveries or calendars elsewhere have
    /// changed.
    pub async fn until_counted(&mut self, count: i64, query: &str) {
        let whole =
            format!("SELECT CASE WHEN EXISTS (SELECT FROM dispatch) THEN NULL ELSE ({query}) END");
        let wait = async {
            while self
                .client
                .query_one(&whole, &[])
                .await
                .unwrap()
                .get::<_, Option<i64>>(0)
                != Some(count)
            {
                self.changes.recv().await.expect("the database is there");
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("there are not {count} of: {query}"));
    }
}
