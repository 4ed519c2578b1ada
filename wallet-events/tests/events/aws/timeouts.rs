use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wallet_events::aws::{SnsPublisher, Timeouts};
use wallet_test_servers::PrivateAws;

use super::*;

const SHORT: Timeouts = Timeouts {
    attempt: Duration::from_millis(200),
    call: Duration::from_millis(500),
};

#[tokio::test]
async fn a_silent_server_fails_every_call_in_time() {
    // The server accepts connections and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let sqs = client!(aws_sdk_sqs, &endpoint);
    let sns = client!(aws_sdk_sns, &endpoint);
    let url = format!("{endpoint}/000000000000/q.fifo");
    let queue = SqsQueue::new(sqs.clone(), &url).unwrap();
    let queue = queue.with_wait(Duration::ZERO).with_timeouts(SHORT);
    let publisher = SqsPublisher::new(sqs, &url).unwrap().with_timeouts(SHORT);
    let topic = "arn:aws:sns:eu-central-1:000000000000:t.fifo";
    let topic = SnsPublisher::fifo(sns, topic).unwrap().with_timeouts(SHORT);
    let one = [message("a1")];
    let all = async {
        assert!(publisher.publish(&one).await.is_err());
        assert!(topic.publish(&one).await.is_err());
        assert!(queue.receive(1, Duration::from_secs(1)).await.is_err());
        assert!(queue.extend("receipt", Duration::ZERO).await.is_err());
        assert!(queue.delete("receipt").await.is_err());
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), all).await;
    assert!(in_time.is_ok());
}

#[tokio::test]
async fn a_server_that_dies_fails_calls_and_refuses_nothing() {
    let mut server = PrivateAws::start();
    let endpoint = server.endpoint();
    let client = client!(aws_sdk_sqs, &endpoint);
    let create = client.create_queue().queue_name("wallet-dies.fifo");
    let create = create.attributes(Attribute::FifoQueue, "true").send().await;
    let url = create.unwrap().queue_url.unwrap();
    let publisher = SqsPublisher::new(client.clone(), &url).unwrap();
    assert_eq!(
        publish(&publisher, &[message("a1")]).await,
        [Published::Done]
    );
    server.kill();
    let publisher = publisher.with_timeouts(SHORT);
    let error = publisher.publish(&[message("a2")]).await.unwrap_err();
    assert!(error.to_string().contains("no answer"), "{error}");
}

#[tokio::test]
async fn a_request_turned_away_for_its_size_refuses_its_message() {
    const ANSWER: &[u8] = b"HTTP/1.1 413 Request Entity Too Large\r\n\
        content-length: 28\r\nconnection: close\r\n\r\nHTTP content length exceeded";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 65_536];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(ANSWER).await;
        }
    });
    let url = format!("{endpoint}/000000000000/q.fifo");
    let to = SqsPublisher::new(client!(aws_sdk_sqs, &endpoint), url).unwrap();
    let published = publish(&to, &[message("a1")]).await;
    assert!(
        matches!(published[0], Published::Refused { .. }),
        "{published:?}"
    );
}
