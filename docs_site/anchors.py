"""Anchors of headings in the format of repository hosts, so that one link works there and on the site."""

import re


def slugify(heading: str, separator: str = "-") -> str:
    """Return the anchor of `heading`, with `separator` in place of each space."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)
