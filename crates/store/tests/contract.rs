//! The store's contract: the same bodies on SQLite and on PostgreSQL.
//!
//! PostgreSQL is found by `RECADO_TEST_POSTGRES_URL`, a server where databases may be made; `cargo
//! xtask test` starts one. To add a test: an `async fn name(bed: Bed)` in the file of its noun, and
//! its name in the list below.

#[path = "contract/bed.rs"]
mod bed;
#[path = "contract/credentials.rs"]
mod credentials;
#[path = "contract/deliveries.rs"]
mod deliveries;
#[path = "contract/device.rs"]
mod device;
#[path = "contract/instances.rs"]
mod instances;
#[path = "contract/jobs.rs"]
mod jobs;
#[path = "contract/messages.rs"]
mod messages;
#[path = "contract/opening.rs"]
mod opening;
#[path = "contract/sealed.rs"]
mod sealed;
#[path = "contract/system.rs"]
mod system;

macro_rules! on_both {
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$module::$name(crate::bed::Bed::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$module::$name(crate::bed::Bed::postgres().await).await;
            })*
        }
    };
}

on_both! {
    opening::reopens_with_the_same_key_only,
    opening::a_newer_schema_is_refused,
    opening::an_older_schema_needs_permission,
    opening::the_first_key_is_made_once,
    opening::reads_cannot_write,
    opening::two_processes_share_it,
    instances::numbers_and_fields,
    instances::lists_page_sort_and_search,
    instances::states_and_pairing,
    instances::no_instance_crosses_accounts,
    instances::deleting_takes_everything_below,
    credentials::tokens_are_found_and_revoked,
    credentials::shown_again_or_not,
    credentials::every_end_moves_the_epoch,
    credentials::two_peppers_look_up,
    credentials::no_credential_crosses_accounts,
    messages::ids_are_unique_where_they_must_be,
    messages::status_only_rises,
    messages::events_and_deliveries_are_one_transaction,
    messages::own_messages_are_found_by_id_alone,
    jobs::jobs_keep_their_order,
    jobs::delayed_jobs_join_when_they_are_due,
    jobs::a_dropped_queue_fails_its_messages,
    deliveries::webhooks_keep_their_secret,
    deliveries::attempts_are_kept,
    deliveries::no_delivery_is_claimed_twice,
    deliveries::no_delivery_crosses_accounts,
    deliveries::a_long_line_holds_no_other_up,
    deliveries::what_cannot_be_posted_has_failed,
    device::operations,
    device::updates_are_atomic,
    device::instances_do_not_see_each_other,
    device::round_trips_are_few,
    system::accounts_and_users,
    system::leases_are_fenced,
    system::only_what_may_start_is_started,
    system::guests_expire,
    system::guests_end_once_and_no_other_account,
    system::undone_accounts_can_be_made_again,
    system::a_node_that_starts_clears_what_it_left,
    system::generations_rise_and_ends_move,
    system::jwt_keys_are_kept,
}
