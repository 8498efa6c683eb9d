"""Contacts and signposts can be reached, and are written alike wherever they are written."""

import re

import pytest
from pydantic import ValidationError

from app.models.guides.contacts import Contact, Phone
from app.models.guides.items import DefinitionSource
from app.models.guides.signposts import Signpost, SignpostScope
from app.models.guides.written_checks import DEAD_FORMS, find_warnings
from app.services.guides.presenters import citation_text, phone_text
from tests.support.clock import A_TUESDAY
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

CONTACT = an_edition().contacts[0].model_dump()
SIGNPOST = {
    "id": "helpline",
    "name": "Helpline",
    "description": "Call to talk.",
    "kind": "telephone",
    "phones": ({"number": "999", "display": "999"},),
    "scope": SignpostScope.NATIONAL,
    "source": "A leaflet.",
}


@for_each(("model", "words", "called"), [(Contact, CONTACT, "contact"), (Signpost, SIGNPOST, "signpost")])
@for_each(("kind", "needs"), [("telephone", "needs at least one number in `phones`"), ("web", "needs a `url`")])
def test_what_cannot_be_reached_in_its_own_way_is_refused(
    model: type[Contact | Signpost], words: dict[str, object], called: str, kind: str, needs: str
) -> None:
    model.model_validate(words)

    with pytest.raises(ValidationError, match=f"a {kind} {called} {needs}"):
        model.model_validate(words | {"kind": kind, "phones": (), "url": None})


@pytest.mark.parametrize(
    ("number", "option", "whole", "pressed"),
    [
        ("01225 396312", None, "01225 396312 (+441225396312)", ""),
        ("01225 396312", "1", "01225 396312 (+441225396312), option 1", " (option 1)"),
        ("+441225396312", "1", "+441225396312, option 1", " (option 1)"),
    ],
)
def test_a_number_is_written_as_printed_as_dialled_and_with_its_option(
    number: str, option: str | None, whole: str, pressed: str
) -> None:
    phone = Phone(number="+441225396312", display=number, option=option)

    assert (phone_text(phone), phone.option_text) == (whole, pressed)


@pytest.mark.parametrize(
    ("citation", "written"), [("As printed.", "As printed."), (None, "A department, May 2017. A title")]
)
def test_a_source_is_cited_as_printed_or_from_its_parts(citation: str | None, written: str) -> None:
    source = DefinitionSource(
        citation=citation, title="A title", publisher="A department", published="May 2017", url="https://gov.example/"
    )

    assert citation_text(source) == written


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


def test_every_dead_form_has_an_example_and_no_live_address_is_dead() -> None:
    assert {sentence for each in (*EMAILS, *PAGES) for sentence in expected(each)} == set(DEAD_FORMS.values())
    assert not any(map(expected, ("https://www.gov.uk/report-child-abuse", "duty@council.gov.uk", "101@police.uk")))
