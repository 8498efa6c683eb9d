"""Web pages of the duty team's desk."""
