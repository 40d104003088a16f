//! A client that sends whatever bytes it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::Page;

/// The longest that a test waits for bytes. Only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    host: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub(crate) fn connect(page: &Page) -> Self {
        let stream = TcpStream::connect(page.address()).expect("the page listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        Self {
            stream: BufReader::new(stream),
            host: page.address().to_string(),
        }
    }

    /// Connects again and again until a connection is served; the server notices only in time that another has gone.
    pub(crate) fn connect_when_there_is_room(page: &Page) -> Self {
        loop {
            let mut client = Self::connect(page);
            if client.get("/icon.svg").status == 200 {
                return client;
            }
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        // A server that has refused the connection may not read what is sent.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Answered {
        self.write(bytes);
        self.read()
    }

    pub(crate) fn get(&mut self, path: &str) -> Answered {
        self.get_with(path, "Accept: */*")
    }

    pub(crate) fn get_with(&mut self, path: &str, header: &str) -> Answered {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{header}\r\n\r\n", self.host);
        self.send(request.as_bytes())
    }

    /// Sends a question whose answer is read line by line.
    pub(crate) fn ask(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host);
        self.write(request.as_bytes());
    }

    /// Reads what follows the first line of an answer.
    pub(crate) fn rest_of_answer(&mut self) {
        self.read_after("HTTP/1.1 0 begun");
    }

    /// Reads an answer whose length is told.
    pub(crate) fn read(&mut self) -> Answered {
        let status = self.line();
        self.read_after(&status)
    }

    fn read_after(&mut self, status: &str) -> Answered {
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut answered = Answered {
            status: status.expect("a status line"),
            headers,
            body: String::new(),
        };
        let length = answered
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole body comes");
        answered.body = String::from_utf8(body).expect("answers are UTF-8");
        answered
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line comes");
        line.trim_end().to_owned()
    }

    /// Waits until the server closes.
    pub(crate) fn is_closed_by_the_server(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}
