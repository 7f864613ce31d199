//! The store's contract: the same bodies on SQLite and on PostgreSQL.
//!
//! PostgreSQL is found by `RECADO_TEST_POSTGRES_URL`, a server where databases may be made; `cargo
//! xtask test` starts one. To add a test: an `async fn name(bed: &Bed)` in the file of its noun, and
//! its name in the list below.

#[path = "contract/audit.rs"]
mod audit;
#[path = "contract/bed.rs"]
mod bed;
#[path = "contract/billing.rs"]
mod billing;
#[path = "contract/changes.rs"]
mod changes;
#[path = "contract/chats.rs"]
mod chats;
#[path = "contract/contacts.rs"]
mod contacts;
#[path = "contract/credentials.rs"]
mod credentials;
#[path = "contract/deliveries.rs"]
mod deliveries;
#[path = "contract/device.rs"]
mod device;
#[path = "contract/full.rs"]
mod full;
#[path = "contract/groups.rs"]
mod groups;
#[path = "contract/guests.rs"]
mod guests;
#[path = "contract/history.rs"]
mod history;
#[path = "contract/instances.rs"]
mod instances;
#[path = "contract/jobs.rs"]
mod jobs;
#[path = "contract/keys.rs"]
mod keys;
#[path = "contract/labels.rs"]
mod labels;
#[path = "contract/links.rs"]
mod links;
#[path = "contract/look_ups.rs"]
mod look_ups;
#[path = "contract/media.rs"]
mod media;
#[path = "contract/members.rs"]
mod members;
#[path = "contract/messages.rs"]
mod messages;
#[path = "contract/opening.rs"]
mod opening;
#[path = "contract/persons.rs"]
mod persons;
#[path = "contract/reseal.rs"]
mod reseal;
#[path = "contract/sealed.rs"]
mod sealed;
#[path = "contract/system.rs"]
mod system;
#[path = "contract/timers.rs"]
mod timers;
#[path = "contract/troubles.rs"]
mod troubles;
#[path = "contract/usage.rs"]
mod usage;
#[path = "contract/user_sessions.rs"]
mod user_sessions;
#[path = "contract/users.rs"]
mod users;
#[path = "contract/votes.rs"]
mod votes;
#[path = "contract/watches.rs"]
mod watches;

