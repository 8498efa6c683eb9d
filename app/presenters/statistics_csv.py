"""Statistics as CSV (RFC 4180)."""

import csv
import io
from collections.abc import Iterable

from app.services.desk.figures import SMALLEST_COUNT, Figure

STATISTICS_COLUMNS = ("month", "measure", "value", "concerns")
NO_VALUE = "(none)"
HIDDEN = f"fewer than {SMALLEST_COUNT}, or hidden with such a figure"


def statistics_csv(figures: Iterable[Figure]) -> bytes:
    """Return the figures in UTF-8, with a header row. Every value is a code of this service."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(STATISTICS_COLUMNS)
    for month, measure, value, count in figures:
        writer.writerow([month, measure, NO_VALUE if value is None else value, HIDDEN if count is None else count])
    return sheet.getvalue().encode()
