//! The meaning of the service's answers, over the wire. A scripted server gives answers
//! that the emulator never gives.

use std::collections::VecDeque;
use std::future::Future;
use std::iter::repeat_n;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;
use wallet_core::audit::{AuditEvent, AuditLog, AuditOutcome, AuditText};
use wallet_core::history::{HistoryError, HistoryStore};
use wallet_core::store::StoreErrorKind;
use wallet_core::{StoreError, SystemClock, Timestamp};
use wallet_dynamo::{DynamoAuditLog, DynamoHistory, DynamoSettings};
use wallet_testkit::history::{account, lines};

use crate::support::block_on;

/// The fate of a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Says(u16, Value),
    /// The request is never answered.
    Hangs,
    /// The connection is closed.
    Cuts,
}

/// An error in the form of the service.
pub(crate) fn error(code: &str) -> Reply {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}") });
    let status = if code.starts_with("Internal") {
        500
    } else {
        400
    };
    Reply::Says(status, body)
}

fn cancelled(reasons: &[&str]) -> Reply {
    let reasons = reasons.iter().map(|code| json!({ "Code": code }));
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let body = json!({ "__type": kind, "CancellationReasons": reasons.collect::<Vec<_>>() });
    Reply::Says(400, body)
}

pub(crate) fn ok() -> Reply {
    Reply::Says(200, json!({}))
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    port: u16,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// The operations that were requested, and the number of rows in each.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives the scripted answers, then only successes.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            replies: Arc::new(Mutex::new(replies.into())),
            asked: Arc::default(),
        };
        let at_work = server.clone();
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(at_work.clone().serve(connection));
            }
        });
        server
    }

    async fn serve(self, mut connection: TcpStream) {
        while let Some(operation) = request(&mut connection).await {
            self.asked.lock().unwrap().push(operation);
            let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(ok);
            match reply {
                Reply::Cuts => return,
                Reply::Hangs => std::future::pending().await,
                Reply::Says(status, body) => {
                    let body = body.to_string();
                    let head = format!(
                        "HTTP/1.1 {status} Scripted\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    let answer = format!("{head}{body}");
                    if connection.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    pub(crate) fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(format!("http://127.0.0.1:{}", self.port))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The operation of the next request. `None` when the connection ends.
async fn request(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(end) = head {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let field = |name: &str| {
                let line = head.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().to_owned())
            };
            let length = field("content-length:").map_or(0, |length| length.parse().unwrap());
            while bytes.len() < end + 4 + length {
                connection
                    .read_buf(&mut bytes)
                    .await
                    .ok()
                    .filter(|n| *n > 0)?;
            }
            let target = field("x-amz-target:")?;
            return target.rsplit('.').next().map(str::to_owned);
        }
        connection
            .read_buf(&mut bytes)
            .await
            .ok()
            .filter(|n| *n > 0)?;
    }
}

fn settings() -> DynamoSettings {
    let mut settings = DynamoSettings::new("table");
    settings.timeout = Duration::from_millis(300);
    settings.attempts_max = 3;
    settings.retry.first = Duration::from_millis(1);
    settings
}

fn event() -> AuditEvent {
    let text = |text| AuditText::new(text).unwrap();
    AuditEvent {
        id: Uuid::from_u128(7),
        at: Timestamp::from_micros(5),
        actor: text("user/ada"),
        action: text("account.freeze"),
        resource: text("account/7"),
        origin: None,
        outcome: AuditOutcome::Done,
        note: None,
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

fn heads(client: Client) -> Asking {
    Box::pin(async move {
        let history = DynamoHistory::new(client, Arc::new(SystemClock), settings())?;
        history.heads(&[account(1)]).await.map(drop)
    })
}

fn append(client: Client) -> Asking {
    Box::pin(async move {
        let history = DynamoHistory::new(client, Arc::new(SystemClock), settings())?;
        let appended = history.append(&lines(account(1), &[10, 20]), &[]).await;
        appended.map_err(|error| match error {
            HistoryError::Store(error) => error,
            other => panic!("{other}"),
        })
    })
}

fn record(client: Client, count: usize) -> Asking {
    Box::pin(async move {
        let log = DynamoAuditLog::new(client, Arc::new(SystemClock), settings())?;
        log.append(0, &vec![event(); count]).await.map(drop)
    })
}

/// Runs a case. Returns its result and the number of requests.
async fn case(
    replies: Vec<Reply>,
    ask: impl Fn(Client) -> Asking,
) -> (Option<StoreErrorKind>, usize) {
    let server = Server::start(replies).await;
    let answer = ask(server.client()).await;
    (answer.err().map(|error| error.kind()), server.asked().len())
}

#[test]
fn reads_are_repeated_where_that_may_help() {
    use StoreErrorKind::{Internal, Unavailable};
    block_on(Box::pin(async {
        let left = json!({ "UnprocessedKeys": { "table": { "Keys": [
            { "pk": { "B": "aA==" }, "sk": { "B": "AA==" } } ] } } });
        let throttled = || error("ProvisionedThroughputExceededException");
        for (replies, due) in [
            (vec![], (None, 1)),
            (vec![throttled()], (None, 2)),
            (
                vec![error("ThrottlingException"), error("RequestLimitExceeded")],
                (None, 3),
            ),
            (vec![throttled(); 3], (Some(Unavailable), 3)),
            (vec![error("InternalServerError")], (None, 2)),
            (
                vec![error("InternalServerError"); 3],
                (Some(Unavailable), 3),
            ),
            (vec![Reply::Hangs], (None, 2)),
            (vec![Reply::Hangs; 3], (Some(Unavailable), 3)),
            (vec![Reply::Cuts], (None, 2)),
            (vec![Reply::Says(200, left.clone())], (None, 2)),
            (vec![Reply::Says(200, left); 3], (Some(Unavailable), 3)),
            (vec![error("ValidationException")], (Some(Internal), 1)),
            (
                vec![error("ResourceNotFoundException")],
                (Some(Internal), 1),
            ),
            (vec![error("AccessDeniedException")], (Some(Internal), 1)),
            (vec![error("ExpiredTokenException")], (None, 2)),
            (
                vec![error("ExpiredTokenException"); 3],
                (Some(Unavailable), 3),
            ),
            (vec![error("RequestExpired")], (None, 2)),
            (vec![error("UnrecognizedClientException")], (None, 2)),
            (vec![error("ANewException")], (Some(Internal), 1)),
        ] {
            let answer = case(replies.clone(), heads).await;
            assert_eq!(answer, due, "{replies:?}");
        }
    }));
}

#[test]
fn writes_of_history_are_repeated_for_what_was_left_out() {
    use StoreErrorKind::{Internal, Unavailable};
    block_on(Box::pin(async {
        let left = json!({ "UnprocessedItems": { "table": [ { "PutRequest": { "Item": {
            "pk": { "B": "aA==" }, "sk": { "B": "AA==" } } } } ] } });
        // The calls read the head, write rows, then write the head.
        for (replies, due) in [
            (vec![], (None, 3)),
            (vec![ok(), error("ThrottlingException")], (None, 4)),
            (vec![ok(), Reply::Says(200, left.clone())], (None, 4)),
            // Each call makes progress, until the last ones make none.
            (
                vec![ok(), Reply::Says(200, left.clone()), Reply::Says(200, left)],
                (None, 5),
            ),
            (vec![ok(), Reply::Hangs], (None, 4)),
            // Another writer was first. The call checks whether it was in the same epoch.
            (
                vec![ok(), ok(), error("ConditionalCheckFailedException")],
                (None, 4),
            ),
            (
                vec![ok(), ok(), error("TransactionConflictException")],
                (None, 4),
            ),
            (
                vec![ok(), error("ValidationException")],
                (Some(Internal), 2),
            ),
            (
                vec![ok(), Reply::Cuts, Reply::Cuts, Reply::Cuts],
                (Some(Unavailable), 4),
            ),
        ] {
            let answer = case(replies.clone(), append).await;
            assert_eq!(answer, due, "{replies:?}");
        }
    }));
}

#[test]
fn one_record_is_inserted_or_it_is_known_why_not() {
    use StoreErrorKind::{Conflict, Indeterminate, Internal, Unavailable};
    block_on(Box::pin(async {
        let thrice = |reply: Reply| repeat_n([ok(), reply], 3).flatten().collect::<Vec<_>>();
        for (replies, due) in [
            (vec![], (None, 2)),
            (
                thrice(error("ConditionalCheckFailedException")),
                (Some(Conflict), 6),
            ),
            (
                vec![ok(), error("ConditionalCheckFailedException")],
                (None, 4),
            ),
            (thrice(error("ThrottlingException")), (Some(Unavailable), 6)),
            // Nothing was done, and the client knows it.
            (
                thrice(error("ExpiredTokenException")),
                (Some(Unavailable), 6),
            ),
            (thrice(Reply::Hangs), (Some(Indeterminate), 6)),
            (
                thrice(error("InternalServerError")),
                (Some(Indeterminate), 6),
            ),
            (
                vec![ok(), error("ValidationException")],
                (Some(Internal), 2),
            ),
        ] {
            let answer = case(replies.clone(), |client| record(client, 1)).await;
            assert_eq!(answer, due, "{replies:?}");
        }
    }));
}

#[test]
fn reasons_of_cancelled_transactions_are_distinguished_by_code() {
    use StoreErrorKind::{Conflict, Internal, Unavailable};
    block_on(Box::pin(async {
        let thrice = |reasons: &[&str]| {
            let each = repeat_n([ok(), cancelled(reasons)], 3);
            each.flatten().collect::<Vec<_>>()
        };
        for (replies, due) in [
            (vec![], (None, 2)),
            (
                thrice(&["None", "ConditionalCheckFailed"]),
                (Some(Conflict), 6),
            ),
            (
                thrice(&["TransactionConflict", "None"]),
                (Some(Conflict), 6),
            ),
            (thrice(&["ThrottlingError", "None"]), (Some(Unavailable), 6)),
            (
                thrice(&["ProvisionedThroughputExceeded", "None"]),
                (Some(Unavailable), 6),
            ),
            (
                vec![ok(), cancelled(&["None", "ValidationError"])],
                (Some(Internal), 2),
            ),
            (
                vec![
                    ok(),
                    cancelled(&["ItemCollectionSizeLimitExceeded", "None"]),
                ],
                (Some(Internal), 2),
            ),
            (
                vec![ok(), cancelled(&["TransactionConflict", "None"])],
                (None, 4),
            ),
            (
                vec![ok(), error("TransactionInProgressException")],
                (None, 4),
            ),
            (
                vec![ok(), error("IdempotentParameterMismatchException")],
                (Some(Internal), 2),
            ),
        ] {
            let answer = case(replies.clone(), |client| record(client, 2)).await;
            assert_eq!(answer, due, "{replies:?}");
        }
    }));
}
