//! The texts of the mails, by language, recipient and occasion. They are part of the program. What is put into HTML is
//! escaped, by the `.html` in a template's name.

use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::language::Language;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every template.
        const ALL: &[(&str, &str)] = &[$(($name, include_str!(concat!("../templates/", $name)))),*];
    };
}

templates! {
    "en/layout.html",
    "en/rows.txt",
    "en/customer-confirmed.html",
    "en/customer-confirmed.txt",
    "en/customer-rescheduled.html",
    "en/customer-rescheduled.txt",
    "en/customer-cancelled.html",
    "en/customer-cancelled.txt",
    "en/provider-confirmed.html",
    "en/provider-confirmed.txt",
    "en/provider-rescheduled.html",
    "en/provider-rescheduled.txt",
    "en/provider-cancelled.html",
    "en/provider-cancelled.txt",
    "en/previous-provider-cancelled.html",
    "en/previous-provider-cancelled.txt",
}

/// All templates, parsed.
pub struct Templates(Environment<'static>);

/// What the templates show. Every text is one line, but for the values of rows.
#[derive(Debug, Clone)]
pub struct View {
    pub business: String,
    pub service: String,
    pub customer: String,
    /// The provider who is written to, or the one the customer comes to.
    pub provider: String,
    /// When it begins, in the recipient's zone.
    pub start: String,
    /// Whether a rescheduled booking was with another provider before.
    pub newly_with_provider: bool,
    pub rows: Vec<Row>,
}

/// A labelled fact.
#[derive(Debug, Clone)]
pub struct Row {
    pub label: &'static str,
    pub value: String,
}

impl View {
    fn context(&self) -> Value {
        let rows = self
            .rows
            .iter()
            .map(|row| context! { label => row.label, value => row.value.as_str() });
        context! {
            business => self.business.as_str(),
            service => self.service.as_str(),
            customer => self.customer.as_str(),
            provider => self.provider.as_str(),
            start => self.start.as_str(),
            newly_with_provider => self.newly_with_provider,
            rows => rows.collect::<Vec<_>>(),
        }
    }
}

/// A mail's texts.
#[derive(Debug, Clone)]
pub struct Texts {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Templates {
    /// Parses them.
    pub fn load() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in ALL {
            environment.add_template(name, source)?;
        }
        Ok(Self(environment))
    }

    /// The texts for one occasion (`customer-confirmed`). The first line of a `.txt` template is the subject.
    pub fn render(
        &self,
        language: Language,
        occasion: &str,
        view: &View,
    ) -> Result<Texts, minijinja::Error> {
        let name = |extension: &str| format!("{}/{occasion}.{extension}", language.code());
        let text = self.0.get_template(&name("txt"))?.render(view.context())?;
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        let html = self
            .0
            .get_template(&name("html"))?
            .render(context! { subject => subject.trim(), ..view.context() })?;
        Ok(Texts {
            subject: subject.trim().to_owned(),
            text: text.to_owned(),
            html,
        })
    }
}
