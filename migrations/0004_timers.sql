-- Messages of a chat may disappear: after so many seconds (0: never), since when; NULL where nobody ever said.
ALTER TABLE chat ADD COLUMN timer_secs BIGINT;
ALTER TABLE chat ADD COLUMN timer_since BIGINT;
