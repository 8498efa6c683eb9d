CREATE STATISTICS st_concerns_urgency (mcv) ON state, immediate_danger, waiting, danger, test FROM concerns

ANALYZE concerns
