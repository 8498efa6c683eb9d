"""The fields of the editor's forms take what people write, and say beside the field what they cannot read."""

import re
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.extensions.editing.test_edit_pages import ann as ann  # noqa: PLC0414  # a fixture
from tests.extensions.editing.test_edit_pages import fields_in, stored
from tests.support.drafts import NEW_GUIDE, SEED_GUIDE, writer_of

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PHONE = "contacts.0.phones.0.number"


@pytest.fixture
def contact(ann: Any) -> dict[str, Any]:
    """The form of a new guide with one telephone contact."""
    ann.post("/new", {"title": "County lines"})
    ann.save(NEW_GUIDE, "contacts", ann.open(NEW_GUIDE, "contacts"), "add:contacts")
    fields: dict[str, Any] = ann.open(NEW_GUIDE, "contacts")
    return fields | {"contacts.0.name": "Duty team"}


def fault_beside(page: str, name: str) -> str:
    """Return the error that the page shows beside the field, or an empty string."""
    found = re.search(rf'<p class="fault" id="{re.escape(name)}-fault"[^>]*?( hidden)?>.*?<span>(.*?)</span></p>', page)
    assert found is not None, name
    return "" if found[1] else unescape(found[2])


def test_one_box_for_a_number_gives_both_forms(service: FastAPI, ann: Any, contact: dict[str, Any]) -> None:
    ann.save(NEW_GUIDE, "contacts", contact | {PHONE: "(01632) 960001", "contacts.0.phones.0.option": "2"})

    (saved,) = stored(service, NEW_GUIDE)["contacts"]
    assert saved["phones"] == [{"number": "+441632960001", "display": "(01632) 960001", "option": "2"}]
    assert "Dials +441632960001" in ann.get(f"/{NEW_GUIDE}/sections/contacts").text


def test_days_and_hours_are_written_in_words_and_read_back(service: FastAPI, ann: Any, contact: dict[str, Any]) -> None:
    typed = {"contacts.0.opening_hours": "9am to 5pm, Monday to Friday", "contacts.0.verified_on": "30/9/26"}

    ann.save(NEW_GUIDE, "contacts", contact | {PHONE: "01632 960001"} | typed)

    (saved,) = stored(service, NEW_GUIDE)["contacts"]
    days = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    assert saved["opening_hours"] == [{"days": days, "opens": "09:00", "closes": "17:00"}]
    assert saved["verified_on"] == "2026-09-30"
    again = ann.open(NEW_GUIDE, "contacts")
    assert again["contacts.0.opening_hours"] == "Monday to Friday, 9am to 5pm"
    assert again["contacts.0.verified_on"] == "30 September 2026"


def test_an_error_stands_beside_its_field_in_words(ann: Any, contact: dict[str, Any]) -> None:
    typed = {
        PHONE: "960001",
        "contacts.0.phones.0.option": "01632 960001",
        "contacts.0.opening_hours": "office hours",
        "contacts.0.verified_on": "last week",
    }
    ann.save(NEW_GUIDE, "contacts", contact | typed)

    page = ann.get(f"/{NEW_GUIDE}/sections/contacts").text

    assert {name: fault_beside(page, name) for name in typed} == {
        PHONE: "Enter a telephone number with its area code, such as 01632 960001",
        "contacts.0.phones.0.option": "Enter what to press as digits, such as 1",
        "contacts.0.opening_hours": "Enter days and times, such as Monday to Thursday 8:30am to 5pm",
        "contacts.0.verified_on": "Enter a day, such as 30 September 2027",
    }
    kept = fields_in(page)
    assert {name: kept[name] for name in typed} == typed
    listed = re.findall(r"<li>\s*<a href=\"#[^\"]+\">([^<]+)</a>", page)
    assert len(listed) == len(typed)
    assert not [each for each in listed if re.search(r"`|_|potential|#/", each)]


def test_a_new_entry_has_no_error_before_it_is_filled_in(ann: Any) -> None:
    ann.post("/new", {"title": "County lines"})
    ann.save(NEW_GUIDE, "contacts", ann.open(NEW_GUIDE, "contacts"), "add:contacts")

    page = ann.get(f"/{NEW_GUIDE}/sections/contacts").text

    assert fault_beside(page, PHONE) == ""
    assert "Contact 1: fill in ‘Name’" in unescape(page)


