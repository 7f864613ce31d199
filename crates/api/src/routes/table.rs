//! The table: what the program answers, a line a row, grouped by prefix. A group's head says on which
//! surface everything at and below its prefixes is, whether or not a row is there.
//!
//! `rustfmt` leaves what is inside of a macro as it is, and so a row stays one line.

use http::Method;

use crate::{
    Surface, dashboard, direct, mcp, ops, rest,
    row::{Group, Operation, route, table},
    web,
};

/// The whole of it.
pub(super) fn groups() -> Vec<Group> {
    table! {
        // The latter two are asked for by clients that take this for an OAuth server; nothing is there.
        Token ["/token", "/introspect", "/revoke", "/register", "/authorize"] {
            POST    "/token"                                      => rest::token::issue,
            POST    "/introspect"                                 => rest::token::introspect,
            POST    "/revoke"                                     => rest::token::revoke,
        }

        Instance ["/account"] {
            GET     "/account"                                    => rest::account::read,
            GET     "/account/audit"                              => rest::audit::read,
            POST    "/account/sign-out"                           => rest::credentials::sign_out,
            GET     "/account/credentials"                        => rest::credentials::list,
            POST    "/account/credentials"                        => rest::credentials::create,
            GET     "/account/credentials/{cid}"                  => rest::credentials::get,
            PATCH   "/account/credentials/{cid}"                  => rest::credentials::change,
            DELETE  "/account/credentials/{cid}"                  => rest::credentials::revoke,
            POST    "/account/credentials/{cid}/rotate"           => rest::credentials::rotate,
            POST    "/account/credentials/{cid}/reveal"           => rest::credentials::reveal,
        }

        Instance ["/instances"] {
            PUT     "/instances/create"                           => rest::instances::create,
            POST    "/instances/list"                             => rest::instances::list,
            POST    "/instances/get"                              => rest::instances::get,
            POST    "/instances/search"                           => rest::instances::search,
            PUT     "/instances/provision"                        => rest::instances::provision,
            GET     "/instances/{id}"                             => rest::instances::read,
            PATCH   "/instances/{id}"                             => rest::instances::update,
            DELETE  "/instances/{id}"                             => rest::instances::delete,

            POST    "/instances/{id}/subscribe"                   => rest::billing::subscribe,
            POST    "/instances/{id}/resume-subscription"         => rest::billing::resume,
            PUT     "/instances/{id}/cancel"                      => rest::billing::cancel,
            DELETE  "/instances/{id}/cancel"                      => rest::billing::cancel,

            GET     "/instances/{id}/session/qr"                  => rest::session::qr,
            GET     "/instances/{id}/session/paircode/{phone}"    => rest::session::pair_code,
            GET     "/instances/{id}/session/status"              => rest::session::status,
            POST    "/instances/{id}/session/disconnect"          => rest::session::disconnect,
            POST    "/instances/{id}/session/logout"              => rest::session::log_out,
            POST    "/instances/{id}/restart"                     => rest::session::restart,

            POST    "/instances/{id}/user/info"                   => rest::users::info,
            POST    "/instances/{id}/user/check"                  => rest::users::check,
            POST    "/instances/{id}/user/avatar"                 => rest::users::avatar,
            POST    "/instances/{id}/user/business"               => rest::users::business::read,
            POST    "/instances/{id}/user/presence"               => rest::users::presence,
            GET     "/instances/{id}/user/blocked"                => rest::users::blocking::list,
            POST    "/instances/{id}/user/block"                  => rest::users::blocking::block,
            POST    "/instances/{id}/user/unblock"                => rest::users::blocking::unblock,
            GET     "/instances/{id}/profile"                     => rest::users::profile::read,
            PATCH   "/instances/{id}/profile"                     => rest::users::profile::change,
            PUT     "/instances/{id}/profile/picture"             => rest::users::profile::set_picture,
            DELETE  "/instances/{id}/profile/picture"             => rest::users::profile::remove_picture,

            POST    "/instances/{id}/chat/send/text"              => rest::chat::send_text,
            POST    "/instances/{id}/chat/send/location"          => rest::chat::send_location,
            POST    "/instances/{id}/chat/send/contact"           => rest::chat::send_contact,
            POST    "/instances/{id}/chat/send/link"              => rest::chat::links::send_link,
            POST    "/instances/{id}/chat/send/buttons"           => rest::chat::links::send_buttons,
            POST    "/instances/{id}/chat/send/list"              => rest::chat::links::send_list,
            POST    "/instances/{id}/chat/send/image"             => rest::chat::media::send_image,
            POST    "/instances/{id}/chat/send/video"             => rest::chat::media::send_video,
            POST    "/instances/{id}/chat/send/gif"               => rest::chat::media::send_gif,
            POST    "/instances/{id}/chat/send/audio"             => rest::chat::media::send_audio,
            POST    "/instances/{id}/chat/send/document"          => rest::chat::media::send_document,
            POST    "/instances/{id}/chat/send/sticker"           => rest::chat::media::send_sticker,
            POST    "/instances/{id}/chat/send/poll"              => rest::chat::polls::send_poll,
            POST    "/instances/{id}/chat/poll/vote"              => rest::chat::polls::vote,
            POST    "/instances/{id}/chat/presence"               => rest::chat::signals::presence,
            POST    "/instances/{id}/chat/markread"               => rest::chat::signals::mark_read,
            POST    "/instances/{id}/chat/react"                  => rest::chat::acts::react,
            DELETE  "/instances/{id}/chat/react"                  => rest::chat::acts::unreact,
            GET     "/instances/{id}/chat/messages/{message_id}"  => rest::chat::read_message,
            PATCH   "/instances/{id}/chat/messages/{message_id}"  => rest::chat::acts::edit,
            DELETE  "/instances/{id}/chat/messages/{message_id}"  => rest::chat::acts::delete,
            POST    "/instances/{id}/chat/messages/{message_id}/forward" => rest::chat::forward::forward,

            GET     "/instances/{id}/queue/messages"              => rest::queue::list_messages,
            DELETE  "/instances/{id}/queue/messages"              => rest::queue::purge_messages,
            DELETE  "/instances/{id}/queue/messages/{message_id}" => rest::queue::remove_message,
            GET     "/instances/{id}/queue/operations"            => rest::queue::list_operations,
            DELETE  "/instances/{id}/queue/operations"            => rest::queue::purge_operations,
            DELETE  "/instances/{id}/queue/operations/{message_id}" => rest::queue::remove_operation,

            GET     "/instances/{id}/group/list"                  => rest::group::list,
            GET     "/instances/{id}/group/info"                  => rest::group::info,
            GET     "/instances/{id}/group/invitelink"            => rest::group::invite_link,
            POST    "/instances/{id}/group/create"                => rest::group::create,
            POST    "/instances/{id}/group/photo"                 => rest::group::photo,
            POST    "/instances/{id}/group/name"                  => rest::group::name,
            POST    "/instances/{id}/group/description"           => rest::group::description,
            POST    "/instances/{id}/group/settings"              => rest::group::settings,
            POST    "/instances/{id}/group/add-admin"             => rest::group::add_admin,
            POST    "/instances/{id}/group/remove-admin"          => rest::group::remove_admin,
            POST    "/instances/{id}/group/add-participants"      => rest::group::members::add,
            POST    "/instances/{id}/group/remove-participants"   => rest::group::members::remove,
            GET     "/instances/{id}/group/requests"              => rest::group::members::requests,
            POST    "/instances/{id}/group/approve-requests"      => rest::group::members::approve,
            POST    "/instances/{id}/group/reject-requests"       => rest::group::members::reject,
            GET     "/instances/{id}/group/preview"               => rest::group::members::preview,
            POST    "/instances/{id}/group/join"                  => rest::group::members::join,
            POST    "/instances/{id}/group/leave"                 => rest::group::members::leave,

            GET     "/instances/{id}/chat/messages/{message_id}/media" => rest::media::read,

            POST    "/instances/{id}/chat/downloadimage"          => rest::chat::downloads::download_image,
            POST    "/instances/{id}/chat/downloadvideo"          => rest::chat::downloads::download_video,
            POST    "/instances/{id}/chat/downloadaudio"          => rest::chat::downloads::download_audio,
            POST    "/instances/{id}/chat/downloaddocument"       => rest::chat::downloads::download_document,

            POST    "/instances/{id}/media"                       => rest::media::upload,

            GET     "/instances/{id}/chats"                       => rest::chats::list,
            GET     "/instances/{id}/chats/{phone}"               => rest::chats::get,
            DELETE  "/instances/{id}/chats/{phone}"               => rest::chats::delete,
            GET     "/instances/{id}/chats/{phone}/messages"      => rest::chats::messages,
            POST    "/instances/{id}/chats/{phone}/history"       => rest::chats::ask_for_older,
            POST    "/instances/{id}/chats/{phone}/archive"       => rest::chats::archive,
            POST    "/instances/{id}/chats/{phone}/unarchive"     => rest::chats::unarchive,
            POST    "/instances/{id}/chats/{phone}/pin"           => rest::chats::pin,
            POST    "/instances/{id}/chats/{phone}/unpin"         => rest::chats::unpin,
            POST    "/instances/{id}/chats/{phone}/mute"          => rest::chats::mute,
            POST    "/instances/{id}/chats/{phone}/unmute"        => rest::chats::unmute,
            POST    "/instances/{id}/chats/{phone}/read"          => rest::chats::mark_read,
            POST    "/instances/{id}/chats/{phone}/unread"        => rest::chats::mark_unread,
            POST    "/instances/{id}/chats/{phone}/clear"         => rest::chats::clear,
            PUT     "/instances/{id}/chats/{phone}/expiration"    => rest::chats::set_expiration,
            PUT     "/instances/{id}/chats/{phone}/labels/{label_id}" => rest::labels::put_on,
            DELETE  "/instances/{id}/chats/{phone}/labels/{label_id}" => rest::labels::take_off,

            GET     "/instances/{id}/labels"                      => rest::labels::list,
            POST    "/instances/{id}/labels"                      => rest::labels::create,
            PATCH   "/instances/{id}/labels/{label_id}"           => rest::labels::change,
            DELETE  "/instances/{id}/labels/{label_id}"           => rest::labels::delete,

            GET     "/instances/{id}/contact/list"                => rest::contacts::list,
            POST    "/instances/{id}/contact/add"                 => rest::contacts::add,
            GET     "/instances/{id}/user/contacts"               => rest::contacts::map,

            GET     "/instances/{id}/webhook"                     => rest::webhook::get,
            POST    "/instances/{id}/webhook"                     => rest::webhook::set,
        }

        Instance ["/media"] {
            GET     "/media/{token}"                              => rest::media::by_link,
        }

        Mcp ["/api/mcp"] {
            POST    "/api/mcp"                                    => mcp::call,
            POST    "/api/mcp/"                                   => mcp::call,
            DELETE  "/api/mcp"                                    => mcp::end,
            DELETE  "/api/mcp/"                                   => mcp::end,
            OPTIONS "/api/mcp"                                    => mcp::preflight,
            OPTIONS "/api/mcp/"                                   => mcp::preflight,
            GET     "/api/mcp"                                    => mcp::no_stream,
            GET     "/api/mcp/"                                   => mcp::no_stream,
        }

        Direct ["/health", "/sessions"] {
            GET     "/health"                                     => direct::health,
            POST    "/sessions"                                   => direct::create,
            GET     "/sessions/{key}"                             => direct::read,
            GET     "/sessions/{key}/qr"                          => direct::qr,
            POST    "/sessions/{key}/messages"                    => direct::send,
            GET     "/sessions/{key}/messages/{message_id}"       => direct::read_message,
            POST    "/sessions/{key}/claim"                       => direct::claim,
        }

        Dashboard ["/login", "/logout", "/dashboard/api"] {
            POST    "/login"                                      => dashboard::login::log_in,
            POST    "/logout"                                     => dashboard::login::log_out,

            GET     "/dashboard/api/state"                        => dashboard::links::state,
            POST    "/dashboard/api/links/look"                   => dashboard::links::look,
            POST    "/dashboard/api/links/use"                    => dashboard::links::use_link,
            POST    "/dashboard/api/signup"                       => dashboard::links::sign_up,
            POST    "/dashboard/api/reset"                        => dashboard::links::reset,

            GET     "/dashboard/api/me"                           => dashboard::me::read,
            PATCH   "/dashboard/api/me"                           => dashboard::me::change,
            POST    "/dashboard/api/confirm"                      => dashboard::login::confirm,
            POST    "/dashboard/api/token"                        => dashboard::login::token,
            GET     "/dashboard/api/sessions"                     => dashboard::me::sessions,
            POST    "/dashboard/api/sessions/end-others"          => dashboard::me::end_other_sessions,
            DELETE  "/dashboard/api/sessions/{sid}"               => dashboard::me::end_session,
            POST    "/dashboard/api/password"                     => dashboard::me::set_password,
            POST    "/dashboard/api/email"                        => dashboard::me::ask_email,
            POST    "/dashboard/api/second-factor"                => dashboard::me::begin_second_factor,
            DELETE  "/dashboard/api/second-factor"                => dashboard::me::remove_second_factor,
            POST    "/dashboard/api/second-factor/confirm"        => dashboard::me::confirm_second_factor,
            POST    "/dashboard/api/second-factor/recovery-codes" => dashboard::me::new_recovery_codes,

            PATCH   "/dashboard/api/account"                      => dashboard::account::change,
            POST    "/dashboard/api/account/switch"               => dashboard::me::switch_account,
            POST    "/dashboard/api/account/sign-out"             => dashboard::account::sign_out,
            GET     "/dashboard/api/audit"                        => dashboard::account::audit,
            GET     "/dashboard/api/members"                      => dashboard::members::list,
            POST    "/dashboard/api/members/invite"               => dashboard::members::invite,
            DELETE  "/dashboard/api/members/invitations/{lid}"    => dashboard::members::withdraw,
            PATCH   "/dashboard/api/members/{uid}"                => dashboard::members::set_role,
            DELETE  "/dashboard/api/members/{uid}"                => dashboard::members::remove,

            GET     "/dashboard/api/credentials"                  => dashboard::credentials::list,
            POST    "/dashboard/api/credentials"                  => dashboard::credentials::create,
            PATCH   "/dashboard/api/credentials/{cid}"            => dashboard::credentials::change,
            DELETE  "/dashboard/api/credentials/{cid}"            => dashboard::credentials::revoke,
            POST    "/dashboard/api/credentials/{cid}/rotate"     => dashboard::credentials::rotate,
            POST    "/dashboard/api/credentials/{cid}/reveal"     => dashboard::credentials::reveal,

            GET     "/dashboard/api/instances"                    => dashboard::instances::list,
            POST    "/dashboard/api/instances"                    => dashboard::instances::create,
            GET     "/dashboard/api/instances/{id}"               => dashboard::instances::read,
            DELETE  "/dashboard/api/instances/{id}"               => dashboard::instances::delete,
            GET     "/dashboard/api/instances/{id}/qr"            => dashboard::instances::qr,
            POST    "/dashboard/api/instances/{id}/pair-code"     => dashboard::instances::pair_code,
            POST    "/dashboard/api/instances/{id}/disconnect"    => dashboard::instances::disconnect,
            POST    "/dashboard/api/instances/{id}/token"         => dashboard::instances::token,
        }

        Ops ["/livez", "/readyz"] {
            GET     "/livez"                                      => ops::live,
            GET     "/readyz"                                     => ops::ready,
        }

        Web ["/", "/dashboard", "/.well-known"] {
            GET     "/"                                           => web::home,
            GET     "/dashboard"                                  => web::index,
            GET     "/dashboard/"                                 => web::index,
            GET     "/dashboard/{*path}"                          => web::file,
            GET     "/.well-known/{*path}"                        => web::well_known,
        }
    }
}
