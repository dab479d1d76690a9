use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use jiff::Timestamp;
use secrecy::SecretString;
use stafett_domain::{Environment, RecordKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::Connections;
use crate::{Addresses, Api, CallFailure, Client, Endpoint, Roots, Token};

const JOB: &str = r#"{"jobId":"0191d3a5-0000-7000-8000-000000000001","responses":[]}"#;

/// A client for a server on this machine, of which only the port is known.
async fn client(timeout: Duration) -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Endpoint::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let authorization = base.clone();
    let production = Api { base, location: String::new() };
    let addresses = Addresses { production, verification: None, authorization, roots: Roots::default() };
    (Client::new(addresses, timeout), listener)
}

fn token() -> Token {
    Token { value: SecretString::from("t"), environment: Environment::Production, fresh: false }
}

fn job() -> stafett_domain::SkolverketJobId {
    serde_json::from_value(Uuid::new_v4().to_string().into()).unwrap()
}

/// Reads the head of the request that arrives on a connection.
async fn head(connection: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}

async fn answer(connection: &mut TcpStream, body: &str) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all((head + body).as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_call_is_connected_before_it_is_made_and_the_next_one_goes_the_same_way() {
    let (client, listener) = client(Duration::from_secs(60)).await;
    let mut first = None;
    for stage in ["persons", "groups"] {
        let of = if stage == "persons" { RecordKind::Person } else { RecordKind::Group };
        let call = client.job(of, &token(), job()).await;
        assert!(call.is_connected());
        let mut connection = match first.take() {
            Some(connection) => connection,
            None => listener.accept().await.unwrap().0,
        };
        // Nothing has been sent on it yet.
        let read = connection.try_read(&mut [0; 1]).unwrap_err();
        assert_eq!(read.kind(), std::io::ErrorKind::WouldBlock);
        let (exchange, head) = tokio::join!(call.make(Timestamp::UNIX_EPOCH), async {
            let head = head(&mut connection).await;
            answer(&mut connection, JOB).await;
            head
        });
        assert!(exchange.answer.is_ok() && exchange.answered_after.is_some());
        assert!(head.starts_with(&format!("GET /v1/{stage}/bulk/jobs/")), "{head}");
        assert!(head.contains(&format!("host: {}\r\n", listener.local_addr().unwrap())), "{head}");
        first = Some(connection);
    }
}

#[tokio::test]
async fn a_call_that_is_put_off_leaves_its_connection_to_the_next_one() {
    let (client, listener) = client(Duration::from_secs(60)).await;
    client.job(RecordKind::Person, &token(), job()).await.put_off();
    let call = client.job(RecordKind::Person, &token(), job()).await;
    let (mut connection, _) = listener.accept().await.unwrap();
    let (exchange, ()) = tokio::join!(call.make(Timestamp::UNIX_EPOCH), async {
        head(&mut connection).await;
        answer(&mut connection, JOB).await;
    });
    assert_eq!(exchange.status, Some(200));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_opened_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}/v1", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Connections::new(server, crate::tls::to_api(&Roots::default()).unwrap());
    let mut connection = connections.open().await.unwrap();
    // The server closes the connection while the call waits for its slot.
    drop(listener.accept().await.unwrap());
    while !connection.0.is_closed() {
        tokio::task::yield_now().await;
    }
    let request = Request::post("/v1/persons/bulk").header("host", "x").body(Full::from("{}")).unwrap();
    let (response, head) = tokio::join!(connections.send(&mut connection, request), async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let head = head(&mut connection).await;
        answer(&mut connection, "{}").await;
        head
    });
    assert_eq!(response.unwrap().status(), 200);
    assert!(head.starts_with("POST /v1/persons/bulk HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-length: 2\r\n"), "{head}");
}

#[tokio::test]
async fn a_call_that_cannot_be_connected_says_so_before_its_slot() {
    let (client, listener) = client(Duration::from_secs(60)).await;
    drop(listener);
    let call = client.job(RecordKind::Person, &token(), job()).await;
    assert!(!call.is_connected());
    let exchange = call.make(Timestamp::UNIX_EPOCH).await;
    assert!(matches!(exchange.answer, Err(CallFailure::Connection)));
    assert_eq!((exchange.status, exchange.answered_after), (None, None));
}

#[tokio::test]
async fn a_silent_server_is_waited_for_until_the_time_out() {
    let (client, listener) = client(Duration::from_millis(50)).await;
    let call = client.job(RecordKind::Person, &token(), job()).await;
    let (mut connection, _) = listener.accept().await.unwrap();
    let (exchange, _) = tokio::join!(call.make(Timestamp::UNIX_EPOCH), head(&mut connection));
    assert!(matches!(exchange.answer, Err(CallFailure::NoAnswer)));
}
