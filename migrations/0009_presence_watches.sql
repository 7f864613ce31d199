-- Whose coming and going an instance hears of: WhatsApp forgets it with each connection.
CREATE TABLE presence_watch (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    address     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (instance_id, address),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
