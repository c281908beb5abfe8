//! Whose bookings are entered in their calendar is not invited to them besides.

use domain::id::ProviderId;
use engine::calendar::ConnectCalendar;
use plugin_api::Recipient;
use serde_json::json;
use test_support::ANNAS_TOKEN;

use super::stage::Stage;

const PLUGIN: &str = "calendar-diary";

impl Stage {
    async fn anna(&self) -> ProviderId {
        let world = &self.app.world;
        let catalogue = world.engine.catalogue(&world.owner).await.unwrap();
        let mut providers = catalogue.providers.values();
        providers.find(|one| one.name == "Anna").unwrap().id
    }

    /// Has Anna's bookings written to this calendar; none: to none.
    async fn write_to(&self, calendar: Option<&str>) {
        let input = ConnectCalendar {
            provider_id: self.anna().await,
            plugin: PLUGIN.to_owned(),
            refresh_token: Some(ANNAS_TOKEN.into()),
            read_from: None,
            write_to: Some(calendar.map(str::to_owned)),
        };
        let world = &self.app.world;
        let connected = world.engine.connect_calendar(&world.owner, input, None);
        connected.await.unwrap();
    }

    /// What was said of a booking of Anna's at this time that is made, moved and cancelled: to whom, whether it bears an invitation or a
    /// cancellation, and whether it says so.
    async fn said_of(&mut self, day: &str) -> String {
        let before = self.mail.carried().len();
        let mut input = self.input(&format!("{day}T10:00:00Z"));
        input.provider_id = Some(self.anna().await);
        let id = self.book(input).await;
        self.done().await;
        self.reschedule(id, &format!("{day}T14:00:00Z")).await;
        self.done().await;
        self.cancel(id).await;
        self.done().await;
        let said = self.mail.carried().split_off(before);
        let said = said
            .iter()
            .filter(|one| one.letter.recipient == Recipient::Provider);
        let line = |one: &plugin_api::Message| {
            let invitation = one.letter.invitation.as_ref();
            let bears = invitation.map_or("nothing", |invitation| {
                if invitation.is_cancelled {
                    "cancellation"
                } else {
                    "invitation"
                }
            });
            let says = if one.text.contains("calendar") {
                ", and says so"
            } else {
                ""
            };
            format!("{}: {bears}{says}", one.letter.about)
        };
        said.map(line).collect::<Vec<_>>().join("\n")
    }
}

const INVITED: &str = "confirmed: invitation, and says so\nrescheduled: invitation, and says so\ncancelled: cancellation, and says so";

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_whose_bookings_are_written_to_their_calendar_is_not_invited() {
    let mut stage = Stage::with_calendars().await;
    assert_eq!(stage.said_of("2027-03-05").await, INVITED);
    stage.write_to(Some("anna")).await;
    insta::assert_snapshot!(stage.said_of("2027-03-08").await, @r"
    confirmed: nothing
    rescheduled: nothing
    cancelled: cancellation, and says so
    ");
    stage.write_to(None).await;
    assert_eq!(stage.said_of("2027-03-09").await, INVITED);
    stage.write_to(Some("anna")).await;
    stage.configure(PLUGIN, json!({}), false).await;
    assert_eq!(stage.said_of("2027-03-10").await, INVITED);
    stage.end().await;
}
