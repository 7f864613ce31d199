-- The first schema. One text for SQLite and PostgreSQL, so: TEXT, BIGINT and BYTEA only; times are
-- milliseconds since 1970 in BIGINT, booleans 0/1 in BIGINT, JSON is TEXT. Never edited after release.
--
-- Tables below an account repeat account_id and refer to (account_id, id): a row that names the
-- instance of another account cannot be written, whatever the program does. Updates cascade along one
-- path (a delivery refers to its event by id alone), so that a claimed guest session moves to its
-- shop whole.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    n     BIGINT NOT NULL,
    value BYTEA
);

-- The keys that seal what belongs to no account, wrapped by the master key. The newest seals.
CREATE TABLE system_key (
    version    BIGINT NOT NULL PRIMARY KEY,
    wrapped    BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- Of peppers and JWT keys, created_at is when one begins to sign: a little after it was made, so that
-- every process has read it by then.
CREATE TABLE pepper (
    id         TEXT NOT NULL PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE jwt_key (
    kid        TEXT NOT NULL PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE account (
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    language    TEXT NOT NULL,
    -- The number of the newest instance; never goes back, so that numbers are never reused.
    last_number BIGINT NOT NULL,
    -- JWTs carry it; raising it signs out everywhere.
    generation  BIGINT NOT NULL,
    expires_at  BIGINT,
    -- The network (/32 or /64) that opened a guest account, for the cap per network.
    origin      TEXT,
    created_at  BIGINT NOT NULL
);
CREATE INDEX account_guest ON account (expires_at) WHERE kind = 'guest';

CREATE TABLE account_key (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    wrapped    BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, version)
);

-- People who sign in. Global: one person may be a member of several accounts.
CREATE TABLE app_user (
    id            TEXT NOT NULL PRIMARY KEY,
    -- Lower-cased by the program.
    email         TEXT NOT NULL UNIQUE,
    -- PHC string of Argon2id.
    password_hash TEXT NOT NULL,
    -- Runs the whole gateway.
    operator      BIGINT NOT NULL,
    -- en, pt-BR or es.
    language      TEXT NOT NULL,
    -- Sessions and JWTs carry it; raising it ends them all.
    generation    BIGINT NOT NULL,
    -- The seed of the second factor; null is none. `totp_pending` was begun and not confirmed yet.
    totp          BYTEA,
    totp_pending  BYTEA,
    -- The time step of the newest code that was used: neither it nor an older one counts again.
    totp_step     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_login_at BIGINT
);

-- Codes for a lost second factor, each good once. 120 random bits, so a plain hash is enough.
CREATE TABLE recovery_code (
    user_id TEXT NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    lookup  BYTEA NOT NULL,
    PRIMARY KEY (user_id, lookup)
);

CREATE TABLE membership (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id)
);
CREATE INDEX membership_user ON membership (user_id);

-- A person who is signed in, acting in one account. Dies with the membership, and when either
-- generation is no longer the one that it was made under.
CREATE TABLE user_session (
    id                 TEXT NOT NULL PRIMARY KEY,
    user_id            TEXT NOT NULL,
    account_id         TEXT NOT NULL,
    -- SHA-256 of the cookie, which is 256 random bits.
    lookup             BYTEA NOT NULL UNIQUE,
    user_generation    BIGINT NOT NULL,
    account_generation BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    -- To within some minutes.
    seen_at            BIGINT NOT NULL,
    -- When the password was last asked for inside the session.
    proven_at          BIGINT,
    -- How often it moved to another account: JWTs of before stay dead when it comes back.
    switches           BIGINT NOT NULL,
    -- Where it was opened: address, and what the browser calls itself.
    address            TEXT,
    agent              TEXT,
    FOREIGN KEY (account_id, user_id) REFERENCES membership (account_id, user_id) ON DELETE CASCADE
);
CREATE INDEX user_session_user ON user_session (user_id);
CREATE INDEX user_session_membership ON user_session (account_id, user_id);
CREATE INDEX user_session_age ON user_session (created_at);

-- Where people have signed in from, a while back: who comes from there is no stranger.
CREATE TABLE user_network (
    user_id TEXT NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    -- /32 or /64.
    network TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX user_network_age ON user_network (seen_at);

-- Links that are sent to people: each good once and for a short time. Used ones stay a while, so that
-- the second click is told what happened.
CREATE TABLE user_link (
    id         TEXT NOT NULL PRIMARY KEY,
    -- setup, signup, invite, reset or email.
    kind       TEXT NOT NULL,
    -- SHA-256 of the token, which is 256 random bits.
    lookup     BYTEA NOT NULL UNIQUE,
    -- Whom it was sent to; of `email` the new address. Null for setup.
    email      TEXT,
    -- Of an invitation: where to, as what, and by whom (null: the operator).
    account_id TEXT REFERENCES account (id) ON DELETE CASCADE,
    role       TEXT,
    made_by    TEXT REFERENCES app_user (id) ON DELETE CASCADE,
    -- Of reset and email: whose password or address; and that person's generation then, so that a link
    -- dies with whatever else changed meanwhile.
    user_id         TEXT REFERENCES app_user (id) ON DELETE CASCADE,
    user_generation BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX user_link_account ON user_link (account_id);
CREATE INDEX user_link_user ON user_link (user_id);
CREATE INDEX user_link_maker ON user_link (made_by);
CREATE INDEX user_link_email ON user_link (email, kind);
CREATE INDEX user_link_age ON user_link (expires_at);

CREATE TABLE instance (
    id                 TEXT NOT NULL PRIMARY KEY,
    account_id         TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    number             BIGINT NOT NULL,
    name               TEXT NOT NULL,
    -- Lower-cased by the program: the databases disagree on what lower case is beyond ASCII.
    name_lower         TEXT NOT NULL,
    origin             TEXT NOT NULL,
    labels             TEXT NOT NULL,
    reject_calls       BIGINT NOT NULL,
    auto_read_messages BIGINT NOT NULL,
    -- How it behaves otherwise, as JSON.
    settings           TEXT NOT NULL,
    state              TEXT NOT NULL,
    reason             TEXT,
    paired             BIGINT NOT NULL,
    wanted             BIGINT NOT NULL,
    phone              TEXT,
    jid                TEXT,
    lid                TEXT,
    push_name          TEXT,
    business_name      TEXT,
    -- Orders the instance's events and jobs.
    last_seq           BIGINT NOT NULL,
    lease_owner        TEXT,
    lease_until        BIGINT,
    lease_fence        BIGINT NOT NULL,
    connected_at       BIGINT,
    -- What it is paid for. The status follows from these times; nobody has to flip it.
    subscription_id    TEXT,
    trial_until        BIGINT,
    paid_until         BIGINT,
    cancel_at          BIGINT,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL,
    UNIQUE (account_id, id),
    UNIQUE (account_id, number)
);
CREATE INDEX instance_lease ON instance (lease_owner) WHERE lease_owner IS NOT NULL;

CREATE TABLE credential (
    id           TEXT NOT NULL PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind         TEXT NOT NULL,
    instance_id  TEXT,
    parent_id    TEXT,
    label        TEXT,
    -- HMAC-SHA-256 of the token under the pepper; the token itself is in `sealed`, if anywhere.
    lookup       BYTEA NOT NULL UNIQUE,
    pepper_id    TEXT NOT NULL REFERENCES pepper (id),
    sealed       BYTEA,
    hint         TEXT NOT NULL,
    -- Comma-separated networks it may be used from; null is any.
    cidrs        TEXT,
    -- Comma-separated ids of the instances it may be used for; null is all. Ids are never reused, so
    -- one that is gone opens nothing.
    instances    TEXT,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    not_after    BIGINT,
    -- Until when a rotated one still holds.
    grace_until  BIGINT,
    revoked_at   BIGINT,
    UNIQUE (account_id, id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (account_id, parent_id) REFERENCES credential (account_id, id) ON DELETE CASCADE
);
CREATE INDEX credential_of ON credential (account_id, kind, instance_id);
CREATE INDEX credential_instance ON credential (account_id, instance_id);
CREATE INDEX credential_parent ON credential (account_id, parent_id);
CREATE INDEX credential_pepper ON credential (pepper_id);

-- Where a credential has been used from, so that a new network is noticed.
CREATE TABLE credential_network (
    account_id    TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    network       TEXT NOT NULL,
    first_at      BIGINT NOT NULL,
    PRIMARY KEY (credential_id, network),
    FOREIGN KEY (account_id, credential_id) REFERENCES credential (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- Owner JWTs that were revoked one by one; a row is needed until the token would have expired.
CREATE TABLE jwt_revoked (
    jti        TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX jwt_revoked_end ON jwt_revoked (expires_at);
CREATE INDEX jwt_revoked_account ON jwt_revoked (account_id);

CREATE TABLE webhook (
    id            TEXT NOT NULL PRIMARY KEY,
    account_id    TEXT NOT NULL,
    -- Null: of all instances of the account.
    instance_id   TEXT,
    -- Among those of the instance, or of the account; 0 is the one of the contract's routes.
    place         BIGINT NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,
    sealed_secret BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    UNIQUE (instance_id, place),
    FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE,
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX webhook_of_account ON webhook (account_id, place) WHERE instance_id IS NULL;
CREATE INDEX webhook_account ON webhook (account_id, instance_id);

-- People that an instance has had to do with. `address` is the one to show: the number where it is known.
CREATE TABLE contact (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    address     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX contact_of ON contact (account_id, instance_id);

-- By which numbers, ids and usernames each is known.
CREATE TABLE contact_alias (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    address     TEXT NOT NULL,
    contact_id  TEXT NOT NULL,
    PRIMARY KEY (instance_id, address),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX contact_alias_of ON contact_alias (contact_id);

-- A chat with a person is known by whatever the person is known by; others have one address.
CREATE TABLE chat (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    contact_id  TEXT,
    address     TEXT,
    created_at  BIGINT NOT NULL,
    UNIQUE (instance_id, contact_id),
    UNIQUE (instance_id, address),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- No foreign key to chat and contact: all three go with their instance.
CREATE TABLE message (
    key         TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    id          TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    sender_id   TEXT NOT NULL,
    -- As the message itself named them: what answers to it must name them in the same way.
    wire_chat   TEXT NOT NULL,
    wire_sender TEXT NOT NULL,
    direction   TEXT NOT NULL,
    push_name   TEXT,
    status      TEXT NOT NULL,
    -- Of ours: when WhatsApp's server took it.
    sent_at     BIGINT,
    -- Why it failed: a code of ours or of WhatsApp's, and its meaning for a person.
    code        TEXT,
    reason      TEXT,
    -- Of ours: a number that is unique in the account, and the digest of what the caller asked for.
    queue_id    BIGINT,
    digest      TEXT,
    -- Of ours: whether it may ever have been on the wire, under this or an earlier job.
    tried       BIGINT NOT NULL DEFAULT 0,
    at          BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (instance_id, chat_id, id, sender_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX message_out ON message (instance_id, id) WHERE direction = 'out';
CREATE INDEX message_own ON message (account_id, id) WHERE direction = 'out';
CREATE INDEX message_id ON message (instance_id, id);
CREATE INDEX message_chat ON message (instance_id, chat_id, at);
CREATE INDEX message_chat_out ON message (instance_id, chat_id, at, key) WHERE direction = 'out';
CREATE INDEX message_sender ON message (instance_id, sender_id);
CREATE UNIQUE INDEX message_queue ON message (account_id, queue_id) WHERE queue_id IS NOT NULL;

-- What a message holds. `proto` is sealed: of ours the finished message, as each try sends it; of others'
-- what they wrote, without wrappers.
CREATE TABLE message_content (
    message_key TEXT NOT NULL PRIMARY KEY REFERENCES message (key) ON DELETE CASCADE,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    kind        TEXT NOT NULL,
    text        TEXT,
    proto       BYTEA,
    -- Of ours: what can be chosen of it by number, as JSON.
    options     TEXT,
    -- Of an edit: the message that it changed, whose deletion takes the edit's content, too.
    about       TEXT,
    -- An edit changes text and proto; a deletion for everybody takes both away.
    edited_at   BIGINT,
    deleted_at  BIGINT,
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX message_content_of ON message_content (account_id, instance_id);
CREATE INDEX message_content_about ON message_content (instance_id, about) WHERE about IS NOT NULL;

-- The last queue number of each account.
CREATE TABLE queue_number (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    last       BIGINT NOT NULL
);

-- Who has received and read what, each once: WhatsApp tells it again after a crash.
CREATE TABLE receipt (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    -- A contact.
    reader_id   TEXT NOT NULL,
    state       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, message_id, chat_id, reader_id, state),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX receipt_chat ON receipt (instance_id, chat_id);
CREATE INDEX receipt_reader ON receipt (instance_id, reader_id);

-- Which sign each has put on what; null is one that was taken back.
CREATE TABLE reaction (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    -- A contact.
    sender_id   TEXT NOT NULL,
    sign        TEXT,
    -- When, by the clock of who did it, but no later than it arrived: a later one counts.
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, message_id, chat_id, sender_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX reaction_chat ON reaction (instance_id, chat_id);
CREATE INDEX reaction_sender ON reaction (instance_id, sender_id);

CREATE TABLE event (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (account_id, id),
    UNIQUE (instance_id, seq),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE delivery (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    -- No foreign key: the log outlives its webhook.
    webhook_id  TEXT NOT NULL,
    -- pending, delivered or failed.
    state       TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    last_status BIGINT,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (account_id, id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (event_id) REFERENCES event (id) ON DELETE CASCADE
);
-- What waits, by webhook, so that a long line of one can be passed over; and what is under way.
CREATE INDEX delivery_waiting ON delivery (webhook_id, next_at, id) WHERE state = 'pending' AND lease_until IS NULL;
CREATE INDEX delivery_leased ON delivery (lease_until, webhook_id) WHERE state = 'pending' AND lease_until IS NOT NULL;
CREATE INDEX delivery_list ON delivery (instance_id, created_at);
CREATE INDEX delivery_event ON delivery (account_id, event_id);

CREATE TABLE delivery_attempt (
    account_id  TEXT NOT NULL,
    delivery_id TEXT NOT NULL,
    number      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status      BIGINT,
    error       TEXT,
    PRIMARY KEY (delivery_id, number),
    FOREIGN KEY (account_id, delivery_id) REFERENCES delivery (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE job (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    -- What it is about, and in which form: a node passes over what it does not know.
    kind        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    message_id  TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    -- To where it goes.
    address     TEXT NOT NULL,
    -- Whether it may have been on the wire.
    tried       BIGINT NOT NULL,
    -- Tries that ended with a fault or a refusal, and those that got no answer at all.
    attempts    BIGINT NOT NULL,
    silences    BIGINT NOT NULL,
    -- The last refusal.
    code        TEXT,
    -- When it may go out, by the wall clock; 0 is at once.
    run_at      BIGINT NOT NULL,
    -- Until when its first try must begin, by the wall clock; null is for ever.
    valid_until BIGINT,
    -- When it joins the line; never changes. Orders with `seq`.
    first_due   BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    UNIQUE (instance_id, seq),
    UNIQUE (instance_id, message_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX job_line ON job (instance_id, first_due, seq);
CREATE INDEX job_due ON job (instance_id, run_at);

-- What the WhatsApp device of an instance remembers: keys, sessions, settings. `value` is sealed.
-- `key` is bytes, so that a prefix is a range in both databases.
CREATE TABLE device (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    space       TEXT NOT NULL,
    key         BYTEA NOT NULL,
    n           BIGINT NOT NULL,
    value       BYTEA NOT NULL,
    PRIMARY KEY (instance_id, space, key),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE audit (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX audit_list ON audit (account_id, at, id);
CREATE INDEX audit_age ON audit (at);

-- `epoch` rises with every change that makes a cache stale, `keys` with those of keys alone.
INSERT INTO meta (name, n) VALUES ('epoch', 0);
INSERT INTO meta (name, n) VALUES ('keys', 0);
-- Held by who counts something and then does it, one after another.
INSERT INTO meta (name, n) VALUES ('turn', 0);
