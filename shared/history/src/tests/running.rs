//! Which sends run, and which wait behind them.

use serde_json::json;
use stafett_domain::SendStatus;

use super::sample::{EXPIRES, at, organisation, send, send_of};
use super::table::Table;
use crate::{HistoryError, RunningSend, key};

#[tokio::test]
async fn the_sends_that_have_their_organisers_place_are_known() {
    let table = Table::new();
    let history = table.history();
    assert_eq!(history.running_sends().await.unwrap(), []);
    for organiser in 1..=3 {
        history.running(&send_of(organiser, u128::from(organiser)), [2, 0, 0, 1]).await;
        history.accepted(&send_of(organiser, 10 + u128::from(organiser)), [1, 0, 0, 1]).await;
    }
    history.received(&send_of(4, 4), [1, 0, 0, 1]).await;
    history.running(&send_of(5, 5), [1, 0, 0, 1]).await;
    history.stopped(&send_of(5, 5)).await;

    let mut organisers = history.organisers_at_work().await.unwrap();
    organisers.sort();
    assert_eq!(organisers, [1, 2, 3].map(organisation));
    let mut running = history.running_sends().await.unwrap();
    running.sort_by_key(|running| running.send.send);
    let expected =
        [1, 2, 3].map(|number| RunningSend { send: send_of(number, u128::from(number)), since: at(1) });
    assert_eq!(running, expected);

    // The metrics leave out an organiser that cannot be read. Listing its sends, in order to stop them, returns the
    // error.
    table.set(&key::organiser(&organisation(2)), "nextSeq", "many");
    assert_eq!(history.running_sends().await.unwrap().len(), 2);
    assert_eq!(history.organisers_at_work().await.unwrap().len(), 3);
    assert!(matches!(history.unended(&organisation(2)).await, Err(HistoryError::Corrupt(_))));
}

#[tokio::test]
async fn the_sends_that_run_or_wait_are_listed_from_the_last_one_on() {
    let table = Table::new();
    let history = table.history();
    assert_eq!(history.unended(&organisation(1)).await.unwrap(), []);
    // More than two pages of the order.
    for number in 1..=4 {
        history.accepted(&send(number), [1, 0, 0, 1]).await;
    }
    let header = table.item(&send(4).header()).unwrap();
    for number in 5..=230 {
        let place = json!({"send": send(number).send, "expires": EXPIRES});
        table.put(&key::order(&organisation(1), u64::try_from(number).unwrap()), &place);
        let mut header = header.clone();
        (header["id"], header["seq"]) = (json!(send(number).send), json!(u64::try_from(number).unwrap()));
        table.put(&send(number).header(), &header);
    }
    table.set(&key::organiser(&organisation(1)), "nextSeq", 231);
    history.ended(&send(1)).await;
    history.stopped(&send(3)).await;
    for (number, status) in [(40, SendStatus::Cancelled), (150, SendStatus::Failed)] {
        table.set(&send(number).header(), "status", status);
    }
    let expected: Vec<_> =
        (2..=230).rev().filter(|number| ![3, 40, 150].contains(number)).map(send).collect();
    assert_eq!(history.unended(&organisation(1)).await.unwrap(), expected);
}