def test_a_contact_shows_the_fields_of_its_kind(ann: Any, contact: dict[str, Any]) -> None:
    ann.save(NEW_GUIDE, "contacts", contact | {PHONE: "01632 960001"}, "add:contacts:web")

    page = ann.get(f"/{NEW_GUIDE}/sections/contacts").text

    assert fields_in(page)["contacts.1.kind"] == "web"
    first, second = page.split('id="contacts.1"')
    for entry, shown, folded in ((first, PHONE, "contacts.0.url"), (second, "contacts.1.url", "contacts.1.phones")):
        before_fold = entry.partition("<details")[0]
        assert f'id="{shown}"' in before_fold
        assert f'id="{folded}' not in before_fold


def test_lines_become_entries_when_asked_and_keep_their_kind(service: FastAPI, ann: Any) -> None:
    ann.post("/new", {"title": "County lines"})
    ann.save(NEW_GUIDE, "indicators", ann.open(NEW_GUIDE, "indicators"), "add:indicators")
    pasted = {"indicators.0.text": "- Often hungry\n- Dirty clothes\n\n- Missing", "indicators.0.kind": "sign_of_harm"}

    ann.save(NEW_GUIDE, "indicators", ann.open(NEW_GUIDE, "indicators") | pasted)
    kept = [each["text"] for each in stored(service, NEW_GUIDE)["indicators"]]
    ann.save(NEW_GUIDE, "indicators", ann.open(NEW_GUIDE, "indicators"), "split:indicators.0")

    assert kept == [pasted["indicators.0.text"]]
    found = stored(service, NEW_GUIDE)["indicators"]
    assert [(each["id"], each["text"], each["kind"]) for each in found] == [
        ("often-hungry", "Often hungry", "sign_of_harm"),
        ("dirty-clothes", "Dirty clothes", "sign_of_harm"),
        ("missing", "Missing", "sign_of_harm"),
    ]


def test_an_entry_is_moved_to_any_place_in_one_step(service: FastAPI, ann: Any) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    before = [each["id"] for each in stored(service)["indicators"]]

    moved = ann.save(SEED_GUIDE, "indicators", ann.open(SEED_GUIDE, "indicators"), "move:indicators.3:0")

    assert moved.headers["location"].endswith("#indicators.0")
    assert [each["id"] for each in stored(service)["indicators"]] == [before[3], *before[:3], *before[4:]]


def test_a_number_without_area_code_keeps_what_it_dials(service: FastAPI, client: TestClient, ann: Any) -> None:
    phones = [{"number": "+441632960001", "display": "960001"}]
    contact = {"id": "duty", "name": "Duty", "kind": "telephone", "phones": phones}
    writer_of(service, client, "cms").saved({"contacts": [contact]})

    fields = ann.open(NEW_GUIDE, "contacts")
    ann.save(NEW_GUIDE, "contacts", fields)

    assert fields[PHONE] == "01632 960001"
    assert stored(service, NEW_GUIDE)["contacts"][0]["phones"] == phones


def test_subjects_are_chosen_by_name(service: FastAPI, ann: Any) -> None:
    ann.post("/new", {"title": "County lines"})
    page = ann.get(f"/{NEW_GUIDE}/sections/details").text

    ann.save(NEW_GUIDE, "details", fields_in(page) | {"subjects": "neglect", "review_by": "30 September 2027"})

    assert re.search(r'value="neglect"> Neglect</label>', page)
    assert (stored(service, NEW_GUIDE)["subjects"], stored(service, NEW_GUIDE)["review_by"]) == (
        ["neglect"],
        "2027-09-30",
    )


def test_an_autosave_says_what_was_read_and_what_was_not(ann: Any, contact: dict[str, Any]) -> None:
    typed = contact | {PHONE: "01632 960001", "contacts.0.verified_on": "soon", "act": "autosave"}

    answer = ann.post(f"/{NEW_GUIDE}/sections/contacts", typed, **{"If-Match": f'"{contact["shown"]}"'}).json()

    assert answer["said"] == {PHONE: "Dials +441632960001"}
    assert answer["beside"] == {"contacts.0.verified_on": "Enter a day, such as 30 September 2027"}
