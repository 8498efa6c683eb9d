"""Record that every page passed the tests with axe: `make accessibility` runs this after them."""

import datetime as dt
import json
from pathlib import Path

from app.pages.accessibility import RUN_FILE, digest_of_pages


def write_run(day: dt.date, file: Path = RUN_FILE) -> None:
    file.write_text(json.dumps({"tested_on": day.isoformat(), "pages": digest_of_pages()}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_run(dt.datetime.now(dt.UTC).date())
    print(RUN_FILE)  # noqa: T201  # a program
