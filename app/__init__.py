"""A council's safeguarding guidance as versioned data, and concerns about children taken in confidence."""

import sys

# httpx imports its own command line if it can, with click, rich and pygments: a tenth of a start, and nothing here uses
# it. None makes that import fail, and httpx continues without it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is documented, but not typed
