"""The pages of the desk: what they show, what each press does, and that each view is on the record."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyrage
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from starlette.testclient import TestClient

from app.models.access.roles import Role
from app.models.audit.rows import DeskAct
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.desk.inbox_rows import span_in_words, time_left
from app.pages.desk.referral import leaves_of
from app.pages.page import page_templates
from app.services.access.sealed_cursors import SEALED_LENGTH
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, raise_concern, token_of
from tests.support.desk import acts_on
from tests.support.loops import for_each
from tests.support.people import JO, OWN_PAGE, sign_in_as
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

A_MINUTE = dt.timedelta(minutes=1)
SAM = "Sam Example"
REFERENCE = re.compile(r"/desk/concerns/([0-9A-Z-]{14})(?:\?[^\"]*)?\"")
WORDS = "Alex Example was collected from school by an adult whom staff do not know."


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a person who leads the desk."""
    client.follow_redirects = False
    sign_in_as(service, client, JO, Role.LEAD)
    return client


def press(client: TestClient, reference: str, act: str, **fields: str) -> Response:
    headers = OWN_PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    return client.post(f"/desk/concerns/{reference}/{act}", content=urlencode(fields), headers=headers)


def test_each_view_of_a_concern_makes_one_entry_with_the_person(service: FastAPI, jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]

    views = [jo.get(f"/desk/concerns/{reference}") for _ in range(2)]

    assert all(WORDS in view.text for view in views)
    seen = (DeskAct.OPENED, "passkey:desk/Jo Example", "opened here")
    assert acts_on(service, reference)[1:] == [seen, seen]
    jo.get("/desk")
    assert acts_on(service, "inbox") == [(DeskAct.LISTED, "passkey:desk/Jo Example", reference)]


def test_every_address_below_a_concern_makes_one_entry_with_the_person(service: FastAPI, jo: TestClient) -> None:
    receipt = raise_concern(jo)
    reference = receipt["reference"]
    assert add(jo, receipt, "Alex Example came home.").is_success
    assert press(jo, reference, "notes", text="A made-up note.").status_code == 303
    below = [each.path or "" for each in iter_route_contexts(service.routes) if "GET" in (each.methods or ())]
    paths = [each for each in below if each.startswith("/desk/concerns/{reference}")]

    assert len(paths) > 3
    for path in paths:
        before = len(acts_on(service, reference))
        assert jo.get(path.replace("{reference}", reference)).status_code == 200, path
        assert [who for _, who, _ in acts_on(service, reference)[before:]] == ["passkey:desk/Jo Example"], path


def test_an_unknown_reference_leads_to_the_inbox(jo: TestClient) -> None:
    page = jo.get("/desk/concerns/4F7K-926W-0X37")

    assert page.status_code == 404
    assert 'href="/desk"' in page.text
    assert "/desk/concerns/" not in page.text


def test_the_referral_shows_every_word_of_the_fullest_concern(jo: TestClient) -> None:
    reference = raise_concern(jo, **FULL_EXAMPLE)["reference"]

    page = html.unescape(re.sub(r"</?a\b[^>]*>", "", jo.get(f"/desk/concerns/{reference}").text))

    texts = [str(value) for _, value in leaves_of(FULL_EXAMPLE) if " " in str(value)]
    assert len(texts) > 60
    assert [text for text in texts if text not in page] == []
    assert "Further details" in page
    assert "uprn" in page  # it has no question in the form


def test_words_are_shown_as_typed_and_never_as_html(jo: TestClient) -> None:
    reference = raise_concern(jo, concern={"narrative": "<script>alert(1)</script>\nAlex Example."})["reference"]

    page = jo.get(f"/desk/concerns/{reference}").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nAlex Example." in page


