-- When somebody's security code changed last: another phone, or WhatsApp installed anew.
ALTER TABLE contact ADD COLUMN identity_changed_at BIGINT;

-- Messages that came and could not be read. Those that came again are messages like any other.
CREATE TABLE unreadable (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, chat_id, message_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
