//! A customer's endpoint that can answer by a script.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

/// A customer's endpoint that answers by a script, then 200.
#[derive(Clone, Default)]
pub struct Hook(Arc<Mutex<HookState>>);

#[derive(Default)]
struct HookState {
    script: VecDeque<(u16, Option<&'static str>)>,
    got: Vec<(HeaderMap, String)>,
}

impl Hook {
    pub async fn start(script: &[(u16, Option<&'static str>)]) -> (Self, String) {
        let hook = Self::default();
        hook.with(|state| state.script.extend(script));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(take).with_state(hook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (hook, url)
    }

    fn with<T>(&self, look: impl FnOnce(&mut HookState) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn got(&self) -> Vec<(HeaderMap, String)> {
        self.with(|state| state.got.clone())
    }
}

async fn take(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let (status, wait) = hook.with(|state| {
        state.got.push((headers, text));
        state.script.pop_front().unwrap_or((200, None))
    });
    let mut answer = StatusCode::from_u16(status)
        .unwrap_or(StatusCode::OK)
        .into_response();
    if let Some(Ok(wait)) = wait.map(str::parse) {
        answer.headers_mut().insert("retry-after", wait);
    }
    answer
}

pub fn header(got: &(HeaderMap, String), name: &str) -> String {
    let value = got.0.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}
