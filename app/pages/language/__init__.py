"""The languages of the pages: one catalogue of sentences, and a file for each language beside English."""
