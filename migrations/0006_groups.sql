-- Groups that an instance is in, as it was told of them last.
CREATE TABLE wa_group (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    address     TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- All else but its members, as JSON.
    info        TEXT NOT NULL,
    -- 1: something happened to it that was not told; it is to be asked for.
    stale       BIGINT NOT NULL DEFAULT 0,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (instance_id, address),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX wa_group_name ON wa_group (instance_id, name, address);

-- Who is in them, by the address that the group knows them by.
CREATE TABLE wa_group_member (
    account_id    TEXT NOT NULL,
    instance_id   TEXT NOT NULL,
    group_address TEXT NOT NULL,
    address       TEXT NOT NULL,
    number        TEXT,
    lid           TEXT,
    rank          TEXT NOT NULL CHECK (rank IN ('member', 'admin', 'superadmin')),
    PRIMARY KEY (instance_id, group_address, address),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- Since when all groups of an instance are known here.
CREATE TABLE wa_group_list (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
