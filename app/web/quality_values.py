"""Quality values of `Accept` and of its relatives (RFC 9110, section 12.4.2)."""

import re
from collections.abc import Iterable

QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


def quality_in(parameters: Iterable[str]) -> float:
    """Return the first quality value among the parameters of a range, or 1 where there is none."""
    return next((float(match[1]) for match in map(QUALITY.fullmatch, parameters) if match), 1.0)
