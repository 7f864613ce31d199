-- What phones send of their past.

-- Frames that came, until their link is over. The bytes of one that waits are in the spool of its node.
CREATE TABLE history_frame (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    -- The same for the same frame, however often it comes.
    digest      TEXT NOT NULL,
    node        TEXT NOT NULL,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    chunk_order BIGINT,
    progress    BIGINT,
    request     TEXT,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'stored', 'damaged', 'gone')),
    -- How often it came.
    times       BIGINT NOT NULL DEFAULT 1,
    came_at     BIGINT NOT NULL,
    PRIMARY KEY (instance_id, digest),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX history_frame_waiting ON history_frame (node, came_at, digest) WHERE state = 'waiting';

-- The messages in which the phone said that a frame is to be fetched.
CREATE TABLE history_notice (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    id          TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- How an instance stands with it.
CREATE TABLE history_sync (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    -- When anything of it came last.
    last_at     BIGINT NOT NULL,
    -- 1: nothing has come for a while, so that what is missing is.
    settled     BIGINT NOT NULL DEFAULT 0,
    -- What was told to be missing last.
    told        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (instance_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX history_sync_open ON history_sync (last_at, instance_id) WHERE settled = 0;

-- 1: it is of the past, and nobody was told of it.
ALTER TABLE message ADD COLUMN past BIGINT NOT NULL DEFAULT 0;
