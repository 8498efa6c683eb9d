"""The desk's daily work on its pages: people, notes, questions, hand-overs; and who may do what."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.config import Settings, SettingsRefused, parse_settings
from app.main import create_app
from app.models.access.roles import SCOPES_OF, Role
from app.models.audit.rows import DeskAct
from app.pages.frame import DeskRoute
from app.pages.page import UNSEAL_SCRIPT
from app.services.access.people import remove_person_access
from app.services.concerns import opened_entries
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, raise_concern, read_messages
from tests.support.desk import acts_on, look, press, sealed_note, send, text_of
from tests.support.people import JO, OWN_PAGE, context_of_service, sign_in_as

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

SAM = "Sam Example"
BODY = "Example Council"
NOTE = "Spoke to <the> school.\nCall again on Monday."
QUESTION = "Canary: which school does Alex Example go to?"
DISABLED = re.compile("<button[^>]* disabled>|<button disabled>")
WHO = f"passkey:desk/{JO}"


@pytest.fixture
def neighbour() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def settings(settings: Settings, neighbour: pyrage.x25519.Identity) -> Settings:
    return settings.model_copy(update={"hand_over_bodies": {BODY: str(neighbour.to_public())}})


@pytest.fixture
def receipt(jo: TestClient) -> dict[str, Any]:
    return raise_concern(jo)


def test_a_page_shows_a_note_as_typed_and_makes_one_entry(service: FastAPI, jo: TestClient, reference: str) -> None:
    seen = look(jo, reference)
    answer = press(jo, reference, "notes", text=NOTE, seen=seen)

    page = jo.get(answer.headers["Location"])

    done = int(seen) + 1
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/concerns/{reference}?done={done}#done")
    assert "Spoke to &lt;the&gt; school.\nCall again on Monday." in page.text
    assert f"Note 1 by {JO}" in text_of(page)
    assert acts_on(service, reference)[-1] == (DeskAct.OPENED, WHO, "opened here, notes 1 to 1")


def test_the_page_has_the_last_twenty_notes_and_leads_to_all(service: FastAPI, jo: TestClient, reference: str) -> None:
    for number in range(1, 53):
        press(jo, reference, "notes", text=f"Words {number}.")

    page = jo.get(f"/desk/concerns/{reference}").text
    (earlier,) = re.findall(rf'href="(/desk/concerns/{reference}/notes\?[^"]*)"', page)
    first = jo.get(html.unescape(earlier)).text
    (following,) = re.findall(rf'href="(/desk/concerns/{reference}/notes\?[^"]*)"', first)
    second = jo.get(html.unescape(following)).text

    numbers = [re.findall(r"Words (\d+)\.", text) for text in (page, first, second)]
    assert numbers == [[str(each) for each in range(*ends)] for ends in ((33, 53), (1, 51), (51, 53))]
    assert [detail for _, _, detail in acts_on(service, reference)][-3:] == [
        "opened here, notes 33 to 52",
        "notes 1 to 50",
        "notes 51 to 52",
    ]


def test_the_last_notes_are_on_the_page_however_long_they_are(
    jo: TestClient, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_entries, "PAGE_BYTES", 2_000)
    for number in range(1, 5):
        press(jo, reference, "notes", text=f"Words {number}. {'x' * 1_000}")

    page = jo.get(f"/desk/concerns/{reference}").text

    assert re.findall(r"Words (\d+)\.", page) == ["1", "2", "3", "4"]


def test_only_the_reporter_reads_a_question_and_the_page_shows_its_state(
    jo: TestClient, receipt: dict[str, Any], reference: str
) -> None:
    press(jo, reference, "messages", text=QUESTION, seen=look(jo, reference))

    sent = jo.get(f"/desk/concerns/{reference}")
    (message,) = read_messages(jo, receipt)
    read = jo.get(f"/desk/concerns/{reference}")
    add(jo, receipt, "To Example School.")
    answered = jo.get(f"/desk/concerns/{reference}")

    assert message["message"] == QUESTION
    assert "Canary" not in sent.text + read.text + answered.text
    assert "The receipt asks the reporter to check for messages by Thursday 26 November 2026" in text_of(sent)
    assert "Not read yet" in text_of(sent)
    assert "Read Tuesday 24 November 2026 at 09:30 . No answer yet" in text_of(read).replace("9:30.", "9:30 .")
    assert "Answered by addition 1" in text_of(answered)
    assert 'href="#addition-1"' in answered.text


def test_every_act_is_confirmed_on_the_next_page_only_to_its_author(
    service: FastAPI, jo: TestClient, reference: str
) -> None:
    acts: list[tuple[str, dict[str, str], str]] = [
        ("assignment", {"person": JO}, f"assigned to {JO}"),
        ("acknowledgement", {}, "acknowledged"),
        ("notes", {"text": NOTE}, "note written"),
        ("messages", {"text": QUESTION}, "message sent to the reporter"),
        ("hold", {"held": "yes", "reason": "Court."}, "held"),
        ("hold", {"held": "no", "reason": "Over."}, "released"),
        ("outcome", {"outcome": "early_help"}, "closed"),
        ("reopening", {"reason": "A slip."}, "reopened"),
        ("outcome", {"outcome": "early_help"}, "closed"),
        ("erasure", {"reason": "Wrong council.", "sure": "yes", "repeated": reference}, "erased"),
    ]

    for act, fields, done in acts:
        answer = press(jo, reference, act, seen=look(jo, reference), **fields)
        page = jo.get(answer.headers["Location"])
        said = re.findall(
            r'<main[^>]*>\s*<div [^>]*>\s*<div id="done" role="status" tabindex="-1">\s*<p>(.*?)</p>', page.text
        )
        assert said == [f"Done: <strong>{done}</strong>"], act
        assert answer.headers["Location"].endswith("#done")
    assert 'id="done"' not in jo.get(f"/desk/concerns/{reference}").text
    for another in ("1", "99999"):
        assert 'id="done"' not in jo.get(f"/desk/concerns/{reference}?done={another}").text
    other = TestClient(service)
    sign_in_as(service, other, SAM, Role.LEAD)
    assert 'id="done"' not in other.get(answer.headers["Location"]).text


def test_closing_while_something_added_waits_says_so_first_and_asks_again(
    service: FastAPI, jo: TestClient, receipt: dict[str, Any], reference: str
) -> None:
    press(jo, reference, "acknowledgement", seen=look(jo, reference))
    press(jo, reference, "messages", text=QUESTION, seen=look(jo, reference))
    read_messages(jo, receipt)
    add(jo, receipt, "He is here.", danger="yes")
    outcome = {"outcome": "early_help", "shared_with_reporter": "yes"}

    before = text_of(jo.get(f"/desk/concerns/{reference}"))
    refused = press(jo, reference, "outcome", seen=look(jo, reference), **outcome)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', refused.text))
    done = press(jo, reference, "outcome", **fields, **outcome)

    assert "1 addition waits that nobody has acknowledged, with an answer to a question" in before
    assert "One says that a child is in immediate danger" in before
    assert before.index("1 addition waits that nobody") < before.index("Close the concern")
    assert refused.status_code == 409
    assert "An addition says: immediate danger" in refused.text
    assert f"desk/concerns/{reference}#addition-1" in refused.text
    assert re.search(r'value="early_help" required checked', refused.text)
    assert "Close the concern anyway" in refused.text
    assert done.status_code == 303
    acts = [act for act, _, _ in acts_on(service, reference)]
    assert acts.count(DeskAct.CLOSED) == 1


def test_without_anything_that_waits_a_concern_is_closed_by_one_press(jo: TestClient, reference: str) -> None:
    press(jo, reference, "acknowledgement", seen=look(jo, reference))

    page = jo.get(f"/desk/concerns/{reference}").text
    closed = press(jo, reference, "outcome", seen=look(jo, reference), outcome="early_help")

    assert "nobody has acknowledged" not in page
    assert closed.status_code == 303


def test_a_concern_is_assigned_to_me_to_another_worker_or_to_nobody(
    service: FastAPI, jo: TestClient, reference: str
) -> None:
    other = TestClient(service)
    sign_in_as(service, other, SAM, Role.READER)
    refused = press(jo, reference, "assignment", person=SAM)  # a reader does not work on it
    sign_in_as(service, other, SAM, Role.LEAD)

    for person, words in ((JO, f"Assigned to {JO}"), (SAM, f"Assigned to {SAM}"), ("", "Unassigned")):
        assert press(jo, reference, "assignment", person=person, seen=look(jo, reference)).status_code == 303
        assert words in text_of(jo.get(f"/desk/concerns/{reference}"))

    assert refused.status_code == 422
    assert "Choose someone who can work on concerns" in refused.text
    context_of_service(service).writer.run(remove_person_access, SAM, at=A_TUESDAY)
    assert press(jo, reference, "assignment", person=SAM).status_code == 422
    assert f"<option>{SAM}" not in jo.get(f"/desk/concerns/{reference}").text


def test_a_hand_over_gives_the_file_and_the_page_shows_both_receipts(
    jo: TestClient, receipt: dict[str, Any], reference: str, neighbour: pyrage.x25519.Identity
) -> None:
    add(jo, receipt, "Alex Example came home.")

    handed = press(jo, reference, "hand-over", body=BODY, reason="The child lives there.", seen=look(jo, reference))
    (encoded,) = re.findall(r'href="data:application/octet-stream;base64,([^"]+)"', handed.text)
    opened = json.loads(pyrage.decrypt(base64.b64decode(html.unescape(encoded)), [neighbour]))
    before = jo.get(f"/desk/concerns/{reference}")
    stored = press(jo, reference, "hand-over/1/receipt", receipt=" a.b.c ", number="1", seen=look(jo, reference))
    another = press(jo, reference, "hand-over/1/receipt", receipt="d.e.f", number="1", seen=look(jo, reference))
    after = jo.get(f"/desk/concerns/{reference}")

    (ours,) = re.findall(r'href="data:text/plain;charset=utf-8,([^"]+)"', handed.text)
    assert opened["additions"][0]["addition"]["concern"]["narrative"] == "Alex Example came home."
    assert f'download="{reference}-hand-over-1.age"' in handed.text
    assert "Their receipt has not been received" in before.text
    assert (stored.status_code, another.status_code) == (303, 422)
    assert "d.e.f" in another.text
    assert ours in after.text
    assert 'aria-label="Their receipt">a.b.c<' in after.text


def test_a_body_that_is_not_set_up_gets_nothing(service: FastAPI, jo: TestClient, reference: str) -> None:
    answer = press(jo, reference, "hand-over", body="Elsewhere", reason="Because.", seen=look(jo, reference))

    assert answer.status_code == 422
    assert "Choose an organisation" in answer.text
    assert 'value="Because."' in answer.text
    assert DeskAct.HANDED_OVER not in [act for act, _, _ in acts_on(service, reference)]


def test_a_service_without_an_identity_takes_sealed_words_and_no_hand_over(tmp_path: Path, settings: Settings) -> None:
    identity = pyrage.x25519.Identity.generate()
    sealing = settings.model_copy(update={"data_dir": tmp_path / "other", "seal_to": (str(identity.to_public()),)})
    service = create_app(sealing, SettableClock())
    with TestClient(service, follow_redirects=False) as client:
        sign_in_as(service, client)
        reference = raise_concern(client)["reference"]

        seen = look(client, reference)
        in_clear = [press(client, reference, act, text=NOTE, seen=seen) for act in ("notes", "messages")]
        acts = [act for act, _, _ in acts_on(service, reference)]
        written = press(client, reference, "notes", seen=seen, **sealed_note(NOTE, reference, sealing.seal_to[0]))
        page = client.get(f"/desk/concerns/{reference}")
        notes = client.get(f"/desk/concerns/{reference}/notes")
        refused = press(client, reference, "hand-over", body=BODY, reason="Because.", seen=look(client, reference))
        press(client, reference, "acknowledgement", seen=look(client, reference))
        closing = {"outcome": "early_help", "seen": look(client, reference)}
        in_clear.append(press(client, reference, "outcome", text=NOTE, **closing))
        without_words = press(client, reference, "outcome", text=" ", **closing)

    assert [(each.status_code, html.escape(NOTE) in each.text) for each in in_clear] == [(422, True)] * 3
    assert without_words.status_code == 303, "a concern is closed without a message where nothing can seal one"
    assert DeskAct.NOTED not in acts
    waits_for_script = 3 + UNSEAL_SCRIPT.is_file()  # the export is offered only if the script is built
    assert len(DISABLED.findall(page.text)) == page.text.count("data-not-sealed") == waits_for_script
    assert (written.status_code, refused.status_code) == (303, 406)
    assert f"Note 1 by {JO}" in text_of(page)
    assert "Monday" not in page.text + notes.text
    files = [re.findall(r'data-sealed="note"[^<]*<template[^>]*>([^<]*)', each.text) for each in (page, notes)]
    opened = [json.loads(pyrage.decrypt(html.unescape(each).encode(), [identity])) for (each,) in files]
    assert [each["note"]["text"] for each in opened] == [NOTE, NOTE]
    assert f"guidance desk hand-over {reference}" in page.text


WRONG = {
    "a note of spaces": ("notes", {"text": "  \n "}),
    "a note that is too long": ("notes", {"text": "x" * 10_001}),
    "a question without words": ("messages", {"text": " "}),
    "a closing message that is too long": ("outcome", {"text": "x" * 4_001, "outcome": "early_help"}),
    "a hand-over without a reason": ("hand-over", {"body": BODY, "reason": " "}),
    "a receipt without words": ("hand-over/1/receipt", {"receipt": "", "number": "1"}),
}


def test_a_closing_form_pressed_twice_sends_one_last_message(service: FastAPI, jo: TestClient, reference: str) -> None:
    press(jo, reference, "acknowledgement", seen=look(jo, reference))
    fields = {"outcome": "early_help", "shared_with_reporter": "yes", "text": NOTE, "key": "a-key"}
    fields["seen"] = look(jo, reference)

    closed, again = (press(jo, reference, "outcome", **fields) for _ in range(2))

    done = jo.get(closed.headers["Location"])
    assert (closed.status_code, again.status_code) == (303, 303)
    assert [act for act, _, _ in acts_on(service, reference)].count(DeskAct.MESSAGE_SENT) == 1
    assert "Done: closed" in text_of(done)
    assert NOTE not in done.text


def test_a_refused_form_shows_its_fault_and_words_and_records_nothing(
    service: FastAPI, jo: TestClient, reference: str
) -> None:
    seen = look(jo, reference)
    before = acts_on(service, reference)

    for name, (act, fields) in WRONG.items():
        answer = press(jo, reference, act, seen=seen, **fields)

        assert answer.status_code == 422, name
        assert 'class="fault"' in answer.text
        assert [typed for typed in fields.values() if typed not in html.unescape(answer.text)] == []
    assert acts_on(service, reference) == before


OF_THE_INBOX = ("/desk/looked", "/desk/assignment")


def forms_of(service: FastAPI) -> list[str]:
    """Return the path of every form of the desk's pages, but for those of the sign-in."""
    routes = [each.route for each in iter_route_contexts(service.routes)]
    posts = [each for each in routes if isinstance(each, DeskRoute) and "POST" in (each.methods or ())]
    return [each.path for each in posts if "{reference}" in each.path or each.path in OF_THE_INBOX]


