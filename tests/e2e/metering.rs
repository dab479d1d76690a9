//! What a send uses, as the local stack counts it.

use crate::people::class;
use crate::stack::TestStack;

#[tokio::test]
async fn a_sends_calls_units_time_and_memory_are_counted() {
    let stack = TestStack::start().await;
    let id = stack.send(&class(70)).await;
    assert_eq!(stack.ended(&id).await["status"], "succeeded");
    let meter = stack.local("/local/meter").await;
    for stage in ["users", "duties", "groups", "activities"] {
        let used = &meter[stage];
        let number = |path: &str| used.pointer(path).and_then(serde_json::Value::as_f64).unwrap_or_default();
        assert_eq!(number("/calls/skolverket.POST/statuses/202"), 1.0, "{used}");
        assert!(number("/calls/skolverket.GET/statuses/200") >= 1.0, "{used}");
        assert!(number("/calls/sqs.ReceiveMessage/count") >= 1.0, "{used}");
        assert!(number("/calls/dynamodb.TransactWriteItems/statuses/200") >= 2.0, "{used}");
        // One packed answer, whatever the number of records.
        assert_eq!(number("/writeUnits/large~1answer"), 1.0, "{used}");
        assert!(number("/writeUnits/TransactWriteItems") >= 4.0 && number("/readUnits") >= 1.0, "{used}");
        assert!(number("/invocations") >= 1.0 && number("/billedMs") >= 1.0, "{used}");
        assert_eq!(number("/failed"), 0.0, "{used}");
        assert!(number("/starts") >= 1.0 && number("/startMs") >= 1.0, "{used}");
        if cfg!(target_os = "linux") {
            assert!(number("/peakMemoryKib") > 1000.0, "{used}");
        }
    }
    assert!(meter["api"]["writeUnits"]["large/body"].as_f64().is_some_and(|units| units >= 4.0), "{meter}");
    stack.finish(0).await;
}
