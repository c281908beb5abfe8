//! What is said to people: the words of confirmations, changes, reminders and all else, in the recipient's language, zone and way of
//! writing dates and money. When something is said, to whom and by which channel is decided elsewhere; what carries it are other plugins.
//!
//! A rule names a text that comes with the plugin (`texts/`) or bears one of its own, in Jinja2's language (`template` says how much of it).
//! The first line of such a text is its subject where it begins with `Subject:`; else the subject is the service, the time and the business.

mod language;
mod local_time;
mod settings;
mod template;
mod texts;
mod variables;
mod view;

use domain::event::EventKind;
use domain::zone::ZoneDatabase;
use minijinja::{Environment, Value};
use plugin_api::clean::{self, line};
use plugin_api::{
    Channel, Compose, ComposeError, Composed, Composer, HouseRules, Invitation, Plugin,
    PluginSettings, Recipient, SettingsError, TemplateProblem, Variable,
};

use crate::settings::Settings;
use crate::texts::{Form, NAMES, Texts};
use crate::variables::VARIABLES;
use crate::view::Subject;

/// What stands before the subject in a text of a business.
const SUBJECT: &str = "Subject:";

/// The plugin.
pub struct Notifications {
    zones: ZoneDatabase,
    texts: Texts,
    own: Environment<'static>,
}

impl Notifications {
    /// Makes the plugin, with these rules of time zones.
    ///
    /// # Errors
    /// A text that is part of the program does not parse.
    pub fn new(zones: ZoneDatabase) -> Result<Self, String> {
        let texts = Texts::load().map_err(|error| format!("notifications: {error}"))?;
        Ok(Self {
            zones,
            texts,
            own: template::environment(),
        })
    }

    /// A message in a text that comes with the plugin.
    fn known(&self, piece: &Piece<'_>) -> Result<Composed, ComposeError> {
        let (subject, channel) = (&piece.subject, piece.request.channel);
        let title = self.filled(piece, "subject")?;
        if channel != Channel::Email {
            let short = self.filled(piece, "short")?;
            let text = if short.is_empty() { title } else { short };
            return Ok(piece.composed(None, line(&text), None));
        }
        let (hello, intro) = (self.hello(piece)?, self.filled(piece, "intro")?);
        let invitation = piece.invitation();
        let outro = match &invitation {
            Some(_) => self.filled(piece, "outro")?,
            None => String::new(),
        };
        let rows = subject.rows();
        let colon = subject.language().colon();
        let indented = |value: &str| value.replace('\n', "\n  ");
        let listed = rows
            .iter()
            .map(|(label, value)| format!("{label}{colon}{}", indented(value)));
        let listed = listed.collect::<Vec<_>>().join("\n");
        let business = piece.shown("business");
        let parts = [&hello, &intro, &listed, &outro, &business];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let text = parts.map(String::as_str).collect::<Vec<_>>().join("\n\n");
        let heading = self.filled(piece, "title")?;
        let form = Form {
            language: subject.language(),
            subject: &title,
            business: &business,
            title: &heading,
            paragraphs: vec![format!("{hello}\n{intro}")],
            rows: &rows,
            outro: &outro,
        };
        let html = self.texts.html(&form).map_err(wrong)?;
        Ok(piece.composed(Some(line(&title)), text, Some(html)))
    }