def test_no_form_is_taken_from_elsewhere_another_role_or_after_leaving(
    service: FastAPI, jo: TestClient, reference: str
) -> None:
    paths = [path.format(reference=reference, number=1, name="urgent") for path in forms_of(service)]
    assert len(paths) == 21
    before = acts_on(service, reference)

    elsewhere = [jo.post(path, headers=OWN_PAGE | {"Sec-Fetch-Site": "cross-site"}) for path in paths]
    sign_in_as(service, jo, JO, Role.AUDITOR)
    by_auditor = [send(jo, path, text="x") for path in paths]
    sign_in_as(service, jo, JO, Role.READER)
    by_reader = [send(jo, path, text="x") for path in paths if reference in path]
    context_of_service(service).writer.run(remove_person_access, JO, at=A_TUESDAY)
    after_leaving = [send(jo, path, text="x") for path in paths]

    assert {each.status_code for each in (*elsewhere, *by_auditor, *by_reader)} == {403}
    assert {each.status_code for each in after_leaving} == {401}
    assert acts_on(service, reference) == before


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_the_pages_and_the_forms_that_its_scopes_allow(
    service: FastAPI, jo: TestClient, reference: str, role: Role
) -> None:
    sign_in_as(service, jo, JO, role)

    concern, notes = (jo.get(f"/desk/concerns/{reference}{part}") for part in ("", "/notes"))

    may_read, may_write = ({"concerns:read"} <= SCOPES_OF[role], {"concerns:write"} <= SCOPES_OF[role])
    assert {each.status_code for each in (concern, notes)} == ({200} if may_read else {403})
    assert ('action="/desk/concerns/' in concern.text) is may_write


@pytest.mark.parametrize(
    "bodies",
    [
        "Example Council",
        "{}",
        '{"Example Council": "age1nonsense"}',
        '{" ": "RECIPIENT"}',
        '{"A": "RECIPIENT", "A": "RECIPIENT"}',
        '{"A": "RECIPIENT", "B": "RECIPIENT"}',
        '{"A": ["RECIPIENT"]}',
    ],
)
def test_bodies_without_a_key_that_seals_stop_the_start(bodies: str, neighbour: pyrage.x25519.Identity) -> None:
    given = {"GUIDANCE_HAND_OVER_BODIES": bodies.replace("RECIPIENT", str(neighbour.to_public()))}

    with pytest.raises(SettingsRefused, match="HAND_OVER_BODIES: must be a JSON object"):
        parse_settings(given)


def test_each_body_is_read_with_its_key(neighbour: pyrage.x25519.Identity) -> None:
    recipient = str(neighbour.to_public())

    settings = parse_settings({"GUIDANCE_HAND_OVER_BODIES": json.dumps({BODY: recipient})})

    assert settings.hand_over_bodies == {BODY: recipient}
