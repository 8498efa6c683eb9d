"""Working days, opening hours, and who can be called at a given time."""
