//! Whom a rule for tiers speaks of, and the channel that a customer prefers, by tables.

use domain::event::{BookingFacts, EventKind};
use domain::id::{BookingId, CustomerId, Id, LocationId, ProviderId, ServiceId, SessionId};
use domain::notification::{Audience, Channel, Moment, Recipient, Rule, TIERS_MAX};
use uuid::Uuid;

use super::reminder;

fn for_tiers(tiers: &[&str]) -> Rule {
    Rule {
        customer_tiers: tiers.iter().map(|tier| (*tier).to_owned()).collect(),
        ..reminder(Moment::Start, -60)
    }
}

#[test]
fn a_rule_for_tiers_passes_over_everybody_else() {
    for (tiers, customer, speaks) in [
        (&[][..], None, true),
        (&[], Some("vip"), true),
        (&["vip"], Some("vip"), true),
        (&["VIP"], Some("vip"), true),
        (&["gold", "Vip"], Some("vIP"), true),
        (&["vip"], Some("vip2"), false),
        (&["vip"], Some(""), false),
        (&["vip"], None, false),
    ] {
        let passed_over = for_tiers(tiers).passes_over(customer);
        assert_eq!(passed_over.is_none(), speaks, "{tiers:?} {customer:?}");
    }
    assert!(for_tiers(&["vip", "gold"]).check().is_ok());
    assert!(for_tiers(&["vip", "VIP"]).check().is_err(), "twice");
    let many: Vec<String> = (0..=TIERS_MAX).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(for_tiers(&many).check().is_err());
    assert!(for_tiers(&many[1..]).check().is_ok());
}

#[test]
fn an_event_is_told_of_by_the_tier_that_the_customer_had() {
    let kind = EventKind::BookingConfirmed;
    let mut facts = plain_facts();
    for audience in Audience::ALL {
        let rule = Rule {
            moment: Moment::Event(kind),
            offset_minutes: 0,
            audience,
            ..for_tiers(&["vip"])
        };
        facts.customer_tier = None;
        assert_eq!(rule.speaks_at(kind, &facts), []);
        facts.customer_tier = Some("VIP".to_owned());
        assert_eq!(rule.speaks_at(kind, &facts), [audience.recipient()]);
    }
}

/// The facts of a booking as they were written before customers had tiers.
fn plain_facts() -> BookingFacts {
    serde_json::from_value(serde_json::json!({
        "booking_id": BookingId::from_uuid(Uuid::nil()), "reference": "AB12CD", "version": 1, "status": "confirmed", "party_size": 1,
        "price": { "amount": 100, "currency": "EUR" }, "note": null, "reason": null, "session_id": SessionId::from_uuid(Uuid::nil()),
        "starts_at": "2027-03-05T10:00:00Z", "ends_at": "2027-03-05T11:00:00Z", "previous_starts_at": null,
        "business": { "slug": "salon", "name": "Salon", "locale": "en-GB" },
        "service": { "id": ServiceId::from_uuid(Uuid::nil()), "name": "Haircut" },
        "provider": { "id": ProviderId::from_uuid(Uuid::nil()), "name": "Anna", "email": null, "phone": null },
        "previous_provider": null,
        "location": { "id": LocationId::from_uuid(Uuid::nil()), "name": "Here", "time_zone": "UTC" },
        "customer": { "id": CustomerId::from_uuid(Uuid::nil()), "name": "Eve", "email": null, "phone": null },
        "customer_time_zone": null, "customer_locale": null
    }))
    .unwrap()
}

#[test]
fn the_channel_that_a_customer_prefers_is_tried_first_if_the_rule_names_it() {
    use Channel::{Email, Push, Sms};
    use Recipient::{Customer, Provider};
    for (channels, recipient, preferred, order) in [
        (&[Sms, Email][..], Customer, None, &[Sms, Email][..]),
        (&[Sms, Email], Customer, Some(Email), &[Email, Sms]),
        (&[Sms, Email], Customer, Some(Sms), &[Sms, Email]),
        (&[Sms, Email], Customer, Some(Push), &[Sms, Email]),
        (&[Email], Customer, Some(Sms), &[Email]),
        (
            &[Push, Sms, Email],
            Customer,
            Some(Email),
            &[Email, Push, Sms],
        ),
        (&[Sms, Email], Provider, Some(Email), &[Sms, Email]),
        (
            &[Sms, Email],
            Recipient::Business,
            Some(Email),
            &[Sms, Email],
        ),
    ] {
        let rule = Rule {
            channels: channels.to_vec(),
            ..reminder(Moment::Start, -60)
        };
        let found = rule.channels_for(recipient, preferred);
        assert_eq!(found, order, "{channels:?} {recipient:?} {preferred:?}");
    }
}
