"""Anchors of headings, as hosts of repositories make them, so that one link works in both places."""

import re


def slugify(heading: str, separator: str = "-") -> str:
    """Return the anchor of the heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)
