-- Media: what is known of each, and where its bytes lie. The bytes themselves lie in files, sealed as
-- WhatsApp seals them; what they are sealed under is in `secret`, sealed.
CREATE TABLE medium (
    id          TEXT NOT NULL PRIMARY KEY,
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    -- Null of an upload: messages that name it have rows of their own.
    message_key TEXT REFERENCES message (key) ON DELETE CASCADE,
    class       TEXT NOT NULL,
    mime        TEXT NOT NULL,
    file_name   TEXT,
    -- awaited, kept, gone or failed.
    state       TEXT NOT NULL,
    -- Of the plain bytes; of what is not kept, as its sender says.
    length      BIGINT,
    -- The file with the sealed bytes, while they are kept. Several rows may name one.
    object      TEXT,
    secret      BYTEA NOT NULL,
    -- Why the bytes are not here.
    error       TEXT,
    attempts    BIGINT NOT NULL,
    -- When the bytes are to be fetched; null is when somebody asks for them.
    next_at     BIGINT,
    -- When they were last brought to WhatsApp.
    uploaded_at BIGINT,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT NOT NULL,
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX medium_of ON medium (account_id, instance_id);
CREATE UNIQUE INDEX medium_message ON medium (message_key) WHERE message_key IS NOT NULL;
CREATE INDEX medium_due ON medium (next_at) WHERE state = 'awaited' AND next_at IS NOT NULL;
CREATE INDEX medium_object ON medium (object) WHERE object IS NOT NULL;
CREATE INDEX medium_age ON medium (used_at) WHERE object IS NOT NULL;
