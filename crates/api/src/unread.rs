//! Bodies that nobody read to their end: what is still on its way must not meet the caller's next call.
//!
//! A connection whose request was not read is closed by the server without a word, and a caller that sends its next
//! request there gets nothing. So a rest that is not large is let come, and thrown away; else the answer says that the
//! connection ends.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
};
use bytes::Bytes;
use http::header;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

/// A larger rest ends its connection.
const MOST: usize = 2 * 1024 * 1024;
/// A caller who is slower than that gets the answer as it may be.
const WITHIN: Duration = Duration::from_secs(2);

/// The rest of a body, once whoever had it is done with it.
pub struct Rest {
    slot: Arc<Mutex<Option<Body>>>,
    /// The caller sends nothing before it is asked to.
    waits: bool,
}

/// A body that comes back with what nobody read of it.
struct Lent {
    /// `None` once it was read to its end.
    body: Option<Body>,
    slot: Arc<Mutex<Option<Body>>>,
}

/// `None` where there is no body.
pub fn lend(request: Request) -> (Request, Option<Rest>) {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return (Request::from_parts(parts, body), None);
    }
    let slot = Arc::new(Mutex::new(None));
    let rest = Rest {
        slot: slot.clone(),
        waits: parts.headers.contains_key(header::EXPECT),
    };
    let body = Some(body);
    let lent = Body::new(Lent { body, slot });
    (Request::from_parts(parts, lent), Some(rest))
}

impl Rest {
    fn taken(&self) -> Option<Body> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take()
    }

    /// Lets the rest come. Whether the connection may go on.
    pub async fn swallow(self) -> bool {
        let Some(mut body) = self.taken() else {
            return true;
        };
        if self.waits || body.size_hint().lower() > MOST as u64 {
            return false;
        }
        let rest = async {
            let mut came = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                came += frame.data_ref().map_or(0, Bytes::len);
                if came > MOST {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(WITHIN, rest).await.unwrap_or(false)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
