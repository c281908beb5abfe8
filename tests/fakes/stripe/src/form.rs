//! Forms as Stripe takes them: `metadata[name]=value`. What is not documented is refused.

use crate::error::Error;
use crate::world::Metadata;

/// The names and values, as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(pub Vec<(String, String)>);

impl Form {
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub fn required(&self, name: &str) -> Result<&str, Error> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Error::parameter(
                    "parameter_missing",
                    name,
                    &format!("Missing required param: {name}."),
                )
            })
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, Error> {
        let wrong = || {
            Error::parameter(
                "parameter_invalid_integer",
                name,
                &format!("Invalid integer: {name}"),
            )
        };
        self.get(name)
            .map(|value| value.parse().map_err(|_| wrong()))
            .transpose()
    }

    /// What stands inside of `prefix[…]`, with the brackets of the first name taken off.
    pub fn inside(&self, prefix: &str) -> Self {
        let inner = |name: &str| {
            let rest = name.strip_prefix(prefix)?.strip_prefix('[')?;
            let (first, rest) = rest.split_once(']')?;
            Some(format!("{first}{rest}"))
        };
        let pairs = self.0.iter();
        Self(
            pairs
                .filter_map(|(name, value)| Some((inner(name)?, value.clone())))
                .collect(),
        )
    }

    pub fn metadata(&self) -> Result<Metadata, Error> {
        let metadata: Metadata = self.inside("metadata").0.into_iter().collect();
        let fits = |(name, value): (&String, &String)| {
            name.chars().count() <= 40 && value.chars().count() <= 500
        };
        if metadata.len() > 50 || !metadata.iter().all(fits) {
            return Err(Error::parameter(
                "parameter_invalid",
                "metadata",
                "Metadata is too large.",
            ));
        }
        Ok(metadata)
    }

    pub fn expand(&self) -> Vec<String> {
        let expand = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with("expand["));
        expand.map(|(_, value)| value.clone()).collect()
    }

    /// Refuses a name that is none of these. One that ends in `[` allows whatever stands inside.
    pub fn only(&self, names: &[&str]) -> Result<(), Error> {
        for (name, _) in &self.0 {
            let is_known = name.starts_with("expand[")
                || names.iter().any(|known| match known.strip_suffix('[') {
                    Some(_) => name.starts_with(known) && name.ends_with(']'),
                    None => name == known,
                });
            if !is_known {
                let message = format!("Received unknown parameter: {name}");
                return Err(Error::parameter("parameter_unknown", name, &message));
            }
        }
        Ok(())
    }
}
