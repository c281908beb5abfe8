//! What is said, in every language.

use std::sync::LazyLock;

use domain::booking::BookingStatus;
use domain::event::{BookingFacts, Event, EventKind};
use domain::money::{Currency, Money};
use domain::zone::ZoneDatabase;
use plugin_api::{
    Channel, Compose, Composed, Composer, PluginSettings, Recipient, contract, sample,
};
use serde_json::json;

use super::*;
use crate::language::Language;

fn plugin() -> &'static Notifications {
    static PLUGIN: LazyLock<Notifications> =
        LazyLock::new(|| Notifications::new(ZoneDatabase::bundled()).unwrap());
    &PLUGIN
}

fn settings() -> PluginSettings {
    PluginSettings::new(
        1,
        json!({ "feedbackUrl": "https://aurora.example/f?b={reference}" }),
    )
}

fn event(kind: EventKind, facts: BookingFacts) -> Event {
    let mut event = sample::delivery(kind, "all", json!({})).event;
    event.booking = Some(facts);
    event
}

fn facts() -> BookingFacts {
    BookingFacts {
        note: Some("No music.\nThank you".to_owned()),
        price: Money {
            amount: 123_450,
            currency: Currency::new("EUR").unwrap(),
        },
        ..sample::booking()
    }
}

/// It moved to Ben.
fn moved() -> BookingFacts {
    let before = facts();
    let mut facts = BookingFacts {
        previous_starts_at: Some(before.starts_at - chrono::TimeDelta::hours(25)),
        previous_provider: Some(before.provider.clone()),
        version: 2,
        ..before
    };
    facts.provider.name = "Ben Okoro".to_owned();
    facts.provider.id = domain::id::Id::from_uuid(domain::id::Id::uuid(facts.customer.id));
    facts
}

fn compose(
    template: &str,
    language: &str,
    (channel, recipient): (Channel, Recipient),
    event: &Event,
) -> Result<Composed, plugin_api::ComposeError> {
    plugin().compose(
        &settings(),
        &Compose {
            template,
            languages: &[language],
            channel,
            recipient,
            event,
            is_reminder: ["reminder", "follow-up"].contains(&template),
            at: event.at,
            is_entered: false,
        },
    )
}

fn mail(template: &str, language: &str, recipient: Recipient, event: &Event) -> String {
    let said = compose(template, language, (Channel::Email, recipient), event).unwrap();
    format!("Subject: {}\n{}", said.subject.unwrap(), said.text)
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    contract::plugin(plugin());
}

#[test]
fn a_confirmation_in_every_language() {
    let event = event(EventKind::BookingConfirmed, facts());
    let said = Language::ALL
        .map(|language| mail("confirmed", language.tag(), Recipient::Customer, &event));
    insta::assert_snapshot!(said.join("\n----\n"));
}

#[test]
fn a_change_to_the_new_provider_in_every_language() {
    let event = event(EventKind::BookingRescheduled, moved());
    let said = Language::ALL
        .map(|language| mail("rescheduled", language.tag(), Recipient::Provider, &event));
    insta::assert_snapshot!(said.join("\n----\n"));
}

