DROP INDEX ix_concerns_assigned_urgency

DROP INDEX ix_concerns_changed

DROP INDEX ix_concerns_closed

DROP INDEX ix_concerns_danger_urgency

DROP INDEX ix_concerns_acknowledged

DROP INDEX ix_concerns_guide_urgency

DROP INDEX ix_concerns_state_urgency

DROP INDEX ix_concerns_urgency

DROP INDEX ix_concerns_received

CREATE INDEX ix_concerns_assigned_urgency ON concerns (assigned_to, waiting, danger, due, reference, state, immediate_danger, guide, changed_at, test)

CREATE INDEX ix_concerns_changed ON concerns (changed_at, reference, waiting, danger, due, state, immediate_danger, guide, assigned_to, test)

CREATE INDEX ix_concerns_closed ON concerns (closed_at, test)

CREATE INDEX ix_concerns_danger_urgency ON concerns (immediate_danger, waiting, danger, due, reference, state, guide, assigned_to, changed_at, test)

CREATE INDEX ix_concerns_acknowledged ON concerns (acknowledged_at, acknowledge_by, test)

CREATE INDEX ix_concerns_tests ON concerns (waiting, danger, due, reference) WHERE test IS 1

CREATE INDEX ix_concerns_unacknowledged ON concerns (acknowledge_by, received_at) WHERE state = 'received' AND test IS 0

CREATE INDEX ix_concerns_guide_urgency ON concerns (guide, waiting, danger, due, reference, state, immediate_danger, assigned_to, changed_at, test)

CREATE INDEX ix_concerns_state_urgency ON concerns (state, waiting, danger, due, reference, immediate_danger, guide, assigned_to, changed_at, test)

CREATE INDEX ix_concerns_urgency ON concerns (waiting, danger, due, reference, state, immediate_danger, guide, assigned_to, changed_at, test)

CREATE INDEX ix_concerns_received ON concerns (received_at, reference, waiting, danger, due, state, immediate_danger, guide, assigned_to, changed_at, test)
