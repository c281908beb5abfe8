//! The texts that come with the plugin, by language: part of the program, read and parsed when it starts.
//!
//! Guaranteed (by a test): every language has every text, and every text can be filled in.

use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::language::Language;

/// The names of the texts, as rules name them.
pub const NAMES: [&str; 7] = [
    "confirmed",
    "rescheduled",
    "cancelled",
    "reminder",
    "follow-up",
    "refunded",
    "refund-failed",
];

fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../texts/en.txt"),
        Language::German => include_str!("../texts/de.txt"),
        Language::Spanish => include_str!("../texts/es.txt"),
        Language::French => include_str!("../texts/fr.txt"),
        Language::Japanese => include_str!("../texts/ja.txt"),
        Language::Chinese => include_str!("../texts/zh-Hans.txt"),
    }
}

/// Every line of a file of texts: its section, its name, what it says.
fn lines(source: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut section = "";
    let read = move |line| match line {
        line if str::is_empty(line) || line.starts_with('#') => None,
        line if line.starts_with('[') => {
            section = line.trim_matches(['[', ']']);
            None
        }
        line => {
            let (name, text) = line.split_once(" = ")?;
            Some((section, name, text))
        }
    };
    source.lines().filter_map(read)
}

/// All texts, parsed.
pub struct Texts(Environment<'static>);

/// A mail's form.
pub struct Form<'a> {
    /// The language.
    pub language: Language,
    /// The subject.
    pub subject: &'a str,
    /// The name of the business.
    pub business: &'a str,
    /// The heading; empty: none.
    pub title: &'a str,
    /// What is said.
    pub paragraphs: Vec<String>,
    /// The facts, with their labels.
    pub rows: &'a [(String, String)],
    /// What is said below them; empty: nothing.
    pub outro: &'a str,
}

impl Texts {
    /// Parses them.
    pub fn load() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template("layout.html", include_str!("layout.html"))?;
        for language in Language::ALL {
            for (section, name, text) in lines(source(language)) {
                environment.add_template_owned(key(language, section, name), text)?;
            }
        }
        Ok(Self(environment))
    }

    /// A text filled in; none where there is none of this name.
    pub fn fill(
        &self,
        language: Language,
        section: &str,
        name: &str,
        view: &Value,
    ) -> Option<Result<String, minijinja::Error>> {
        let key = key(language, section, name);
        let template = self.0.get_template(&key).ok()?;
        Some(template.render(view))
    }

    /// A text that is the same whatever it is about: a label.
    pub fn word(&self, language: Language, section: &str, name: &str) -> String {
        let filled = self.fill(language, section, name, &context! {});
        filled.and_then(Result::ok).unwrap_or_default()
    }

    /// A mail in HTML. Whatever is put into it is escaped.
    pub fn html(&self, form: &Form<'_>) -> Result<String, minijinja::Error> {
        let rows = form.rows.iter().map(|(label, value)| {
            context! { label => label.as_str(), value => value.as_str() }
        });
        let template = self.0.get_template("layout.html")?;
        template.render(context! {
            language => form.language.tag(),
            subject => form.subject,
            business => form.business,
            title => form.title,
            paragraphs => form.paragraphs.clone(),
            rows => rows.collect::<Vec<_>>(),
            outro => form.outro,
        })
    }
}

fn key(language: Language, section: &str, name: &str) -> String {
    format!("{}/{section}/{name}", language.tag())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_language_has_every_text_and_no_other() {
        let names = |language| -> BTreeSet<(&str, &str)> {
            let all = lines(source(language)).map(|(section, name, _)| (section, name));
            all.collect()
        };
        let english = names(Language::English);
        assert!(english.len() == 82, "{}", english.len());
        for language in Language::ALL {
            assert_eq!(names(language), english, "{language:?}");
        }
        for name in NAMES {
            for (who, what) in [
                ("customer", "short"),
                ("customer", "intro"),
                ("staff", "intro"),
            ] {
                let section = format!("{who} {name}");
                assert!(
                    english.contains(&(section.as_str(), what)),
                    "{section} {what}"
                );
            }
        }
        assert!(Texts::load().is_ok());
    }
}
