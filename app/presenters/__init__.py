"""Presenters: a model goes in, a document comes out."""
