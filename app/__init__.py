"""A council's safeguarding guidance as versioned data, and concerns about children taken in confidence."""