def test_a_page_without_an_identity_has_no_word_and_is_recorded(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    service = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with TestClient(service) as client:
        sign_in_as(service, client)
        receipt = raise_concern(client)
        add(client, receipt, "Alex Example came home.")
        reference = receipt["reference"]

        page = client.get(f"/desk/concerns/{reference}")
        further = client.get(f"/desk/concerns/{reference}/additions")

        assert (page.status_code, further.status_code) == (200, 200)
        assert f"guidance desk open {reference}" in page.text
        assert "Alex" not in page.text + further.text
        seen = acts_on(service, reference)[-2:]
        assert seen == [
            (DeskAct.OPENED, "passkey:desk/Jo Example", "sealed text given, additions 1 to 1"),
            (DeskAct.OPENED, "passkey:desk/Jo Example", "sealed text given, additions 1 to 1"),
        ]
        assert press(client, reference, "acknowledgement", up_to_addition="1").status_code == 200


@pytest.fixture
def without_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service that was built without npm."""
    monkeypatch.setattr("app.pages.page.UNSEAL_SCRIPT", tmp_path / "unseal.js")
    page_templates.cache_clear()
    yield
    page_templates.cache_clear()


@pytest.mark.usefixtures("without_script")
def test_without_its_script_the_page_says_how_to_open_the_concern_elsewhere(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    service = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with TestClient(service) as client:
        sign_in_as(service, client)
        page = client.get(f"/desk/concerns/{raise_concern(client)['reference']}").text

    assert "built without the script that opens concerns" in page
    assert "guidance desk open" in page


def test_a_concern_sealed_to_others_shows_no_words_and_can_be_acknowledged(tmp_path: Path) -> None:
    mine, theirs = (pyrage.x25519.Identity.generate() for _ in range(2))
    file = tmp_path / "identity.txt"
    file.write_text(str(mine))
    service = a_service(data_dir=tmp_path / "data", seal_to=(str(theirs.to_public()),), seal_identity_file=file)
    with TestClient(service) as client:
        sign_in_as(service, client)
        reference = raise_concern(client)["reference"]

        page = client.get(f"/desk/concerns/{reference}")

        assert (page.status_code, "Alex" in page.text) == (200, False)
        assert f"guidance desk open {reference}" in page.text
        assert "Acknowledged</strong> by Jo Example" in press(client, reference, "acknowledgement").text


def test_an_invalid_cursor_or_filter_is_refused_in_plain_words(jo: TestClient) -> None:
    pages = [jo.get(f"/desk?{query}") for query in ("cursor=nonsense", "show=everything", "unknown=1")]

    assert [page.status_code for page in pages] == [400] * 3
    assert all("Sorry, there is a problem" in page.text for page in pages)


def test_the_inbox_shows_what_waits_first_in_pages_of_fifty(jo: TestClient) -> None:
    quiet = [raise_concern(jo)["reference"] for _ in range(51)]
    urgent = raise_concern(jo, immediate_danger="yes")["reference"]

    first = jo.get("/desk")
    (following,) = re.findall(r'href="(/desk\?[^"]*cursor[^"]*)"', first.text)
    second = jo.get(html.unescape(following))

    shown = [REFERENCE.findall(page.text) for page in (first, second)]
    assert [len(each) for each in shown] == [50, 2]
    assert shown[0][0] == urgent
    assert sorted(shown[0] + shown[1]) == sorted([*quiet, urgent])
    assert "Next page" not in second.text


def test_each_filter_of_the_inbox_shows_what_its_name_says(jo: TestClient, clock: SettableClock) -> None:
    waiting, danger, seen = raise_concern(jo)["reference"], raise_concern(jo, immediate_danger="yes")["reference"], None
    seen = raise_concern(jo)["reference"]
    press(jo, seen, "acknowledgement")

    def shown(name: str) -> set[str]:
        return set(REFERENCE.findall(jo.get(f"/desk?show={name}").text))

    assert shown("all") == {waiting, danger, seen}
    assert shown("received") == {waiting, danger}
    assert shown("acknowledged") == {seen}
    assert shown("danger") == {danger}
    assert shown("overdue") == shown("closed") == shown("tests") == set()
    clock.time += dt.timedelta(days=7)
    sign_in_again = jo.get("/desk?show=overdue")
    assert sign_in_again.status_code == 303


def test_the_clock_of_the_inbox_is_in_words(jo: TestClient) -> None:
    raise_concern(jo)

    assert re.search(r"<strong data-clock=\"short\"[^>]*>[^<]* left</strong>", jo.get("/desk").text)


def test_the_direction_of_typed_text_ends_with_the_text(jo: TestClient) -> None:
    turned = "\u202eelpmaxE xelA"
    reference = raise_concern(jo, concern={"narrative": turned})["reference"]
    rule = re.search(r"\.as-typed\{([^}]*)\}", jo.get("/looks/pages.css").text)

    assert f'<span class="as-typed">{turned}' in jo.get(f"/desk/concerns/{reference}").text
    assert rule is not None
    assert "unicode-bidi:plaintext" in rule[1]


def test_in_danger_the_clock_counts_up_and_says_when_it_is_late(
    service: FastAPI, jo: TestClient, clock: SettableClock
) -> None:
    reference = raise_concern(jo, immediate_danger="yes")["reference"]
    unsure = raise_concern(jo, immediate_danger="not_sure")["reference"]

    clock.time += 21 * A_MINUTE
    waiting = ("waiting 21 minutes", False), "waiting 21 min"
    assert times_of(jo, reference) == waiting
    assert times_of(jo, unsure)[0] == waiting[0]
    clock.time += 44 * A_MINUTE
    sign_in_as(service, jo, JO, Role.LEAD)
    late = ("waiting 1 hour 5 minutes, late by 5 minutes", True), "late by 5 min"
    assert times_of(jo, reference) == late
    assert times_of(jo, unsure)[0] == ("waiting 1 hour 5 minutes", False)


def test_danger_that_was_added_counts_from_when_it_was_added(
    service: FastAPI, jo: TestClient, clock: SettableClock
) -> None:
    receipt = raise_concern(jo)
    add(jo, receipt)
    clock.time += 600 * A_MINUTE
    sign_in_as(service, jo, JO, Role.LEAD)

    add(jo, receipt, danger="yes")
    clock.time += 7 * A_MINUTE

    assert times_of(jo, receipt["reference"])[0] == ("waiting 7 minutes", False)


def test_an_overdue_first_report_is_not_said_to_tell_what_an_addition_told(
    service: FastAPI, jo: TestClient, clock: SettableClock
) -> None:
    receipt = raise_concern(jo)
    clock.time += dt.timedelta(days=10)
    sign_in_as(service, jo, JO, Role.LEAD)
    before = jo.get(f"/desk/concerns/{receipt['reference']}").text

    add(jo, receipt, danger="yes")

    assert "the first report has not been acknowledged" in before
    assert "the concern says immediate danger" in jo.get(f"/desk/concerns/{receipt['reference']}").text


CLOCK = re.compile(r"<strong data-clock [^>]*?(class=\"late\")?>([^<]*)</strong>")


def times_of(jo: TestClient, reference: str) -> tuple[tuple[str, bool], str]:
    """Return the time on the page of the concern and whether it is late, and that of its row in the inbox."""
    late, words = CLOCK.findall(jo.get(f"/desk/concerns/{reference}").text)[0]
    row = row_of(jo, reference)
    (short,) = re.findall(r"<strong data-clock=[^>]*>([^<]*)<", row)
    assert ("late" in row.partition('data-clock="short"')[2].partition(">")[0]) == bool(late)
    return (words, bool(late)), short


def row_of(jo: TestClient, reference: str) -> str:
    """Return the HTML of the concern's row in the inbox."""
    return jo.get("/desk").text.partition(f'id="row-{reference}"')[2].partition("</tr>")[0]


def test_a_row_says_who_reported_unless_sealed_and_whether_a_reply_waits(jo: TestClient) -> None:
    reporter = {"kind": "professional", "source_code": "2A", "name": "Robin Example", "role": "Form tutor"}
    receipt = raise_concern(jo, reporter=reporter)
    reference = receipt["reference"]
    press(jo, reference, "acknowledgement")
    press(jo, reference, "messages", text="Which school?")
    jo.get(receipt["links"]["messages"], headers=token_of(receipt))
    before = row_of(jo, reference)

    add(jo, receipt, "Canary: Example School.")

    after, other = row_of(jo, reference), raise_concern(jo)["reference"]
    assert ">Schools</td>" in before
    assert "Reply waiting" not in before
    assert "Reply waiting" in after
    for secret in ("Canary", "Robin", "tutor", "professional"):
        assert secret not in jo.get("/desk").text
    assert ">From another system</td>" in row_of(jo, other)
    press(jo, reference, "acknowledgement", up_to_addition="1")
    assert "Reply waiting" not in jo.get("/desk").text


@for_each(
    ("minutes", "words"),
    [
        (0, "less than a minute left"),
        (1, "1 minute left"),
        (130, "2 hours 10 minutes left"),
        (-60, "late by 1 hour"),
        (60 * 25, "1 day 1 hour left"),
        (-60 * 24 * 3 - 65, "late by 3 days"),
    ],
)
def test_the_time_that_is_left_is_said_in_two_units_at_most(minutes: int, words: str) -> None:
    assert time_left(A_TUESDAY + dt.timedelta(minutes=minutes), A_TUESDAY) == words
    assert span_in_words(abs(dt.timedelta(minutes=minutes))) in words


@pytest.mark.parametrize("spelling", [str.lower, lambda reference: reference.replace("-", " "), str])
def test_a_reference_leads_to_its_concern_however_it_is_typed(jo: TestClient, spelling: Any) -> None:
    reference = raise_concern(jo)["reference"]

    found = jo.get("/desk/find", params={"reference": spelling(reference)})

    assert (found.status_code, found.headers["Location"]) == (303, f"/desk/concerns/{reference}")


def test_what_is_no_reference_is_said_at_the_field(jo: TestClient) -> None:
    answer = jo.get("/desk/find?reference=nonsense")
    page = jo.get(answer.headers["Location"])

    assert "That is not a valid reference: check it for mistakes" in page.text
    assert 'aria-invalid="true"' in page.text
    assert jo.get("/desk/concerns/4F7K-926W-0X3R").status_code == 404


def test_each_act_of_the_pages_is_recorded_with_the_person_s_name(service: FastAPI, jo: TestClient) -> None:
    receipt = raise_concern(jo)
    add(jo, receipt, "Alex Example came home.")
    reference = receipt["reference"]

    statuses = [
        press(jo, reference, "acknowledgement", up_to_addition="1").status_code,
        press(jo, reference, "outcome", outcome="no_further_action", shared_with_reporter="yes").status_code,
        press(jo, reference, "hold", held="yes", reason="Court proceedings.").status_code,
        press(jo, reference, "erasure", reason="Requested.", sure="yes", repeated=reference).status_code,
        press(jo, reference, "hold", held="no", reason="They ended.").status_code,
        press(jo, reference, "erasure", reason="Requested.", sure="yes", repeated=reference).status_code,
    ]

    assert statuses == [303, 303, 303, 409, 303, 303]
    who = "passkey:desk/Jo Example"
    assert acts_on(service, reference)[2:] == [
        (DeskAct.ACKNOWLEDGED, who, "with additions 1 to 1"),
        (DeskAct.CLOSED, who, "no_further_action, shared with the reporter"),
        (DeskAct.HELD, who, "Court proceedings."),
        (DeskAct.RELEASED, who, "They ended."),
        (DeskAct.ERASED, who, "Requested."),
    ]
    erased = jo.get(f"/desk/concerns/{reference}")
    assert "The text of this concern has been erased" in erased.text
    assert "Alex" not in erased.text
    assert jo.get(f"/desk/concerns/{reference}/additions").status_code == 410


WRONG_PRESSES = {
    "no outcome": ("outcome", {}),
    "an outcome that is on no list": ("outcome", {"outcome": "nonsense"}),
    "no reason for a hold": ("hold", {"held": "yes", "reason": "  "}),
    "an addition that is not there": ("acknowledgement", {"up_to_addition": "7"}),
    "a number that is none": ("acknowledgement", {"up_to_addition": "x"}),
    "no reason for an erasure": ("erasure", {}),
}


@pytest.mark.parametrize(("act", "fields"), WRONG_PRESSES.values(), ids=WRONG_PRESSES)
def test_a_press_that_lacks_something_changes_nothing_and_says_so(
    service: FastAPI, jo: TestClient, act: str, fields: dict[str, str]
) -> None:
    reference = raise_concern(jo)["reference"]
    press(jo, reference, "acknowledgement")
    before = acts_on(service, reference)

    response = press(jo, reference, act, **fields)

    assert response.status_code == 422
    assert "has not been carried out" in response.text
    assert f'href="/desk/concerns/{reference}"' in response.text
    assert acts_on(service, reference) == before


def test_a_closed_concern_keeps_its_outcome_and_an_unread_one_stays_open(jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]

    too_early = press(jo, reference, "outcome", outcome="no_further_action")
    press(jo, reference, "acknowledgement")
    press(jo, reference, "outcome", outcome="no_further_action")
    another = press(jo, reference, "outcome", outcome="early_help")

    assert (too_early.status_code, another.status_code) == (409, 409)
    assert "Acknowledge this first" in too_early.text
    assert "This concern is already closed" in another.text


def test_two_acts_at_once_are_both_recorded_and_both_shown(service: FastAPI, jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]
    sam = TestClient(service, follow_redirects=False)
    sign_in_as(service, sam, SAM)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda client: press(client, reference, "acknowledgement"), (jo, sam)))

    acknowledged = {client for act, client, _ in acts_on(service, reference) if act == DeskAct.ACKNOWLEDGED}
    assert acknowledged == {f"passkey:desk/{name}" for name in (JO, SAM)}
    page = sam.get(f"/desk/concerns/{reference}").text
    assert f"<strong>Acknowledged</strong> by {JO}" in page
    assert f"<strong>Acknowledged</strong> by {SAM}" in page


