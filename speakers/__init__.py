"""Sheets on which speakers of a language check its pages: `make speakers LANGUAGE=ur`."""
