//! A server with scripted answers, for errors that the emulator never returns.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The scripted answers, in order; the last one repeats. Each is a status and a body.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) endpoint: String,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    /// The bodies of the requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) async fn start(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answers = answers.iter().rev();
        let answers = answers.map(|(status, body)| (*status, (*body).to_owned()));
        let server = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::new(Mutex::new(answers.collect())),
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

    /// The bodies of the requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn serve(self, mut connection: TcpStream) {
        while let Some(body) = request(&mut connection).await {
            self.asked.lock().unwrap().push(body);
            let (status, body) = {
                let mut answers = self.answers.lock().unwrap();
                let last = answers.last().cloned().unwrap();
                if answers.len() > 1 {
                    answers.pop();
                }
                last
            };
            let head = format!(
                "HTTP/1.1 {status} Scripted\r\ncontent-type: application/x-amz-json-1.0\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            let answer = format!("{head}{body}");
            if connection.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// The body of the next request; `None` when the connection ends.
async fn request(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let lines = head.lines();
            let mut length = lines.filter_map(|line| line.strip_prefix("content-length:"));
            let length = length.next().map_or(0, |text| text.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = &bytes[end + 4..end + 4 + length];
                return Some(String::from_utf8_lossy(body).into_owned());
            }
        }
        let read = connection.read_buf(&mut bytes).await.ok()?;
        if read == 0 {
            return None;
        }
    }
}