def test_an_auditor_reads_only_the_record_and_the_read_is_recorded(service: FastAPI, jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]
    auditor = TestClient(service, follow_redirects=False)
    sign_in_as(service, auditor, SAM, Role.AUDITOR)

    lead = auditor.get("/desk")
    record = auditor.get(f"/desk/record?chain={reference.lower()}")

    assert (lead.status_code, lead.headers["Location"]) == (303, "/desk/record")
    assert record.status_code == 200
    assert reference in record.text
    assert WORDS not in record.text
    assert acts_on(service, "audit") == [(DeskAct.DISCLOSURES_READ, f"passkey:desk/{SAM}", reference)]


def test_the_record_is_read_in_pages_of_fifty(jo: TestClient) -> None:
    for _ in range(51):
        jo.get("/desk")

    first = jo.get("/desk/record?chain=inbox").text
    (following,) = re.findall(r'href="(/desk/record\?[^"]*cursor[^"]*)"', first)

    rows = '<tr role="row">\n<td'
    assert first.count(rows) == 50
    assert len(following.partition("cursor=")[2]) == SEALED_LENGTH
    assert jo.get(html.unescape(following)).text.count(rows) == 1


def test_titles_and_addresses_hold_only_a_concern_s_reference(jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]

    page = jo.get(f"/desk/concerns/{reference}").text

    assert re.findall("<title>(.*)</title>", page) == [f"{reference} - Desk"]
    addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page)
    assert [each for each in addresses if "Alex" in each or "narrative" in each] == []
