"""API routes of the duty team's desk."""
