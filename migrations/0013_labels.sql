-- The labels of an account, by which its owner sorts chats. One that is deleted keeps its id, which is given once.
CREATE TABLE chat_label (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    id          TEXT NOT NULL,
    -- The id as a number, or 0.
    number      BIGINT NOT NULL,
    name        TEXT NOT NULL,
    color       BIGINT NOT NULL,
    listed      BIGINT NOT NULL,
    PRIMARY KEY (instance_id, id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);

-- Which chats have them.
CREATE TABLE chat_labelled (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    label_id    TEXT NOT NULL,
    PRIMARY KEY (instance_id, chat_id, label_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX chat_labelled_label ON chat_labelled (instance_id, label_id);