#[test]
fn text_messages_in_every_language() {
    let confirmed = event(EventKind::BookingConfirmed, facts());
    let mut said = Vec::new();
    for language in Language::ALL {
        for template in NAMES {
            let to = (Channel::Sms, Recipient::Customer);
            let message = compose(template, language.tag(), to, &confirmed).unwrap();
            assert_eq!((message.subject, message.html), (None, None));
            assert!(!message.text.contains('\n'), "{}", message.text);
            said.push(message.text);
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn money_that_goes_back_says_whether_the_booking_stands_in_every_language() {
    let mut said = Vec::new();
    for status in [
        BookingStatus::Expired,
        BookingStatus::Confirmed,
        BookingStatus::Completed,
    ] {
        let event = event(
            EventKind::PaymentRefunded,
            BookingFacts { status, ..facts() },
        );
        for language in Language::ALL {
            let intro = |recipient| {
                let mail = mail("refunded", language.tag(), recipient, &event);
                mail.split("\n\n").nth(1).unwrap().to_owned()
            };
            let to = (Channel::Sms, Recipient::Customer);
            let text = compose("refunded", language.tag(), to, &event)
                .unwrap()
                .text;
            said.extend([intro(Recipient::Customer), text, intro(Recipient::Business)]);
        }
    }
    insta::assert_snapshot!(said.join("\n"));
    let lost = event(
        EventKind::PaymentRefunded,
        BookingFacts {
            status: BookingStatus::Cancelled,
            ..facts()
        },
    );
    let own = "{% if status == 'cancelled' %}Too late{% else %}{{ status }}{% endif %}";
    assert_eq!(plugin().problems(own), []);
    let to = (Channel::Sms, Recipient::Customer);
    assert_eq!(compose(own, "en", to, &lost).unwrap().text, "Too late");
}

#[test]
fn every_text_can_be_said_to_everybody_in_every_language() {
    for facts in [facts(), moved()] {
        let event = event(EventKind::BookingRescheduled, facts);
        for language in Language::ALL {
            for (template, recipient) in NAMES
                .into_iter()
                .flat_map(|name| Recipient::ALL.map(|recipient| (name, recipient)))
            {
                for channel in Channel::ALL {
                    let said = compose(template, language.tag(), (channel, recipient), &event);
                    let said =
                        said.unwrap_or_else(|error| panic!("{language:?} {template}: {error}"));
                    assert!(!said.text.is_empty() && !said.text.contains("{{"));
                    assert_eq!(said.subject.is_some(), channel == Channel::Email);
                    let html = said.html.unwrap_or_default();
                    assert_eq!(html.is_empty(), channel != Channel::Email);
                }
            }
        }
    }
}

#[test]
fn whoever_loses_a_booking_reads_the_time_before_and_takes_it_out() {
    let event = event(EventKind::BookingRescheduled, moved());
    let to = (Channel::Email, Recipient::PreviousProvider);
    for template in ["rescheduled", "Hello {{ provider }}"] {
        let said = compose(template, "en", to, &event).unwrap();
        assert!(said.subject.unwrap().starts_with("Booking moved away: "));
        assert!(
            said.text.contains("Sunday 28 February 2027, 11:00"),
            "{}",
            said.text
        );
        let invitation = said.invitation.unwrap();
        assert!(invitation.is_cancelled);
        assert_eq!(
            Some(invitation.starts_at),
            event.booking.as_ref().unwrap().previous_starts_at
        );
    }
}

#[test]
fn a_cancellation_takes_it_out_and_a_reminder_leaves_it() {
    let mut cancelled = facts();
    cancelled.status = BookingStatus::Cancelled;
    let event = event(EventKind::BookingCancelled, cancelled);
    let to = (Channel::Email, Recipient::Customer);
    let said = compose("cancelled", "en", to, &event).unwrap();
    assert!(said.invitation.unwrap().is_cancelled && said.about == "cancelled");
    let said = compose("reminder", "en", to, &event).unwrap();
    assert_eq!((said.invitation, said.about), (None, "reminder".to_owned()));
    assert!(!said.text.contains("calendar"));
}

#[test]
fn a_text_of_the_business_is_filled_in_with_its_subject_or_without() {
    let event = event(EventKind::BookingConfirmed, facts());
    let to = (Channel::Email, Recipient::Customer);
    let text = "Subject: See you {{ date }}\nDear {{ customer|upper }},\n\n{% for row in rows %}{{ row.label }} = {{ row.value }}; {% endfor %}";
    let said = compose(text, "de", to, &event).unwrap();
    insta::assert_snapshot!(format!("{}\n{}", said.subject.unwrap(), said.text), @"
    See you Montag, 1. März 2027
    Dear JO SMITH,

    Wann = Montag, 1. März 2027, 12:00–12:45 Uhr (Europe/London, UTC+00:00); Leistung = Cut and finish; Bei = Maria Rossi; Ort = Main Street; Preis = 1.234,50 EUR; Anmerkung = No music.
    Thank you; Buchungsnummer = K7QF3MXR;
    ");
    assert!(said.invitation.is_some());
    let said = compose("Dear {{ customer }}", "en", to, &event).unwrap();
    insta::assert_snapshot!(said.subject.unwrap(), @"Cut and finish, Monday 1 March 2027, 12:00 (Salon Aurora)");
    let text = "{% if language == 'de' %}Hallo{% else %}Hello ({{ language }}){% endif %}";
    let hello = |language| compose(text, language, to, &event).unwrap().text;
    assert_eq!(
        (hello("de-AT"), hello("fr")),
        ("Hallo".to_owned(), "Hello (fr)".to_owned())
    );
    let unknown = compose("no-such-text", "en", to, &event).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no text `no-such-text`");
}

#[test]
fn no_fact_becomes_markup_a_template_or_a_line_of_its_own() {
    let mut facts = facts();
    facts.customer.name =
        "<script>\r\nSubject: x</script>{{ 7 * 7 }}{% include 'layout.html' %}".to_owned();
    facts.note = Some("<b>&amp;</b>\r\n\u{202E}evil".to_owned());
    let event = event(EventKind::BookingConfirmed, facts);
    for template in ["confirmed", "Dear {{ customer }}\n\n{{ note }}"] {
        for recipient in Recipient::ALL {
            let said = compose(template, "en", (Channel::Email, recipient), &event).unwrap();
            let html = said.html.unwrap();
            assert!(
                !html.contains("<script") && !html.contains("<b>") && !html.contains("49"),
                "{html}"
            );
            assert!(!said.subject.unwrap().contains(['\r', '\n']));
            assert!(
                !said.text.contains(['\r', '\u{202E}']) && !said.text.contains("\nSubject"),
                "{}",
                said.text
            );
        }
    }
}

#[test]
fn every_variable_is_documented_and_there() {
    let event = event(EventKind::BookingConfirmed, moved());
    let plugin = plugin();
    for variable in plugin.variables() {
        let text = format!("A {{{{ {} }}}}", variable.name);
        assert_eq!(plugin.problems(&text), []);
        for recipient in Recipient::ALL {
            assert!(
                compose(&text, "en", (Channel::Sms, recipient), &event).is_ok(),
                "{text}"
            );
        }
    }
    let told = plugin.problems("Hello\n{{ customer|nosuch }}");
    assert_eq!(told[0].line, Some(2), "{told:?}");
    let told = plugin.problems("Hello\n\n{{ customer.first_name }}");
    assert_eq!(told[0].line, Some(3), "{told:?}");
    let told = plugin.problems("Hello\n{{ nobody }}");
    assert_eq!(told[0].line, Some(2));
    assert!(
        plugin.problems("confirmd")[0]
            .message
            .starts_with("there is no text `confirmd`")
    );
    assert_eq!(plugin.problems("follow-up"), []);
}
