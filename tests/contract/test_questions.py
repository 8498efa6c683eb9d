"""Whoever asks the documents finds the answer: each question has a page and a heading.

`test_site.py` asks the search of the site.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

DOCS = Path(__file__).parents[2] / "docs"
FILES = ("questions.yaml", "questions_unseen.yaml")


class Question(NamedTuple):
    question: str
    page: str
    heading: str


def questions() -> list[Question]:
    """Return the questions of both files. The second is by people who merged no documents."""
    found = [path for name in FILES if (path := Path(__file__).with_name(name)).exists()]
    return [Question(**each) for path in found for each in YAML(typ="safe").load(path.read_text(encoding="utf-8"))]


def headings(page: Path) -> list[str]:
    """Return the headings of a document, outside its code blocks."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)


@for_each("asked", questions())
def test_the_page_of_each_question_has_its_heading(asked: Question) -> None:
    assert asked.heading in headings(DOCS / asked.page)


def test_no_question_is_asked_twice() -> None:
    asked = [each.question for each in questions()]

    assert len(asked) >= 20
    assert sorted({*asked}) == sorted(asked)