    /// A message in a text of the business.
    fn own(&self, piece: &Piece<'_>) -> Result<Composed, ComposeError> {
        let filled = template::fill(&self.own, piece.template, &piece.view);
        let filled = filled.map_err(|problem| {
            let place = problem
                .line
                .map_or_else(String::new, |line| format!(" (line {line})"));
            ComposeError(format!(
                "the template cannot be filled in{place}: {}",
                problem.message
            ))
        })?;
        let filled = clean::paragraph(&filled);
        let (title, text) = match filled.strip_prefix(SUBJECT) {
            Some(rest) => {
                let (title, text) = rest.split_once('\n').unwrap_or((rest, ""));
                (line(title), text.trim().to_owned())
            }
            None => {
                let [service, start, business] =
                    ["service", "start", "business"].map(|name| piece.shown(name));
                (format!("{service}, {start} ({business})"), filled)
            }
        };
        if text.is_empty() {
            return Err(ComposeError("the template says nothing".to_owned()));
        }
        if piece.request.channel != Channel::Email {
            return Ok(piece.composed(None, text, None));
        }
        let business = piece.shown("business");
        let form = Form {
            language: piece.subject.language(),
            subject: &title,
            business: &business,
            title: "",
            paragraphs: text.split("\n\n").map(str::to_owned).collect(),
            rows: &[],
            outro: "",
        };
        let html = self.texts.html(&form).map_err(wrong)?;
        Ok(piece.composed(Some(title), text, Some(html)))
    }

    /// What goes wrong when a text is filled in with a booking that nobody made.
    fn tried(&self, template: &str) -> Option<TemplateProblem> {
        let mut event = plugin_api::sample::delivery(
            EventKind::BookingConfirmed,
            "all",
            serde_json::Value::Null,
        )
        .event;
        let mut booking = plugin_api::sample::booking();
        booking.previous_provider = Some(booking.provider.clone());
        booking.note = Some("A note".to_owned());
        event.booking = Some(booking);
        let facts = event.booking.as_ref()?;
        let request = Compose {
            template,
            languages: &["en"],
            channel: Channel::Sms,
            recipient: Recipient::Customer,
            event: &event,
            is_reminder: false,
            at: event.at,
            is_entered: false,
        };
        let subject = Subject::new(&request, facts, &self.zones, &self.texts);
        let view = subject.view(event.kind.name(), &Settings::default());
        template::fill(&self.own, template, &view).err()
    }

    fn hello(&self, piece: &Piece<'_>) -> Result<String, ComposeError> {
        let name = match piece.request.recipient {
            Recipient::Customer => "customer",
            Recipient::Provider | Recipient::PreviousProvider => "provider",
            Recipient::Business => "business",
        };
        let language = piece.subject.language();
        let filled = self.texts.fill(language, "hello", name, &piece.view);
        filled.unwrap_or_else(|| Ok(String::new())).map_err(wrong)
    }

    /// A part of the text; empty where it has none. What is not said to the business in particular is said to it as to a provider.
    fn filled(&self, piece: &Piece<'_>, name: &str) -> Result<String, ComposeError> {
        let audiences: &[&str] = match piece.request.recipient {
            Recipient::Customer => &["customer"],
            Recipient::Provider | Recipient::PreviousProvider => &["staff"],
            Recipient::Business => &["business", "staff"],
        };
        let language = piece.subject.language();
        let mut found = audiences.iter().filter_map(|audience| {
            let section = format!("{audience} {}", piece.template);
            self.texts.fill(language, &section, name, &piece.view)
        });
        found
            .next()
            .unwrap_or_else(|| Ok(String::new()))
            .map_err(wrong)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn wrong(error: minijinja::Error) -> ComposeError {
    ComposeError(format!("the text cannot be filled in: {error}"))
}

/// Whether a template names a text rather than being one.
fn is_name(template: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !template.is_empty() && template.len() <= 40 && template.chars().all(plain)
}

/// A message on its way into words.
struct Piece<'a> {
    request: &'a Compose<'a>,
    /// The name of a text, or a text.
    template: &'a str,
    subject: Subject<'a>,
    view: Value,
}

impl Piece<'_> {
    /// A variable as text.
    fn shown(&self, name: &str) -> String {
        self.view
            .get_attr(name)
            .map(|value| value.to_string())
            .unwrap_or_default()
    }

