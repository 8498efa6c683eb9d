"""A council's safeguarding guidance as versioned data, and concerns about children taken in confidence."""

import sys

# If possible, httpx imports its own command line with click, rich and pygments. That takes a tenth of the start-up
# time, and nothing here uses it. The value None makes that import fail, and httpx continues without its command line.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is documented, but not typed
