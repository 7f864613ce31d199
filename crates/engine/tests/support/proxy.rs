//! A wire that can go dead without a word, or be cut.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::AbortHandle,
};

#[derive(Clone, Copy, Default)]
struct State {
    stalled: bool,
    /// Rises when what is open is to be closed.
    cut: u32,
}

pub struct Proxy {
    addr: SocketAddr,
    state: watch::Sender<State>,
    listening: AbortHandle,
}

impl Proxy {
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let state = watch::Sender::new(State::default());
        let states = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(connection(near, target, states.subscribe()));
            }
        });
        Self {
            addr,
            state,
            listening: listening.abort_handle(),
        }
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Nothing passes, and no socket closes.
    pub fn stall(&self, stalled: bool) {
        self.state.send_modify(|state| state.stalled = stalled);
    }

    /// Closes every socket.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cut += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connection(near: TcpStream, target: SocketAddr, mut states: watch::Receiver<State>) {
    let cut = states.borrow().cut;
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::select! {
        () = pass(near_in, far_out, states.clone()) => {}
        () = pass(far_in, near_out, states.clone()) => {}
        _ = states.wait_for(|state| state.cut != cut) => {}
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut states: watch::Receiver<State>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            return;
        };
        if states.wait_for(|state| !state.stalled).await.is_err() || read == 0 {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
