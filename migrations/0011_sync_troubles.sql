-- What an instance does not hear any more of what its account's devices tell each other, by WhatsApp's name of the
-- collection, until it follows again.
CREATE TABLE sync_trouble (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    collection  TEXT NOT NULL,
    cause       TEXT NOT NULL CHECK (cause IN ('broken', 'refused')),
    -- How often it was fetched anew.
    tries       BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    PRIMARY KEY (instance_id, collection),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- Whether the instance has any: a look at how it stands asks for no rows where there are none.
ALTER TABLE instance ADD COLUMN troubled BIGINT NOT NULL DEFAULT 0;
