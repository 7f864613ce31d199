-- Whether nobody has said yet that the number of a message is on WhatsApp, and in which form: asked before its first
-- try. Of what was accepted before nobody asks.
ALTER TABLE job ADD COLUMN asks BIGINT NOT NULL DEFAULT 0;
