"""The documents of the open data, made from what is published."""
