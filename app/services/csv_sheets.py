"""CSV (RFC 4180) in UTF-8. A cell that a spreadsheet would run as a formula gets an apostrophe in front.

It begins with `=`, `+`, `-`, `@` or a full-width form of these, also after blanks and characters that nobody sees, or
with a tab or a line break.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA = re.compile(
    r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
)
CSV_MEDIA = "text/csv; charset=utf-8"


def csv_sheet(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)  # the csv module's default dialect is RFC 4180: commas, double quotes, CRLF
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
    return sheet.getvalue().encode()


def safe_cell(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell
