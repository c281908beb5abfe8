//! Where no channel tells of a calendar any more, it is asked as often as one that never had any.

use chrono::TimeDelta;
use plugin_api::Failure;
use test_support::{BadCall, World};

use super::stage::{Stage, plugins, restore};

/// One reading of what is due; how long until the next one.
async fn read(world: &World) -> TimeDelta {
    let engine = &world.engine;
    let due = engine.calendars_due(&[], 10).await.unwrap();
    let lease = TimeDelta::seconds(90);
    let taken = engine.take_calendar(due[0], lease).await.unwrap();
    engine.read_calendar(&taken.unwrap()).await.unwrap();
    engine.calendar_next(&[]).await.unwrap().unwrap() - world.clock.now()
}

fn refused() -> BadCall {
    BadCall::Refused(Failure::give_up("there are too many channels").into())
}

const POLL: TimeDelta = TimeDelta::seconds(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_has_run_out_tells_no_more() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    let (world, diary) = (stage.world.clone(), stage.diary.clone());
    stage.app.stop().await;
    // It lasts a week. Half an hour before that ends there is no other to be had.
    let nearly = TimeDelta::days(7) - TimeDelta::minutes(30);
    world.clock.advance(nearly);
    diary.bad_call_of("watch", refused());
    assert_eq!(read(&world).await, POLL);
    world.clock.advance(POLL);
    assert_eq!(read(&world).await, TimeDelta::minutes(29), "it tells still");
    world.clock.advance(TimeDelta::minutes(29));
    assert_eq!(read(&world).await, POLL);
    assert_eq!(diary.calls("watch"), 2, "it is not asked for all the time");
    world.clock.advance(TimeDelta::minutes(31));
    assert_eq!(read(&world).await, TimeDelta::hours(1));
    assert_eq!(diary.channels("anna").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_address_is_called_there() {
    let mut stage = Stage::public(restore()).await;
    stage.connect(stage.input()).await;
    let (world, diary) = (stage.world.clone(), stage.diary.clone());
    stage.app.stop().await;
    let hour = TimeDelta::hours(1);
    world.clock.advance(hour);
    assert_eq!(read(&world).await, hour);
    assert_eq!(diary.calls("watch"), 1);
    let moved = world.another_node_at(plugins(&diary), Some("https://new.example.com"));
    world.clock.advance(hour);
    diary.bad_call_of("watch", refused());
    assert_eq!(read(&moved).await, POLL);
    world.clock.advance(POLL);
    assert_eq!(read(&moved).await, POLL, "the one before calls elsewhere");
    assert_eq!(diary.calls("watch"), 2, "it is not asked for all the time");
    world.clock.advance(hour);
    assert_eq!(read(&moved).await, hour);
    let open = diary.channels("anna");
    assert_eq!(open.len(), 1, "the one before is closed");
    let address = "https://new.example.com/plugins/calendar-diary/test";
    assert_eq!(open[0].address, address);
    let unreachable = world.another_node_at(plugins(&diary), None);
    world.clock.advance(hour);
    assert_eq!(read(&unreachable).await, POLL);
}
