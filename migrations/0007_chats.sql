-- What phones keep of chats and of people: put away, pinned, silenced, read, cleared; names.

-- Whether it is in the list: it has had a message since it was deleted, or the phone has something of it.
ALTER TABLE chat ADD COLUMN listed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN archived BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN pinned BIGINT NOT NULL DEFAULT 0;
-- Until when it makes no sound; 0: it does, -1: never again.
ALTER TABLE chat ADD COLUMN muted_until BIGINT NOT NULL DEFAULT 0;
-- How many messages nobody has read yet; and that somebody has marked it so, whatever there is to read.
ALTER TABLE chat ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN marked_unread BIGINT NOT NULL DEFAULT 0;
-- What is older was read, or was cleared, when it comes late: the beginning of a second, for WhatsApp counts in those.
ALTER TABLE chat ADD COLUMN read_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN cleared_until BIGINT NOT NULL DEFAULT 0;
-- The last message that it shows, and its time, which stays when that is cleared: lists go by it.
ALTER TABLE chat ADD COLUMN last_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN last_key TEXT;
CREATE INDEX chat_list ON chat (instance_id, last_at, id) WHERE listed = 1;
CREATE INDEX chat_archived ON chat (instance_id, last_at, id) WHERE listed = 1 AND archived = 1;
CREATE INDEX chat_last ON chat (last_key) WHERE last_key IS NOT NULL;

-- Of others: nobody has read it yet. Of any: it went with the chat that was cleared.
ALTER TABLE message ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0;
CREATE INDEX message_unread ON message (instance_id, chat_id, at) WHERE unread = 1;
DROP INDEX message_chat;
CREATE INDEX message_chat ON message (instance_id, chat_id, at, created_at, key);

-- Names: of the phone's address book, the one that a person goes by, a business's own. Those that are searched are kept
-- in lower case as well.
ALTER TABLE contact ADD COLUMN full_name TEXT;
ALTER TABLE contact ADD COLUMN first_name TEXT;
ALTER TABLE contact ADD COLUMN saved_lower TEXT;
ALTER TABLE contact ADD COLUMN push_name TEXT;
ALTER TABLE contact ADD COLUMN push_lower TEXT;
ALTER TABLE contact ADD COLUMN business_name TEXT;
CREATE INDEX contact_page ON contact (instance_id, id);

-- Chats that were there before have their last message, and nothing in them counts as unread.
UPDATE chat SET last_key = (SELECT m.key FROM message m JOIN message_content c ON c.message_key = m.key
    WHERE m.instance_id = chat.instance_id AND m.chat_id = chat.id AND c.kind NOT IN ('reaction', 'edit', 'revoke', 'vote')
    ORDER BY m.at DESC, m.created_at DESC, m.key DESC LIMIT 1);
UPDATE chat SET listed = 1, last_at = (SELECT m.at FROM message m WHERE m.key = chat.last_key) WHERE last_key IS NOT NULL;
UPDATE contact SET push_name = (SELECT m.push_name FROM message m WHERE m.instance_id = contact.instance_id
    AND m.sender_id = contact.id AND m.direction = 'in' AND m.push_name IS NOT NULL ORDER BY m.at DESC LIMIT 1);
UPDATE contact SET push_lower = LOWER(push_name) WHERE push_name IS NOT NULL;
