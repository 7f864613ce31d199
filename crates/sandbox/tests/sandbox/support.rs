//! An unmodified WhatsApp client against the sandbox, with its events at hand.

use std::sync::Arc;
use std::time::Duration;

use recado_sandbox::{Config, Sandbox};
use wacore::store::InMemoryBackend;
use wacore::types::events::{ChannelEventHandler, Event};
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::traits::Backend;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;
use whatsapp_rust::{Client, TokioRuntime};

/// Generous: two cores may be shared with other builds.
pub const LONG: Duration = Duration::from_secs(60);

/// The client asks for `https`; the sandbox's media host speaks plain HTTP on loopback.
pub struct LoopbackHttp(reqwest::Client);

#[async_trait::async_trait]
impl HttpClient for LoopbackHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let url = request.url.replacen("https://", "http://", 1);
        anyhow::ensure!(
            url.starts_with("http://127.0.0.1:"),
            "leaves loopback: {url}"
        );
        let mut builder = self.0.request(request.method.parse()?, url);
        for (name, value) in &request.headers {
            if !name.eq_ignore_ascii_case("host") {
                builder = builder.header(name, value);
            }
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder.send().await?;
        Ok(HttpResponse {
            status_code: response.status().as_u16(),
            body: response.bytes().await?.to_vec(),
        })
    }
}

/// A linked device (or one that wants to be).
pub struct Device {
    pub client: Arc<Client>,
    pub backend: Arc<dyn Backend>,
    handle: Option<BotHandle>,
    events: Box<dyn Events>,
    seen: Vec<Arc<Event>>,
}

#[async_trait::async_trait]
trait Events: Send {
    async fn next(&mut self) -> Option<Arc<Event>>;
}

struct Channel<F>(F);

#[async_trait::async_trait]
impl<F> Events for Channel<F>
where
    F: FnMut() -> std::pin::Pin<Box<dyn Future<Output = Option<Arc<Event>>> + Send>> + Send,
{
    async fn next(&mut self) -> Option<Arc<Event>> {
        (self.0)().await
    }
}

pub async fn sandbox() -> Sandbox {
    sandbox_in(None, 0).await
}

pub async fn sandbox_in(data_dir: Option<std::path::PathBuf>, port: u16) -> Sandbox {
    init_logs();
    recado_sandbox::start(Config {
        listen: ([127, 0, 0, 1], port).into(),
        receiver: ([127, 0, 0, 1], 0).into(),
        data_dir,
    })
    .await
    .expect("the sandbox starts")
}

fn init_logs() {
    // The client logs through `log`.
    let _ = tracing_log::LogTracer::init();
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    // Only the first test of a process wins.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_test_writer()
        .try_init();
}

impl Device {
    pub async fn start(sandbox: &Sandbox) -> Self {
        let backend: Arc<dyn Backend> = Arc::new(InMemoryBackend::new());
        Self::with_backend(sandbox, backend, None).await
    }

    pub async fn with_backend(
        sandbox: &Sandbox,
        backend: Arc<dyn Backend>,
        code_for: Option<&str>,
    ) -> Self {
        Self::at(sandbox.whatsapp_url(), backend, code_for).await
    }

