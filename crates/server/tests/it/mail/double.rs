//! A mail server on loopback: takes what it is given, or answers as a script says.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// A cheap clone; all clones are one.
#[derive(Clone)]
pub struct Double {
    /// `127.0.0.1:port`
    pub address: String,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    script: VecDeque<&'static str>,
    said: Vec<String>,
    letters: Vec<String>,
}

impl Double {
    /// The script holds answers to `RCPT TO`, in turn; an empty one ends the connection there.
    pub async fn start(script: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let double = Self {
            address: listener.local_addr().expect("an address").to_string(),
            state: Arc::default(),
        };
        double.with(|inner| inner.script.extend(script));
        let served = double.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let double = served.clone();
                // A client that goes away mid-sentence is part of the game.
                tokio::spawn(async move { double.talk(stream).await.ok() });
            }
        });
        double
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every command so far.
    pub fn said(&self) -> Vec<String> {
        self.with(|inner| inner.said.clone())
    }

    pub fn letters(&self) -> Vec<String> {
        self.with(|inner| inner.letters.clone())
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 double ESMTP\r\n").await?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_owned();
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            self.with(|inner| inner.said.push(line));
            let answer = match verb.as_str() {
                "EHLO" => "250-double\r\n250 AUTH PLAIN",
                "AUTH" => "235 welcome",
                "RCPT" => match self.with(|inner| inner.script.pop_front()) {
                    Some("") => return Ok(()),
                    Some(scripted) => scripted,
                    None => "250 ok",
                },
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    self.take(&mut stream).await?;
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    async fn take(&self, stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
        let mut letter = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
                break;
            }
            letter.push_str(&line);
        }
        self.with(|inner| inner.letters.push(letter));
        Ok(())
    }
}
