"""Additions are in the order in which they came: from the tenth on, over pages and in print."""

import io
import re
from typing import Any

import pypdf
import pytest
from starlette.testclient import TestClient

from app.pages.concern import ADDED_ON_PAGE
from tests.support.concerns import Concern, add
from tests.support.desk import press
from tests.support.people import sign_in_as

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MANY = ADDED_ON_PAGE + 2
WORDS = re.compile(r"Word-([0-9]+)-came")
NEXT = re.compile(r'href="([^"]+/additions\?cursor=[^"]+)"')


def raise_with_additions(client: Any, a_concern: Concern) -> str:
    """Raise a concern to which much is added, all at one moment, and return its reference."""
    receipt = client.post("/v1/concerns", json=a_concern()).json()
    for number in range(1, MANY + 1):
        assert add(client, receipt, f"Word-{number}-came").status_code == 201
    return str(receipt["reference"])


def numbers_on_pages(browser: Any, reference: str) -> list[list[int]]:
    """Return the additions of each page, in its order, from the concern's own page to the last."""
    found, path = [], f"/desk/concerns/{reference}"
    while path:
        page = browser.get(path).text
        found.append([int(number) for number in WORDS.findall(page)])
        path = next(iter(NEXT.findall(page)), "")
    return found


IN_ORDER = [list(range(1, ADDED_ON_PAGE + 1)), list(range(ADDED_ON_PAGE + 1, MANY + 1))]


def test_additions_are_in_the_order_in_which_they_came_over_pages_and_in_print(
    client: TestClient, service: Any, a_concern: Concern
) -> None:
    reference = raise_with_additions(client, a_concern)
    sign_in_as(service, client)

    pages = numbers_on_pages(client, reference)
    pdf = pypdf.PdfReader(io.BytesIO(press(client, reference, "export").content))

    printed = [int(number) for page in pdf.pages for number in WORDS.findall(page.extract_text())]
    assert pages == IN_ORDER
    assert printed == [*range(1, MANY + 1)]
