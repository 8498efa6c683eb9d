"""A council's safeguarding guides as versioned data, and confidential reporting of concerns about children."""

import sys

# httpx imports its own command line if click, rich and pygments are installed. The import takes a tenth of the start-up
# time, and nothing here uses that command line. The value None makes the import fail: httpx then works without it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None is documented, but not typed
