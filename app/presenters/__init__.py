"""Presenters: what models look like as documents. A model goes in, a text or a file comes out."""
