ALTER TABLE clients ADD COLUMN test BOOLEAN DEFAULT 0 NOT NULL

ALTER TABLE concerns ADD COLUMN test BOOLEAN DEFAULT 0 NOT NULL

DROP TRIGGER concerns_keep_what_was_received

CREATE TRIGGER concerns_keep_what_was_received BEFORE UPDATE ON concerns WHEN NEW.received_at IS DISTINCT FROM OLD.received_at OR NEW.acknowledge_by IS DISTINCT FROM OLD.acknowledge_by OR NEW.guide IS DISTINCT FROM OLD.guide OR NEW.edition IS DISTINCT FROM OLD.edition OR NEW.referral_source IS DISTINCT FROM OLD.referral_source OR NEW.form_version IS DISTINCT FROM OLD.form_version OR NEW.status_token_sha256 IS DISTINCT FROM OLD.status_token_sha256 OR NEW.test IS DISTINCT FROM OLD.test OR OLD.acknowledged_at IS NOT NULL AND NEW.acknowledged_at IS DISTINCT FROM OLD.acknowledged_at OR OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at OR OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at OR OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome OR (CASE NEW.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END < CASE OLD.immediate_danger WHEN 'yes' THEN 2 WHEN 'not_sure' THEN 1 ELSE 0 END) BEGIN SELECT RAISE(ABORT, 'what was received is never altered'); END
