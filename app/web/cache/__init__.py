"""The response cache of public reads."""
