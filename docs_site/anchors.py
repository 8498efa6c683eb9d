"""Anchors of headings in the format of repository hosts, so that one link works in both places."""

import re


def slugify(heading: str, separator: str = "-") -> str:
    """Return the anchor of the heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)