    /// What the recipient's calendar is told.
    fn invitation(&self) -> Option<Invitation> {
        let request = self.request;
        if request.is_reminder || request.channel != Channel::Email {
            return None;
        }
        let loses = request.recipient == Recipient::PreviousProvider;
        let is_cancelled = match request.event.kind {
            EventKind::BookingConfirmed | EventKind::BookingRescheduled => loses,
            EventKind::BookingCancelled => true,
            _ => return None,
        };
        if request.is_entered && !is_cancelled {
            // What was entered before it was so is taken out all the same.
            return None;
        }
        let (starts_at, ends_at) = self.subject.span();
        Some(Invitation {
            is_cancelled,
            starts_at,
            ends_at,
            summary: self.subject.summary(),
            place: self.subject.place(),
            description: self.subject.description(),
        })
    }

    fn composed(&self, subject: Option<String>, text: String, html: Option<String>) -> Composed {
        let kind = self.request.event.kind.name();
        let about = match self.request.is_reminder {
            true if is_name(self.request.template) => self.request.template,
            true => "reminder",
            false => kind.rsplit('.').next().unwrap_or(kind),
        };
        Composed {
            subject,
            text,
            html,
            language: self.subject.language().tag(),
            invitation: self.invitation(),
            about: about.replace('_', "-"),
        }
    }
}

impl Plugin for Notifications {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn title(&self) -> &'static str {
        "Notifications"
    }

    fn description(&self) -> &'static str {
        "Says what is to be said to customers and providers, in their language, by the channels that the business uses. When and to whom, its notification rules say."
    }

    fn settings_schema(&self) -> serde_json::Value {
        plugin_api::settings_schema::<Settings>()
    }

    fn on_by_default(&self) -> bool {
        true
    }

    fn validate(&self, settings: &serde_json::Value) -> Result<(), SettingsError> {
        Settings::from_json(settings.clone()).map(drop)
    }

    fn composer(&self) -> Option<&dyn Composer> {
        Some(self)
    }
}

impl Composer for Notifications {
    fn house_rules(&self, settings: &PluginSettings) -> Result<HouseRules, SettingsError> {
        settings.read::<Settings>()?.house_rules()
    }

    fn compose(
        &self,
        settings: &PluginSettings,
        request: &Compose<'_>,
    ) -> Result<Composed, ComposeError> {
        let settings = settings.read::<Settings>();
        let settings = settings.map_err(|error| ComposeError(error.to_string()))?;
        let facts = request.event.booking.as_ref();
        let facts = facts.ok_or_else(|| ComposeError("the event has no booking".to_owned()))?;
        let subject = Subject::new(request, facts, &self.zones, &self.texts);
        // For whoever loses the booking, the change is another thing than for all others.
        let template = match request.recipient {
            Recipient::PreviousProvider => "moved-away",
            _ => request.template,
        };
        let view = subject.view(request.event.kind.name(), &settings);
        let piece = Piece {
            request,
            template,
            subject,
            view,
        };
        if is_name(template) {
            if template != "moved-away" && !NAMES.contains(&template) {
                return Err(ComposeError(format!("there is no text `{template}`")));
            }
            self.known(&piece)
        } else {
            self.own(&piece)
        }
    }

    fn problems(&self, template: &str) -> Vec<TemplateProblem> {
        let template = template.trim();
        let whole = |message: String| {
            vec![TemplateProblem {
                line: None,
                message,
            }]
        };
        if template.is_empty() {
            return whole("must not be empty".to_owned());
        }
        if is_name(template) {
            if NAMES.contains(&template) {
                return Vec::new();
            }
            let names = NAMES.join(", ");
            return whole(format!(
                "there is no text `{template}`; there are {names}, or write one of your own"
            ));
        }
        let known = VARIABLES.map(|variable| variable.name);
        let mut problems = template::problems(&self.own, template, &known);
        if problems.is_empty() {
            problems.extend(self.tried(template));
        }
        problems
    }

    fn variables(&self) -> &[Variable] {
        &VARIABLES
    }
}

#[cfg(test)]
mod tests;
