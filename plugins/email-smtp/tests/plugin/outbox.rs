use std::fs;
use std::path::Path;

use domain::event::EventKind::{BookingCancelled, BookingConfirmed, BookingRescheduled};
use plugin_api::{Failure, MessageChannel, PluginSettings, Recipient, contract};

use crate::facts::{any_message, cancelled, confirmed, message, rescheduled};
use crate::to_files;

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_repeat_leaves_one_file_with_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let outbox = directory.path().join("data").join("mail");
    let plugin = to_files(&outbox);
    contract::message_repeats(&plugin, &PluginSettings::none(), &any_message(), || {
        let names = files(&outbox);
        let [name] = names.as_slice() else {
            panic!("one file, not {names:?}")
        };
        fs::read(outbox.join(name)).unwrap()
    })
    .await;
}

#[tokio::test]
async fn names_sort_by_time_and_say_what_is_inside() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = to_files(directory.path());
    for (kind, recipient, facts) in [
        (BookingConfirmed, Recipient::Customer, confirmed()),
        (BookingConfirmed, Recipient::Provider, confirmed()),
        (
            BookingRescheduled,
            Recipient::PreviousProvider,
            rescheduled(),
        ),
        (BookingCancelled, Recipient::Customer, cancelled()),
    ] {
        let said = message(kind, recipient, facts);
        assert!(plugin.send(&PluginSettings::none(), &said).await.is_ok());
    }
    insta::assert_snapshot!(files(directory.path()).join("\n"), @"
    20270220T120000Z-K7MQ2P-cancelled-customer-01jd6kr000e008000000000037.eml
    20270220T120000Z-K7MQ2P-confirmed-customer-01jd6kr000e008000000000035.eml
    20270220T120000Z-K7MQ2P-confirmed-provider-01jd6kr000e008000000000035.eml
    20270220T120000Z-K7MQ2P-rescheduled-previous-provider-01jd6kr000e008000000000036.eml
    ");
}

#[tokio::test]
async fn an_outbox_that_cannot_be_written_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let in_the_way = directory.path().join("mail");
    fs::write(&in_the_way, "a file").unwrap();
    let failure = to_files(&in_the_way)
        .send(&PluginSettings::none(), &any_message())
        .await
        .unwrap_err();
    assert!(
        matches!(&failure, Failure::Retry { reason, .. } if reason.contains("mail")),
        "{failure:?}"
    );
}
