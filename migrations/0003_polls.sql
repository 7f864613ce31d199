-- Votes in polls, and which receipts have no message.

-- Of each person the last vote in a poll. A poll is known by its chat, its id and who made it.
CREATE TABLE poll_vote (
    account_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    chat_id     TEXT NOT NULL,
    message_id  TEXT NOT NULL,
    -- Contacts.
    author_id   TEXT NOT NULL,
    voter_id    TEXT NOT NULL,
    -- The words of the options, as a JSON array; an empty one is a vote that was taken back.
    options     TEXT NOT NULL,
    -- When, by the clock of who voted, but no later than it arrived: a later one counts.
    at          BIGINT NOT NULL,
    PRIMARY KEY (instance_id, message_id, chat_id, author_id, voter_id),
    FOREIGN KEY (account_id, instance_id) REFERENCES instance (account_id, id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX poll_vote_chat ON poll_vote (instance_id, chat_id);
CREATE INDEX poll_vote_author ON poll_vote (instance_id, author_id);
CREATE INDEX poll_vote_voter ON poll_vote (instance_id, voter_id);

-- Whether no message with this id was in this chat when the receipt came: anybody can say so of ids that never were,
-- and such rows are bounded and go.
ALTER TABLE receipt ADD COLUMN unmatched BIGINT NOT NULL DEFAULT 0;
CREATE INDEX receipt_unmatched ON receipt (instance_id, chat_id) WHERE unmatched = 1;
