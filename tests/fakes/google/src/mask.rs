//! Partial answers: `fields=timeZone,items(id,start/dateTime)`.

use serde_json::{Map, Value};

use crate::error::Error;

/// What is asked for of an object: names, each with what is asked for inside.
#[derive(Debug, Default)]
struct Mask(Vec<(String, Mask)>);

/// The answer, no more of it than was asked for.
pub(crate) fn apply(fields: &str, answer: &Value) -> Result<Value, Error> {
    let mut rest = fields;
    let mask = Mask::parse(&mut rest);
    let mask = mask.filter(|_| rest.is_empty());
    let mask = mask
        .ok_or_else(|| Error::api(400, "global", "invalidParameter", "Invalid field selection"))?;
    Ok(mask.of(answer))
}

impl Mask {
    fn parse(rest: &mut &str) -> Option<Self> {
        let mut mask = Self::default();
        loop {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return None;
            }
            *rest = after;
            let inside = Self::inside(rest)?;
            mask.0.push((name.to_owned(), inside));
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Some(mask),
            }
        }
    }

    fn inside(rest: &mut &str) -> Option<Self> {
        if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let inside = Self::parse(rest)?;
            *rest = rest.strip_prefix(')')?;
            return Some(inside);
        }
        let Some(after) = rest.strip_prefix('/') else {
            return Some(Self::default());
        };
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        *rest = after;
        let inside = Self::inside(rest)?;
        (!name.is_empty()).then(|| Self(vec![(name.to_owned(), inside)]))
    }

    fn of(&self, value: &Value) -> Value {
        match value {
            _ if self.0.is_empty() => value.clone(),
            Value::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            Value::Object(fields) => {
                let kept = self.0.iter().filter_map(|(name, inside)| {
                    Some((name.clone(), inside.of(fields.get(name)?)))
                });
                Value::Object(kept.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }
}
