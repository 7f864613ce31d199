//! A disk on which files grow no further, while the program runs: by `prlimit --fsize`, which any process of
//! the same user may set from outside and take back.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::{Arc, Mutex},
};

use reqwest::Method;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::json;

use crate::{
    network::{Network, Shop},
    support::{Home, Process, call, client, text, wait_for},
};

const SHOP: &str = "5511999990001";
const ANA: &str = "5511999990002";

/// Files of the process may be so large from now on; `None` as large as they like.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let pid = i32::try_from(process.0.id()).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).expect("a child of ours");
}

/// A gateway whose log goes through a pipe: a log in a file could grow no further either.
async fn serve(home: &Home) -> (Process, Arc<Mutex<Vec<String>>>) {
    let mut child = home
        .command(&["serve", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (pipe, kept) = (child.stderr.take().expect("a pipe"), lines.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            kept.lock().expect("the lines").push(line);
        }
    });
    let process = Process(child);
    ready(home, 200).await;
    (process, lines)
}

async fn ready(home: &Home, status: u16) {
    let url = format!("{}/readyz", home.base);
    wait_for(&format!("/readyz to be {status}"), async || {
        let answer = client().get(&url).send().await.ok()?;
        (answer.status() == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_for_a_while() {
    let network = Network::start().await;
    network.phone(ANA, "Ana").await;
    let mut home = Home::on(&network);
    home.set("LOG", "warn");
    let account = home.account("Shop", "owner@shop.example");
    let (mut gateway, log) = serve(&home).await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    shop.send(ANA, "before", "3EB0BEFORE").await;

    let mut accepted = vec!["before".to_owned()];
    for round in 0..2 {
        limit_files(&gateway, Some(1));
        ready(&home, 503).await;
        for n in 0..200 {
            let message = format!("full {round}.{n}");
            let body = json!({"phone": ANA, "message": message});
            let answer = shop.call(Method::POST, "chat/send/text", Some(body)).await;
            match answer.status.as_u16() {
                200 => accepted.push(message),
                503 => assert_eq!(text(&answer.body, "/error_code"), "unavailable"),
                _ => panic!("{}: {}", answer.status, answer.body),
            }
        }
        assert!(gateway.is_running(), "it outlives SIGXFSZ");
        // What reads only is answered.
        let url = format!("{}/livez", home.base);
        call(Method::GET, &url, &[], None).await.ok();
        limit_files(&gateway, None);
        ready(&home, 200).await;
        let message = format!("after {round}");
        shop.online().await;
        shop.send(ANA, &message, &format!("3EB0AFTER{round}")).await;
        accepted.push(message);
    }
    wait_for("all that was accepted", async || {
        let shown = network.shown(ANA).await;
        let has = |message: &String| {
            let of = |row: &&serde_json::Value| row["text"] == message.as_str();
            shown.iter().filter(of).count() == 1
        };
        accepted.iter().all(has).then_some(())
    })
    .await;

    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    let log = log.lock().expect("the lines").clone();
    let about = |line: &&String| {
        line.contains("cannot use its files") || line.contains("no space left for the database")
    };
    // What callers, workers and actors met; a link that closes for it says so for itself.
    let shared = |line: &&String| !line.contains("recado_engine");
    let lines: Vec<_> = log.iter().filter(about).filter(shared).collect();
    assert!((1..=3).contains(&lines.len()), "{lines:#?}");
}
