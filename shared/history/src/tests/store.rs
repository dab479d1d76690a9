//! Reads and writes of the table.

use serde_json::{Value, json};

use super::table::{Event, Table, meanwhile, on};
use crate::HistoryError;
use crate::contention::MOST;
use crate::error::WriteError;
use crate::key::Key;
use crate::write::Write;

const WRITE: &str = "PutItem";
const TRANSACTION: &str = "TransactWriteItems";

fn key(number: usize) -> Key {
    Key { pk: "partition".to_owned(), sk: format!("item{number:03}") }
}

fn number(number: usize) -> Value {
    json!({"number": number})
}

#[tokio::test]
async fn a_write_is_done_where_its_condition_holds_and_says_so() {
    let table = Table::new();
    let history = table.history();
    let new = |content| Write::put(key(1), &number(content)).unwrap().when("attribute_not_exists(#pk)");
    assert!(history.write(new(1)).await.unwrap());
    assert!(!history.write(new(2)).await.unwrap());
    assert_eq!(table.attribute(&key(1), "number"), 1);
    let update = |seen: i64| {
        let write = Write::update(key(1), "SET #number = :new").when("#number = :seen");
        write.with("new", 7).unwrap().with("seen", seen).unwrap()
    };
    assert!(!history.write(update(2)).await.unwrap());
    assert!(history.write(update(1)).await.unwrap());
    assert_eq!(table.attribute(&key(1), "number"), 7);
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all_and_says_which_conditions_failed() {
    let table = Table::new();
    let history = table.history();
    table.put(&key(1), &number(1));
    let transaction = |conditions: [&str; 4]| {
        let [put, update, delete, check] = conditions;
        vec![
            Write::put(key(0), &number(0)).unwrap().when(put),
            Write::update(key(1), "SET #number = :new").when(update).with("new", 2).unwrap(),
            Write::delete(key(2)).when(delete),
            Write::check(key(3)).when(check),
        ]
    };
    let (exists, absent) = ("attribute_exists(#pk)", "attribute_not_exists(#pk)");
    let before = table.items();
    for (conditions, failed) in [
        ([exists, exists, absent, absent], vec![0]),
        ([absent, absent, absent, absent], vec![1]),
        ([absent, exists, exists, absent], vec![2]),
        ([absent, exists, absent, exists], vec![3]),
        ([exists, absent, exists, exists], vec![0, 1, 2, 3]),
    ] {
        match history.transact(transaction(conditions)).await {
            Err(WriteError::Condition(places)) => assert_eq!(places, failed),
            other => panic!("{other:?}"),
        }
        assert_eq!(table.items(), before);
    }
    history.transact(transaction([absent, exists, absent, absent])).await.unwrap();
    assert_eq!(
        (table.attribute(&key(0), "number"), table.attribute(&key(1), "number")),
        (0.into(), 2.into())
    );
}

#[tokio::test]
async fn what_met_another_transaction_is_tried_again_and_not_for_ever() {
    let table = Table::new();
    let conflicts = |operation, count| (0..count).map(move |_| on(operation, Event::Conflict));
    let tries = MOST as usize;
    // At the same time: the pauses of the longest take seconds.
    let (table, conflicts) = (&table, &conflicts);
    let cases = [(1, true), (tries - 1, true), (tries, false)].map(|(times, done)| async move {
        let (history, calls) = table.disturbed(conflicts(WRITE, times).chain(conflicts(TRANSACTION, times)));
        let write = || Write::put(key(times), &number(times)).unwrap();
        let (written, transacted) = tokio::join!(history.write(write()), history.transact(vec![write()]));
        match (written, transacted) {
            (Ok(true), Ok(())) => assert!(done),
            (Err(HistoryError::Contended), Err(WriteError::History(HistoryError::Contended))) => {
                assert!(!done);
            }
            other => panic!("{other:?}"),
        }
        let made = tries.min(times + 1);
        assert_eq!((calls.of(WRITE), calls.of(TRANSACTION)), (made, made));
        assert_eq!(table.item(&key(times)).is_some(), done);
    });
    futures::future::join_all(cases).await;
}

/// The SDK gives a transaction a token: its repeat finds that it was done. A single write has none, and its repeat meets
/// the first one's effect: callers look at what is there.
#[tokio::test]
async fn a_transaction_whose_answer_was_lost_is_done_once() {
    let table = Table::new();
    let (history, calls) =
        table.disturbed([on(TRANSACTION, Event::AnswerLost), on(WRITE, Event::AnswerLost)]);
    let new = |at| Write::put(key(at), &number(at)).unwrap().when("attribute_not_exists(#pk)");
    history.transact(vec![new(1)]).await.unwrap();
    assert!(!history.write(new(2)).await.unwrap());
    assert_eq!((calls.of(TRANSACTION), calls.of(WRITE)), (2, 2));
    assert_eq!(
        (table.attribute(&key(1), "number"), table.attribute(&key(2), "number")),
        (1.into(), 2.into())
    );
}

#[tokio::test]
async fn what_does_not_arrive_is_an_error_with_a_kind_and_no_content() {
    let table = Table::new();
    let operations = [WRITE, TRANSACTION, "GetItem", "BatchGetItem", "Query", "DeleteItem"];
    let (history, _) = table.disturbed(operations.map(|operation| on(operation, Event::Unreachable)));
    let write = || Write::put(key(1), &number(1)).unwrap();
    let errors = [
        history.write(write()).await.unwrap_err(),
        match history.transact(vec![write()]).await.unwrap_err() {
            WriteError::History(error) => error,
            WriteError::Condition(places) => panic!("{places:?}"),
        },
        history.get::<Value>(&key(1)).await.unwrap_err(),
        history.get_many::<Value>(&[key(1)]).await.unwrap_err(),
        history.query::<Value>("partition", "", None, true, 1).await.unwrap_err(),
        history.delete(&key(1)).await.unwrap_err(),
        history.sort_keys("partition").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "the history cannot be reached: no connection");
    }
    assert!(table.items().is_empty());
}

