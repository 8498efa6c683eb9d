"""Record that every page passed the tests with axe: `make accessibility` runs this after them."""

import datetime as dt

from app.pages.accessibility import RUN_FILE, write_run

if __name__ == "__main__":
    write_run(dt.datetime.now(dt.UTC).date())
    print(RUN_FILE)  # noqa: T201  # a program