    /// A client of the network at `url`, whichever process runs it.
    pub async fn at(url: String, backend: Arc<dyn Backend>, code_for: Option<&str>) -> Self {
        let transport = TokioWebSocketTransportFactory::new().with_url(url);
        let mut builder = Bot::builder()
            .with_backend_arc(backend.clone())
            .with_transport_factory(transport)
            .with_http_client(LoopbackHttp(reqwest::Client::new()))
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 1_023_000_000))
            .with_push_name("Recado")
            .skip_history_sync();
        if let Some(number) = code_for {
            builder = builder.with_pair_code(PairCodeOptions {
                phone_number: number.to_owned(),
                ..Default::default()
            });
        }
        let bot = builder.build().await.expect("the client is complete");
        let client = bot.client();
        let (handler, receiver) = ChannelEventHandler::new();
        client.subscribe_handler(handler).detach();
        let handle = bot.spawn();
        let events = Channel(move || {
            let receiver = receiver.clone();
            Box::pin(async move { receiver.recv().await.ok() })
                as std::pin::Pin<Box<dyn Future<Output = Option<Arc<Event>>> + Send>>
        });
        Self {
            client,
            backend,
            handle: Some(handle),
            events: Box::new(events),
            seen: Vec::new(),
        }
    }

    /// A client that is paired with `number` by QR and connected.
    pub async fn paired(sandbox: &Sandbox, number: &str) -> Self {
        let mut device = Self::start(sandbox).await;
        let qr = device.qr().await;
        let paired = sandbox
            .network()
            .scan(number, &qr)
            .await
            .expect("the phone links the client");
        assert!(paired.connected, "the client logs in after pairing");
        device.connected().await;
        device
    }

    /// Looks at what has come until now, without waiting.
    pub async fn seen(&mut self) -> &[Arc<Event>] {
        while let Ok(Some(event)) =
            tokio::time::timeout(Duration::from_millis(20), self.events.next()).await
        {
            self.seen.push(event);
        }
        &self.seen
    }

    /// Acknowledgements of a message until now: the error of each, empty when there is none.
    pub async fn acks(&mut self, id: &str) -> Vec<String> {
        self.seen()
            .await
            .iter()
            .filter_map(|event| match event.as_ref() {
                Event::ServerAck(ack)
                    if ack.id == id && ack.class.as_deref() == Some("message") =>
                {
                    Some(ack.error.clone().unwrap_or_default())
                }
                _ => None,
            })
            .collect()
    }

    /// Waits for the first acknowledgement of a message and gives its error.
    pub async fn acked(&mut self, id: &str) -> String {
        self.expect(&format!("ack of {id}"), |event| match event {
            Event::ServerAck(ack) if ack.id == id && ack.class.as_deref() == Some("message") => {
                Some(ack.error.clone().unwrap_or_default())
            }
            _ => None,
        })
        .await
    }

    /// Waits for an event, looking at those that came before as well.
    pub async fn expect<T>(&mut self, what: &str, mut found: impl FnMut(&Event) -> Option<T>) -> T {
        for event in &self.seen {
            if let Some(value) = found(event) {
                return value;
            }
        }
        let wait = async {
            loop {
                let event = self.events.next().await.expect("the client runs");
                self.seen.push(event.clone());
                if let Some(value) = found(&event) {
                    return value;
                }
            }
        };
        match tokio::time::timeout(LONG, wait).await {
            Ok(value) => value,
            Err(_) => panic!("no {what} within {LONG:?}; seen: {:#?}", self.names()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.seen
            .iter()
            .map(|event| format!("{:?}", event.kind()))
            .collect()
    }

    pub async fn qr(&mut self) -> String {
        self.expect("QR code", |event| match event {
            Event::PairingQrCode(qr) => Some(qr.code.clone()),
            _ => None,
        })
        .await
    }

    pub async fn connected(&mut self) {
        self.expect("Connected", |event| {
            matches!(event, Event::Connected(_)).then_some(())
        })
        .await;
    }

    /// Texts of all messages so far, in order of arrival: (id, sender, text, from me).
    pub fn texts(&self) -> Vec<(String, String, String, bool)> {
        use wacore::proto_helpers::MessageExt as _;
        self.seen
            .iter()
            .filter_map(|event| match event.as_ref() {
                Event::Messages(batch) => Some(batch.messages.iter().filter_map(|inbound| {
                    Some((
                        inbound.info.id.clone(),
                        inbound.info.source.sender.user.to_string(),
                        inbound.message.text_content()?.to_owned(),
                        inbound.info.source.is_from_me,
                    ))
                })),
                _ => None,
            })
            .flatten()
            .collect()
    }

    /// Waits until `count` texts have come in.
    pub async fn texts_at_least(&mut self, count: usize) -> Vec<(String, String, String, bool)> {
        let wait = async {
            while self.texts().len() < count {
                let event = self.events.next().await.expect("the client runs");
                self.seen.push(event);
            }
        };
        if tokio::time::timeout(LONG, wait).await.is_err() {
            panic!(
                "only {} of {count} texts: {:?}",
                self.texts().len(),
                self.texts()
            );
        }
        self.texts()
    }

    pub async fn stop(mut self) -> Arc<dyn Backend> {
        if let Some(handle) = self.handle.take() {
            handle.shutdown().await;
        }
        self.backend.clone()
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.abort();
        }
    }
}

/// Waits until the companions of `number` have acknowledged everything.
pub async fn all_taken(sandbox: &Sandbox, number: &str) {
    sandbox
        .network()
        .wait_for(LONG, |network| {
            let phone = network.phone(number).ok()?;
            phone.companions.iter().all(|c| c.queued == 0).then_some(())
        })
        .await
        .expect("everything is acknowledged");
}

/// The control API, as a script uses it.
pub struct Control {
    http: reqwest::Client,
    base: String,
}

impl Control {
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: base.into(),
        }
    }

    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<serde_json::Value>,
    ) -> anyhow::Result<(u16, serde_json::Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    pub async fn get(&self, path: &str) -> serde_json::Value {
        let (status, answer) = self
            .call(reqwest::Method::GET, path, None)
            .await
            .expect("an answer");
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub async fn post(&self, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        self.call(reqwest::Method::POST, path, Some(body))
            .await
            .expect("an answer")
    }

    /// Begins a trouble.
    pub async fn trouble(&self, body: serde_json::Value) -> serde_json::Value {
        let (status, answer) = self.post("/trouble", body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        answer
    }

    /// How many troubles are left.
    pub async fn troubles(&self) -> usize {
        self.get("/trouble").await["troubles"]
            .as_array()
            .expect("a list")
            .len()
    }

    pub async fn calm(&self) {
        let (status, answer) = self
            .call(reqwest::Method::DELETE, "/trouble", None)
            .await
            .expect("an answer");
        assert_eq!((status, answer), (200, serde_json::json!({"troubles": []})));
    }

    /// The message with this id, if the phone shows it.
    pub async fn shows(&self, number: &str, id: &str) -> Option<serde_json::Value> {
        let messages = self.get(&format!("/phones/{number}/messages")).await;
        let list = messages.as_array().expect("a list");
        let found: Vec<_> = list.iter().filter(|m| m["id"] == id).collect();
        assert!(found.len() <= 1, "shown twice: {found:?}");
        found.first().map(|m| (*m).clone())
    }

    /// Waits until the phone shows the message, in a way that `fits`.
    pub async fn shown(
        &self,
        number: &str,
        id: &str,
        fits: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let begun = std::time::Instant::now();
        loop {
            let now = self.shows(number, id).await;
            if let Some(message) = now.clone().filter(|m| fits(m)) {
                return message;
            }
            assert!(begun.elapsed() < LONG, "{id} on {number}: {now:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