macro_rules! on_both {
    (@bodies $kind:ident, $($module:ident :: $name:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let bed = crate::bed::Bed::on(crate::bed::Kind::$kind).await;
            crate::$module::$name(&bed).await;
            bed.close().await;
        })*
    };
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod sqlite { on_both!(@bodies Sqlite, $($module::$name),*); }
        mod postgres { on_both!(@bodies Postgres, $($module::$name),*); }
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
    instances::an_instance_is_changed,
    look_ups::a_number_is_corrected_for_all_that_wait,
    watches::who_is_watched_is_kept_with_the_pairing,
    troubles::what_does_not_follow_is_kept_with_the_pairing,
    audit::the_log_is_read_in_pages,
    audit::what_is_over_is_pruned,
    audit::kinds_are_counted_from_a_time_on,
    credentials::tokens_are_found_and_revoked,
    credentials::shown_again_or_not,
    credentials::every_end_moves_the_epoch,
    credentials::two_peppers_look_up,
    credentials::no_credential_crosses_accounts,
    credentials::jwts_end_one_by_one,
    credentials::terms_change_all_at_once,
    groups::groups_are_listed_and_found,
    groups::what_is_done_to_a_group_is_done_here,
    guests::a_claimed_session_moves_whole,
    guests::only_a_waiting_guest_is_claimed,
    guests::a_claim_and_an_end_exclude_each_other,
    guests::guests_are_capped_exactly,
    history::frames_are_kept_once_until_their_link_is_over,
    history::what_is_missing_is_looked_at_once_nothing_comes,
    history::messages_of_the_past_keep_their_time_and_come_once,
    history::a_message_that_comes_after_its_past_is_told,
    history::frame_states_are_the_codes,
    messages::ids_are_unique_where_they_must_be,
    messages::status_only_rises,
    messages::events_and_deliveries_are_one_transaction,
    messages::own_messages_are_found_by_id_alone,
    billing::subscriptions_are_kept,
    billing::of_two_changes_at_once_none_is_lost,
    billing::trials_begin_where_nothing_was_charged,
    billing::the_operator_sees_all_but_guests,
    billing::what_may_be_over_is_looked_at,
    jobs::jobs_keep_their_order,
    jobs::delayed_jobs_join_when_they_are_due,
    jobs::a_node_sees_which_of_its_queues_wait,
    jobs::a_failed_message_says_why,
    jobs::queue_numbers_are_the_accounts,
    jobs::what_goes_out_is_kept_sealed,
    messages::a_receipt_is_news_once,
    messages::words_in_rows_are_those_of_the_code,
    changes::a_later_edit_counts_and_a_deletion_ends_it,
    changes::a_later_sign_counts,
    changes::signs_of_one_person_become_one,
    changes::a_copied_id_is_told_apart,
    changes::readers_are_listed,
    changes::an_answer_finds_its_menu,
    changes::what_waits_about_a_message_is_found,
    votes::a_later_vote_counts,
    votes::votes_of_one_person_become_one,
    votes::a_vote_that_came_first_is_found,
    contacts::an_id_that_learns_its_number_stays_one_person,
    contacts::two_that_are_one_person_become_one,
    contacts::receipts_of_two_that_become_one_are_kept_once,
    contacts::somebody_with_another_number_stays_one_person,
    chats::what_cannot_be_read_is_counted,
    labels::labels_are_kept_as_devices_tell_of_them,
    labels::chats_have_labels,
    chats::lists_go_by_the_last_message,
    chats::lists_are_narrowed,
    chats::a_chats_messages_come_in_pages,
    chats::what_is_read_counts_no_more,
    chats::what_is_cleared_shows_no_more,
    chats::two_chats_that_are_one_keep_their_state,
    chats::people_are_listed_by_name,
    persons::in_whatever_order_a_person_is_one_chat,
    timers::the_later_word_counts_for_a_chat,
    timers::two_chats_that_are_one_have_one_timer,
    contacts::a_message_is_found_in_its_own_chat,
    contacts::a_number_may_pass_to_somebody_else,
    contacts::contacts_do_not_cross_accounts,
    contacts::what_was_done_to_a_copy_survives_the_merge,
    contacts::receipts_of_nothing_are_bounded,
    media::a_medium_is_fetched_once_and_kept,
    media::media_go_with_their_messages,
    media::what_is_old_or_too_much_is_named,
    media::media_states_are_the_codes,
    media::a_medium_is_given_again_and_brought,
    media::media_are_claimed_by_origin_and_share,
    jobs::what_a_newer_program_left_stands_aside,
    jobs::a_line_is_looked_at_by_lane,
    deliveries::webhooks_keep_their_secret,
    deliveries::attempts_are_kept,
    deliveries::no_delivery_is_claimed_twice,
    deliveries::no_delivery_crosses_accounts,
    deliveries::a_long_line_holds_no_other_up,
    deliveries::what_cannot_be_posted_has_failed,
    deliveries::commits_ring_for_deliveries,
    deliveries::a_step_of_the_clock_makes_nothing_late,
    device::operations,
    device::updates_are_atomic,
    device::instances_do_not_see_each_other,
    device::round_trips_are_few,
    system::accounts_and_users,
    system::leases_are_fenced,
    system::a_lost_lease_changes_nothing,
    system::only_what_may_start_is_started,
    system::guests_expire,
    system::guests_end_once_and_no_other_account,
    system::undone_accounts_can_be_made_again,
    system::a_node_that_starts_clears_what_it_left,
    system::generations_rise_and_ends_move,
    system::jwt_keys_are_kept,
    system::other_nodes_leases_are_seen,
    system::a_write_is_proven,
    usage::the_last_use_never_goes_back,
    usage::a_new_network_is_news_once,
    usage::a_credential_that_travels_fills_no_disk,
    usage::a_sum_of_refusals_grows_in_its_row,
    keys::programs_that_start_at_once_make_one_jwt_key,
    keys::jwt_keys_overlap_and_go,
    keys::peppers_rotate,
    reseal::data_keys_rotate_while_others_write,
    reseal::damaged_values_stay_and_stop_nothing,
    keys::the_master_key_rotates,
    keys::accounts_made_during_a_master_rotation_open,
    keys::reloading_is_one_statement_when_nothing_changed,
    keys::what_is_weak_is_counted,
    users::a_user_is_kept_and_found,
    users::what_changes_a_user_ends_what_they_have_open,
    users::an_email_has_one_user,
    users::the_second_factor_is_kept,
    users::codes_are_good_once,
    users::turns_are_taken_one_after_another,
    users::keys_rotate_under_the_second_factor,
    user_sessions::a_session_is_opened_and_found,
    user_sessions::what_ends_a_session,
    user_sessions::a_session_moves_to_another_account,
    user_sessions::a_session_goes_on_after_ones_own_change,
    user_sessions::sessions_are_listed_and_ended,
    user_sessions::a_user_has_so_many_sessions_at_most,
    user_sessions::old_sessions_are_pruned,
    links::a_link_is_good_once,
    links::a_newer_link_takes_the_place,
    links::a_link_dies_with_what_it_was_for,
    links::links_are_counted_and_pruned,
    members::members_are_listed_and_changed,
    members::the_last_owner_stays,
    members::of_two_owners_who_leave_at_once_one_stays,
    members::invitations_are_listed_and_withdrawn,
    members::who_is_shown_out_leaves_no_invitation,
    members::no_member_crosses_accounts,
}
