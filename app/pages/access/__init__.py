"""Web pages for signing in to the desk, for the people at the desk, and for their copies of the team's key."""
