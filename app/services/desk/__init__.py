"""The duty team's acts."""
