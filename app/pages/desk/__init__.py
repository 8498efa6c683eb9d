"""The pages of the desk, where the duty team works."""
