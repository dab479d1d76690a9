//! TLS passes unread: the endpoint is a proxy for it, which sees where to and no more.

use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{AnswerBody, Cut, Shared};

impl Shared {
    /// Connects the process to where it wants to, until one of the two hangs up.
    pub(super) fn tunnel(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
        let target = request.uri().authority().ok_or(Cut)?.to_string();
        tokio::spawn(async move {
            let Ok(near) = hyper::upgrade::on(request).await else { return };
            let Ok(mut far) = TcpStream::connect(&target).await else { return };
            // Either end may hang up at any time.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(near), &mut far).await;
        });
        Ok(Response::new(Empty::new().map_err(|never| match never {}).boxed()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use crate::forward::{Forward, Parties, Plans, Upstreams, client};
    use crate::kill_switch::KillSwitch;
    use crate::loopback;
    use crate::meter::Meter;

    #[tokio::test]
    async fn bytes_pass_both_ways_unread() {
        let far = loopback::listen(0).unwrap();
        let target = far.local_addr().unwrap();
        let secret = "https://127.0.0.1:1".to_owned();
        let upstreams = Upstreams {
            dynamodb: String::new(),
            sqs: String::new(),
            ssm: String::new(),
            verification: None,
            skolverket: secret.clone(),
            token: secret.clone(),
            open_data: secret,
        };
        let parties = Parties {
            function: "users".to_owned(),
            runtime: target,
            upstreams,
            plans: Plans::default(),
            meter: Meter::default(),
            http: client().unwrap(),
            kill: KillSwitch::of_nothing(),
        };
        let forward = Forward::start(parties).unwrap();
        let environment = forward.environment();
        assert!(
            environment
                .iter()
                .all(|(name, _)| !["SKOLVERKET_URL", "TOKEN_URL", "OPEN_DATA_URL"].contains(name))
        );
        let proxy = environment.iter().find(|(name, _)| *name == "HTTPS_PROXY").unwrap().1.clone();
        let mut near = TcpStream::connect(proxy.strip_prefix("http://").unwrap()).await.unwrap();
        near.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let (mut connection, _) = far.accept().await.unwrap();
        let mut answer = vec![0; 1024];
        let read = near.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"), "{:?}", &answer[..read]);
        near.write_all(b"\x16there").await.unwrap();
        let mut there = [0; 6];
        connection.read_exact(&mut there).await.unwrap();
        connection.write_all(b"and back").await.unwrap();
        let mut back = [0; 8];
        near.read_exact(&mut back).await.unwrap();
        assert_eq!((&there, &back), (b"\x16there", b"and back"));
    }
}
