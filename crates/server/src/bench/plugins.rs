//! The plugins of the business that is measured, switched off and on: how much of the speed they take.

use std::time::Duration;

use anyhow::{Context, ensure};
use domain::actor::Role;
use engine::Engine;
use serde_json::{Value, json};

use super::fill::BenchBusiness;
use super::http::http_client;

const SET: &str = "mutation($input: ConfigurePluginInput!) { configurePlugin(input: $input) { problems { message } } }";
/// How often it is looked whether the plugins have caught up, and how often at most.
const LOOK: Duration = Duration::from_millis(250);
const LOOKS: usize = 4 * 600;

/// The plugins that the business uses when the measuring begins.
pub(super) struct Switch {
    url: String,
    slug: String,
    token: String,
    http: reqwest::Client,
    names: Vec<String>,
}

impl Switch {
    /// Finds them.
    pub(super) async fn new(
        url: &str,
        engine: &Engine,
        business: &BenchBusiness,
    ) -> anyhow::Result<Self> {
        let token = engine.create_token(&business.system, Role::Owner, None);
        let mut switch = Self {
            url: url.to_owned(),
            slug: business.slug.clone(),
            token: token.await?,
            http: http_client().build()?,
            names: Vec::new(),
        };
        let data = switch
            .ask("{ plugins { name enabled } }", json!({}))
            .await?;
        let plugins = data.get("plugins").and_then(Value::as_array);
        let used = plugins.into_iter().flatten().filter_map(|plugin| {
            let is_used = plugin.get("enabled")?.as_bool()?;
            let name = plugin.get("name")?.as_str()?;
            is_used.then(|| name.to_owned())
        });
        switch.names = used.collect();
        ensure!(
            !switch.names.is_empty(),
            "the business {} uses no plugins: set them up first",
            switch.slug
        );
        Ok(switch)
    }

    /// Their names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Switches all of them off or on.
    pub(super) async fn set(&self, enabled: bool) -> anyhow::Result<()> {
        for name in &self.names {
            let input = json!({ "name": name, "settings": {}, "enabled": enabled });
            let data = self.ask(SET, json!({ "input": input })).await?;
            let problems = data.pointer("/configurePlugin/problems");
            ensure!(problems == Some(&json!([])), "{name}: {data}");
        }
        Ok(())
    }

    /// Waits until nothing is due any more.
    pub(super) async fn caught_up(&self, engine: &Engine) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            let mut is_due = engine.is_dispatch_pending().await?;
            for name in &self.names {
                is_due |= !engine.deliveries_due(name, &[], 1).await?.is_empty();
            }
            if !is_due {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        anyhow::bail!("the plugins do not catch up")
    }

    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let request = self
            .http
            .post(&self.url)
            .header("x-business", &self.slug)
            .bearer_auth(&self.token)
            .json(&json!({ "query": query, "variables": variables }));
        let mut answer: Value = request.send().await?.json().await?;
        let data = answer.get_mut("data").map(Value::take);
        data.filter(|data| !data.is_null())
            .with_context(|| format!("the server answered {answer}"))
    }
}
