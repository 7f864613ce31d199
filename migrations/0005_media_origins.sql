-- From where the bytes of a medium that is awaited come: url (a caller's address) or whatsapp. Each is fetched by
-- workers of its own; neither waits for the other. NULL of what is not awaited.
ALTER TABLE medium ADD COLUMN origin TEXT;
-- What was awaited before is fetched beside what comes in from WhatsApp, this once.
UPDATE medium SET origin = 'whatsapp' WHERE state = 'awaited';
DROP INDEX medium_due;
CREATE INDEX medium_due ON medium (origin, next_at) WHERE state = 'awaited' AND next_at IS NOT NULL;
