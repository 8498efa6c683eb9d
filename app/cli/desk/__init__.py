"""Commands of the duty team's desk."""