#[tokio::test]
async fn a_removal_or_a_check_stands_only_in_a_transaction() {
    let history = Table::new().history();
    for write in [Write::delete(key(1)), Write::check(key(1)).when("attribute_exists(#pk)")] {
        assert!(matches!(history.write(write).await, Err(HistoryError::Corrupt(_))));
    }
}

#[tokio::test]
async fn many_items_are_read_a_hundred_a_call() {
    let table = Table::new();
    for (count, calls_made) in [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)] {
        let keys: Vec<_> = (0..count).map(key).collect();
        keys.iter().enumerate().for_each(|(at, key)| table.put(key, &number(at)));
        let (history, calls) = table.disturbed([]);
        let absent = key(999);
        let wanted: Vec<_> = keys.iter().chain((count == 1).then_some(&absent)).cloned().collect();
        let mut found: Vec<Value> = history.get_many(&wanted).await.unwrap();
        found.sort_by_key(|item| item["number"].as_u64());
        assert!(found.iter().map(|item| item["number"].as_u64().unwrap()).eq(0..count as u64), "{count}");
        assert_eq!(calls.of("BatchGetItem"), calls_made, "{count}");
    }
}

#[tokio::test]
async fn keys_that_dynamodb_leaves_for_another_call_are_read_by_another_call() {
    let table = Table::new();
    (0..120).for_each(|at| table.put(&key(at), &number(at)));
    let left = [on("BatchGetItem", Event::Partly(30)), on("BatchGetItem", Event::Partly(1))];
    let (history, calls) = table.disturbed(left);
    let keys: Vec<_> = (0..120).map(key).collect();
    assert_eq!(history.get_many::<Value>(&keys).await.unwrap().len(), 120);
    assert_eq!(calls.of("BatchGetItem"), 4);
}

#[tokio::test]
async fn a_query_goes_on_after_a_page_that_ended_early() {
    let table = Table::new();
    // DynamoDB ends a page at 1 MB.
    let large = "x".repeat(300_000);
    (0..8).for_each(|at| table.put(&key(at), &json!({"number": at, "text": large})));
    table.put(&Key { pk: "partition".to_owned(), sk: "other".to_owned() }, &number(99));
    let read = async |after: Option<usize>, ascending, limit| {
        let (history, calls) = table.disturbed([]);
        let after = after.map(|at| key(at).sk);
        let found: Vec<(String, Value)> =
            history.query("partition", "item", after.as_deref(), ascending, limit).await.unwrap();
        assert!(found.iter().all(|(sk, item)| item["sk"] == sk.as_str()));
        let numbers: Vec<_> = found.iter().map(|(_, item)| item["number"].as_u64().unwrap()).collect();
        (numbers, calls.of("Query") > 1)
    };
    assert_eq!(read(None, true, 100).await, ((0..8).collect(), true));
    assert_eq!(read(None, false, 6).await, ((2..8).rev().collect(), true));
    assert_eq!(read(Some(2), true, 2).await, (vec![3, 4], false));
    assert_eq!(read(Some(2), false, 5).await, (vec![1, 0], false));
    assert_eq!(read(Some(7), true, 5).await, (Vec::new(), false));

    let mut keys: Vec<_> = (0..8).map(|at| key(at).sk).collect();
    keys.push("other".to_owned());
    let (history, calls) = table.disturbed([]);
    assert_eq!(history.sort_keys("partition").await.unwrap(), keys);
    assert!(calls.of("Query") > 1);
    assert_eq!(history.sort_keys("nothing").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_item_that_is_not_there_yet_is_read_again_consistently() {
    let table = Table::new();
    let late = table.later(|table| table.put(&key(1), &number(1)));
    let (history, calls) = table.disturbed([meanwhile("GetItem", late).after(1)]);
    assert_eq!(history.get_unchanging::<Value>(&key(1)).await.unwrap().unwrap()["number"], 1);
    assert_eq!(calls.of("GetItem"), 2);
    history.get_unchanging::<Value>(&key(1)).await.unwrap();
    assert_eq!(calls.of("GetItem"), 3, "once, where it is found");
}

#[tokio::test]
async fn a_list_leaves_out_what_cannot_be_read_and_everything_else_refuses_it() {
    let table = Table::new();
    let history = table.history();
    (0..3).for_each(|at| table.put(&key(at), &number(at)));
    table.put(&key(1), &json!({"number": "seven"}));
    #[derive(serde::Deserialize)]
    struct Numbered {
        number: usize,
    }
    let keys: Vec<_> = (0..3).map(key).collect();
    let mut listed: Vec<Numbered> = history.get_many_listed(&keys).await.unwrap();
    listed.sort_by_key(|item| item.number);
    assert!(listed.iter().map(|item| item.number).eq([0, 2]));
    let listed = history.query_listed::<Numbered>("partition", "item", None, true, 9).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|(_, item)| item.map(|item| item.number)).collect();
    assert_eq!(listed, [Some(0), None, Some(2)], "in a list it keeps its place");
    assert!(matches!(history.get_many::<Numbered>(&keys).await, Err(HistoryError::Corrupt(_))));
    assert!(matches!(history.get::<Numbered>(&key(1)).await, Err(HistoryError::Corrupt(_))));
}
