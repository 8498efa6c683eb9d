"""The README says first what matters first, and stays short. `test_samples.py` runs what it shows."""

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = 30
LONGEST_README = 140


def test_the_first_screen_says_999_and_how_to_begin() -> None:
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN])

    assert first_screen.index("call 999") < first_screen.index("make serve")
    assert {"make serve", "make test"} <= set(re.findall(r"^ {4}(make \w+)", first_screen, flags=re.MULTILINE))


def test_the_readme_is_at_most_140_lines() -> None:
    assert len(README.splitlines()) <= LONGEST_README
