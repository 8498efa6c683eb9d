"""Addresses that lead nowhere any more, or not safely: a warning for each, in a contact and in a source."""

import re

import pytest

from app.models.edition_files import DEAD_FORMS, find_warnings
from tests.support.clock import A_TUESDAY
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

TODAY = A_TUESDAY.date()
EMAILS = ("duty@council.gsi.gov.uk", "duty@council.gcsx.gov.uk", "desk@force.pnn.police.uk")
PAGES = (
    "http://council.example/form",
    "https://mail.council.gse.gov.uk/form",
    "https://www.force.pnn.police.uk/report",
    "https://www.direct.gov.uk/report",
    "https://www.education.gov.uk/report",
    "https://www.everychildmatters.gov.uk/report",
    "https://www.council.example/LSCB/procedures",
    "https://council.example/local-safeguarding-children-s-board/4",
)


def reasons(**changes: object) -> list[str]:
    return [reason for _, reason in find_warnings(an_edition(review_by=TODAY, **changes), TODAY)]


def contact(**ways: str) -> dict[str, object]:
    return {"id": "a-team", "position": 1, "name": "A team", "verified_on": TODAY} | ways


def source_at(url: str) -> dict[str, object]:
    source = {"title": "A title", "publisher": "A publisher", "published": "2017", "url": url}
    return {"id": "a-definition", "kind": "statutory", "text": "Some words.", "source": source}


def expected(address: str) -> list[str]:
    return [sentence for form, sentence in DEAD_FORMS.items() if re.search(form, address)]


@for_each("address", [*EMAILS, *PAGES])
def test_a_dead_address_of_a_contact_is_warned_of(address: str) -> None:
    ways = {"kind": "email", "email": address} if "@" in address else {"kind": "web", "url": address}

    assert reasons(contacts=[contact(**ways)]) == expected(address)
    assert len(expected(address)) == 1


@for_each("address", PAGES)
def test_a_dead_address_of_a_source_is_warned_of(address: str) -> None:
    fine = contact(kind="web", url="https://council.example/form")

    assert reasons(contacts=[fine], definitions=[source_at(address)]) == expected(address)


def test_every_dead_form_has_an_example_here_and_a_living_address_is_none() -> None:
    assert {sentence for each in (*EMAILS, *PAGES) for sentence in expected(each)} == set(DEAD_FORMS.values())
    assert not any(map(expected, ("https://www.gov.uk/report-child-abuse", "duty@council.gov.uk", "101@police.uk")))
