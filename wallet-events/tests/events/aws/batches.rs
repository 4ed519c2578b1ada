//! Batches that are deleted in part, and expired credentials.

use wallet_events::aws::SnsPublisher;

use super::scripted::Scripted;
use super::*;

fn queue_at(server: &Scripted) -> SqsQueue {
    let url = format!("{}/000000000000/q.fifo", server.endpoint);
    let queue = SqsQueue::new(client!(aws_sdk_sqs, &server.endpoint), url).unwrap();
    queue.with_wait(Duration::ZERO)
}

fn receipts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("r{number}")).collect()
}

/// Status 200 does not mean that every entry succeeded.
#[tokio::test]
async fn an_entry_that_failed_is_not_taken_as_ended() {
    let server = Scripted::start(&[(
        200,
        r#"{"Successful":[{"Id":"0"}],"Failed":[
            {"Id":"1","Code":"InternalError","Message":"later","SenderFault":false},
            {"Id":"2","Code":"InvalidParameterValue","Message":"expired","SenderFault":true}]}"#,
    )])
    .await;
    let ended = queue_at(&server).delete_batch(&receipts(4)).await;
    assert_eq!(server.asked().len(), 1);
    let answers: Vec<_> = ended
        .into_iter()
        .map(|one| one.map_err(|error| error.to_string()))
        .collect();
    assert_eq!(answers[0], Ok(()));
    assert_eq!(
        answers[1],
        Err("delivery failed: deleting: InternalError".to_owned())
    );
    assert!(matches!(&answers[2], Err(error) if error.contains("no longer in the caller's hands")));
    assert!(matches!(&answers[3], Err(error) if error.contains("said nothing of it")));
}

#[tokio::test]
async fn ten_are_ended_in_a_call_and_a_call_that_fails_fails_its_own() {
    let ten: Vec<_> = (0..10).map(|id| format!(r#"{{"Id":"{id}"}}"#)).collect();
    let done = format!(r#"{{"Successful":[{}],"Failed":[]}}"#, ten.join(","));
    let server = Scripted::start(&[(200, &done)]).await;
    let ended = queue_at(&server).delete_batch(&receipts(25)).await;
    assert_eq!(ended.len(), 25);
    assert!(ended.iter().all(Result::is_ok));
    let mut sizes: Vec<_> = server
        .asked()
        .iter()
        .map(|body| body.matches("ReceiptHandle").count())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
    let refuses = r#"{"__type":"com.amazonaws.sqs#AccessDenied","message":"no"}"#;
    let server = Scripted::start(&[(403, refuses)]).await;
    let ended = queue_at(&server).delete_batch(&receipts(3)).await;
    assert_eq!(ended.len(), 3);
    for one in ended {
        let error = one.unwrap_err().to_string();
        assert_eq!(error, "delivery failed: deleting: AccessDenied");
    }
}

/// Expired credentials are not a message's fault, whatever the service reports.
#[tokio::test]
async fn expired_credentials_refuse_no_message() {
    for code in [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "UnrecognizedClientException",
    ] {
        let json = format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"x"}}"#);
        let server = Scripted::start(&[(403, &json)]).await;
        let url = format!("{}/000000000000/q.fifo", server.endpoint);
        let to = SqsPublisher::new(client!(aws_sdk_sqs, &server.endpoint), url).unwrap();
        let error = to.publish(&[message("a1")]).await.unwrap_err().to_string();
        assert!(error.contains(code), "{error}");
        let error = queue_at(&server).receive(1, Duration::ZERO).await;
        assert!(error.unwrap_err().to_string().contains(code));
        let xml = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>x</Message></Error></ErrorResponse>"
        );
        let server = Scripted::start(&[(403, &xml)]).await;
        let topic = "arn:aws:sns:eu-central-1:000000000000:t.fifo";
        let to = SnsPublisher::fifo(client!(aws_sdk_sns, &server.endpoint), topic).unwrap();
        let error = to.publish(&[message("a1")]).await.unwrap_err().to_string();
        assert!(error.contains(code), "{error}");
    }
}
