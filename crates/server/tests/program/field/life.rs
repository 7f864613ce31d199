//! Signals of terminals, log rotators and supervisors.

use rustix::process::Signal;

use crate::{
    bad_days::fresh,
    life::{Slow, closed},
    support::wait_for,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hangups_change_nothing_and_quit_drains() {
    let home = fresh();
    let account = home.account("Shop", "owner@shop.example");
    let mut gateway = home.serve().await;
    let slow = Slow::begin(&home, &account);
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2, Signal::HUP] {
        gateway.signal(signal);
    }
    wait_for("the signals to be seen", async || {
        (home.log().matches("going on").count() >= 3).then_some(())
    })
    .await;
    assert!(gateway.is_running(), "{}", home.log());
    let again = Slow::begin(&home, &account);
    assert!(again.finish().starts_with("HTTP/1.1 200"));

    gateway.signal(Signal::QUIT);
    closed(&home).await;
    // While it drains, too.
    gateway.signal(Signal::HUP);
    assert!(gateway.is_running(), "it waits: {}", home.log());
    let answer = slow.finish();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(gateway.ended(), Some(0));
    assert!(home.log().contains("recado has stopped"));
}
