"""The pages after sending, over HTTP: the receipt to keep, more about a concern, and the statements of the council."""

import datetime as dt
import html
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.errors import StoreBusy
from app.main import create_app
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind
from app.models.concerns.concern import ReporterKind
from app.models.concerns.status_tokens import new_status_token
from app.pages.concerns import filled_form
from app.pages.guides import guides
from app.pages.text_format import page_words, spoken
from app.services.concerns import follow_up
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern
from tests.support.databases import files_of
from tests.support.desk import desk_of
from tests.support.form_answers import reference_in
from tests.support.publishing import SLUG, an_edition, publish_next

MORE = "The car was red, and Alex Example knows the driver."
KEY = "5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"


def proof(receipt: dict[str, Any], **more: str) -> dict[str, str]:
    return {"reference": receipt["reference"], "code": receipt["status_token"], "key": KEY, **more}


def add(client: TestClient, receipt: dict[str, Any], **more: str) -> Any:
    return client.post("/concerns/additions", data=proof(receipt, **more))


def test_the_receipt_to_keep_has_words_first_and_the_signature_last(
    client: TestClient, receipt: dict[str, Any]
) -> None:
    kept = client.post("/concerns/receipt", data={"receipt": receipt["receipt"], "code": receipt["status_token"]})

    lines = kept.text.splitlines()
    assert kept.headers["content-type"] == "text/plain; charset=utf-8"
    assert kept.headers["content-disposition"] == f'attachment; filename="receipt-{receipt["reference"]}.txt"'
    assert lines[2] == f"Reference: {receipt['reference']}"
    assert lines[3] == f"Code:      {receipt['status_token']}"
    assert lines[-1] == receipt["receipt"]
    words = " ".join(kept.text.partition(receipt["status_token"])[2].split())  # a reference can have 999 in it
    order = [
        "Come back tonight.",
        "WHAT HAPPENS NEXT",
        "999",
        "A social worker should read it by Wednesday 25 November 2026 at 09:30.",
        "WHO TO CALL",
    ]
    order += ["01225 396312 (option 1)", "01454 615165", receipt["receipt"]]
    places = [words.index(part) for part in order]
    assert places == sorted(places)
    assert words.count("should read it by") == 1
    assert max(map(len, lines[:-1])) <= 76
    assert "Alex" not in kept.text


@pytest.mark.parametrize("wrong", [{"receipt": "forged"}, {"code": new_status_token()}, {"code": ""}])
def test_only_a_genuine_receipt_with_its_code_becomes_a_file(
    client: TestClient, receipt: dict[str, Any], wrong: dict[str, str]
) -> None:
    fields = {"receipt": receipt["receipt"], "code": receipt["status_token"]} | wrong

    assert client.post("/concerns/receipt", data=fields).status_code == 404


SENT = {
    "immediate_danger": "no",
    "reporter.kind": "professional",
    "reporter.role": "Form tutor",
    "concern.narrative": 'Canary: Alex Example was collected by a stranger. ‹ #link("x") *no markup* ›',
    "count:children": "1",
    "children.0.given_names": "Alex",
    "key": KEY,
}


def printed(pdf: Any) -> str:
    assert (pdf.status_code, pdf.headers["content-type"]) == (200, "application/pdf")
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf.content)).pages)


@pytest.mark.slow
def test_a_professional_can_save_a_copy_that_is_stored_nowhere(client: TestClient, settings: Settings) -> None:
    path = "/raise-a-concern"
    checked = client.post(path, data=SENT | {"do": "check"}).text
    before = client.post(path, data=SENT | {"do": "copy"})
    receipt = client.post(path, data=SENT | {"do": "send"}).text
    form = receipt[receipt.index(f'action="{path}"') :].partition("</form>")[0]
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)"', form)}
    reference = re.findall(r'class="reference">([^<]*)<', receipt)[0]

    copy = client.post(path, data=fields)
    changed = client.post(path, data=fields | {"concern.narrative": "Other words."})
    forged = client.post(path, data=fields | {"receipt": "a.b.c"})

    assert fields["do"] == "copy"
    assert "Save a copy of your answers (PDF)" in checked
    assert copy.headers["content-disposition"] == f'attachment; filename="concern-{reference}.pdf"'
    assert copy.headers["cache-control"] == "no-store"
    assert [
        each
        for each in (
            *(reference, "Canary: Alex", "*no markup*", "Form tutor", "24 November 2026 at 09:30"),
            "A social worker should read it by",
            "Wednesday 25 November 2026 at 09:30",
        )
        if each not in printed(copy)
    ] == []
    assert fields["receipt"] in "".join(printed(copy).split())
    proof = printed(copy).partition("Signed receipt")[2].partition("Confidential")[0]
    assert 2 < len(proof.split("keys of this website.\n")[1].splitlines()) < 10
    for draft in (before, changed, forged):
        assert "Signed receipt" not in printed(draft)
        assert "Not sent yet" in printed(draft)
        assert reference not in printed(draft)
    assert [name for name, content in files_of(settings.data_dir).items() if b"Canary" in content] == []


def test_a_receipt_has_the_codes_one_copy_button_and_three_steps(client: TestClient) -> None:
    page = client.post("/raise-a-concern", data=SENT | {"do": "send"}).text
    steps = page.partition("What happens next</h2>")[2].partition("</ul>")[0]
    shown = re.sub("(?s)<details.*?</details>", "", page[page.index("<main") :])

    assert shown.count('class="reference"') == 2
    assert re.findall("(?<=>)Keep[^<]*(?=</button>)", page) == ["Keep a copy"]
    assert steps.count("<li>") == 3
    folded = ("Signed receipt", spoken(reference_in(page))[0])
    assert [(each in page, each in shown) for each in folded] == [(True, False)] * 2


def test_a_copy_leaves_out_a_child_of_whom_nothing_is_said(client: TestClient) -> None:
    said = {name: value for name, value in SENT.items() if not name.startswith("children.0")}

    words = printed(client.post("/raise-a-concern", data=said | {"do": "copy"}))

    assert "Canary: Alex" in words
    assert [each for each in ("Known so far", "Nothing", "Child 1") if each in words] == []


def test_the_signed_text_of_a_receipt_is_not_printed(client: TestClient) -> None:
    page = client.post("/raise-a-concern", data=SENT | {"do": "send"}).text
    signed = re.findall(r'name="receipt" value="([^"]*)"', page)[0]

    shown = page.index(f'<p class="code">{signed}</p>')
    assert page[page.rindex("<div", 0, shown) :].startswith('<div class="no-print">')


@pytest.mark.parametrize("kind", [each.value for each in ReporterKind if each is not ReporterKind.PROFESSIONAL])
def test_only_a_professional_is_offered_or_given_a_copy(client: TestClient, kind: str) -> None:
    answers = SENT | {"reporter.kind": kind}

    pages = [client.post("/raise-a-concern", data=answers | {"do": do}) for do in ("check", "copy", "send")]

    assert [each.headers["content-type"] for each in pages] == ["text/html; charset=utf-8"] * 3
    assert [each for each in pages if 'value="copy"' in each.text] == []


def test_without_the_libraries_that_print_no_copy_is_offered(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled_form, "pdf_available", lambda: False)

    pages = [client.post("/raise-a-concern", data=SENT | {"do": do}).text for do in ("check", "copy", "send")]

    assert [each for each in pages if 'value="copy"' in each] == []


def test_a_copy_in_welsh_has_the_labels_of_the_welsh_form(client: TestClient) -> None:
    assert "Heb ei anfon eto" in printed(client.post("/cy/raise-a-concern", data=SENT | {"do": "copy"}))


def test_the_receipt_to_keep_names_whom_to_call_where_the_child_lives(client: TestClient) -> None:
    page = client.post("/raise-a-concern", data=SENT | {"children.0.home_council": "E06000024", "do": "send"}).text
    form = page[page.index('action="/concerns/receipt"') :].partition("</form>")[0]
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))

    kept = client.post("/concerns/receipt", data=fields).text
    forged = client.post("/concerns/receipt", data=fields | {"also_call": "Ring 01632 960999"}).text

    words = " ".join(kept.split())
    assert "North Somerset Council, Single Point of Access: 01275 888 808 or 01454 615165. The first number" in words
    assert "960999" not in forged
    assert "North Somerset" not in forged.partition("WHO TO CALL")[2]


@pytest.mark.slow
def test_a_copy_says_if_it_cannot_print_some_letters(client: TestClient) -> None:
    says = "cannot print some of the letters"

    def copied(narrative: str) -> str:
        return printed(client.post("/raise-a-concern", data=SENT | {"do": "copy", "concern.narrative": narrative}))

    assert says in copied("𐀀𐀁𐀂")
    for words in ("Zażółć gęślą jaźń", "میں پریشان ہوں", "আমি চিন্তিত", "ਮੈਂ ਚਿੰਤਤ ਹਾਂ"):
        assert says not in copied(words)
    assert "Zażółć gęślą jaźń" in copied("Zażółć gęślą jaźń")


@pytest.mark.parametrize(
    ("language", "of_the_addition"),
    [("", "should read what you added by"), ("/cy", "ddarllen yr hyn a ychwanegwyd gennych erbyn dydd Mercher")],
)
@pytest.mark.parametrize("voice", ["", "child"])
def test_an_addition_has_a_deadline_of_its_own_once_the_concern_is_read(
    client: TestClient, service: FastAPI, receipt: dict[str, Any], voice: str, language: str, of_the_addition: str
) -> None:
    form = proof(receipt, voice=voice)
    waits = client.post(f"{language}/concerns/additions", data=form | {"narrative": MORE}).text
    desk_of(service, client).act(receipt["reference"], "acknowledgement")

    read = client.post(f"{language}/concerns", data=form).text

    assert len(re.findall("25 November 2026|25 Tachwedd 2026", waits)) == 1
    assert of_the_addition not in waits
    assert of_the_addition in read


@pytest.mark.slow
def test_what_happens_next_has_no_english_on_a_welsh_page(client: TestClient, clock: SettableClock) -> None:
    def steps(page: Any) -> str:
        return str(page.text.partition("Beth sy’n digwydd nesaf")[2].partition("</ol>")[0].partition("</ul>")[0])

    elsewhere = {"children.0.home_council": "E06000024"}
    sent = [
        client.post(
            "/cy/raise-a-concern", data=SENT | elsewhere | {"do": "send", "immediate_danger": danger, "key": key}
        )
        for danger, key in (("yes", KEY), ("no", KEY.replace("5", "6")))
    ]
    known = dict(
        zip(("reference", "code"), re.findall(r'class="reference">(?:<span[^>]*>)?([^<]*)<', sent[1].text), strict=True)
    )
    waits = client.post("/cy/concerns", data=known)
    added = client.post("/cy/concerns/additions", data=known | {"narrative": "No."})
    clock.time += dt.timedelta(days=3)
    late = client.post("/cy/concerns", data=known)

    for page in (*sent, waits, added, late):
        assert 'lang="en"' not in steps(page), steps(page)
    assert "Peidiwch ag aros amdanom ni. Ffoniwch 999 nawr." in steps(sent[0])
    assert "Os nad oes neb wedi gwneud erbyn hynny, ffoniwch ni." in steps(sent[1])
    assert "yr hyn a ychwanegwyd gennych" not in steps(added), "the deadline stands once"
    assert "Dylai gweithiwr cymdeithasol fod wedi ei ddarllen erbyn" in steps(late)


def test_what_is_added_on_the_page_reaches_the_desk(
    client: TestClient, service: FastAPI, receipt: dict[str, Any]
) -> None:
    page = add(client, receipt, narrative=MORE, immediate_danger="not_sure")

    assert page.status_code == 200
    assert '<h1 tabindex="-1" autofocus>We have what you added</h1>' in page.text
    assert MORE not in page.text
    assert "Not read yet." in page.text
    assert page.headers["cache-control"] == "no-store"
    opened = desk_of(service, client).get(f"/concerns/{receipt['reference']}").json()
    (added,) = opened["additions"]
    assert added["addition"] == {"immediate_danger": "not_sure", "concern": {"narrative": MORE}}


@pytest.mark.slow
def test_repeated_words_are_added_once_and_other_words_are_kept(client: TestClient, receipt: dict[str, Any]) -> None:
    add(client, receipt, narrative=MORE)
    again = add(client, receipt, narrative=MORE)

    other = add(client, receipt, narrative="Other words.")

    assert (again.status_code, other.status_code) == (200, 422)
    assert "Other words.</textarea>" in other.text
    key = re.findall(r'name="key" value="([^"]*)"', other.text)[0]
    assert key != KEY
    assert client.post("/concerns/additions", data=proof(receipt, narrative="Other words.") | {"key": key}).is_success
    status = client.post("/concerns", data=proof(receipt)).text
    assert len(re.findall('id="addition-', status)) == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"narrative": "  "}, "Enter what you want to add"),
        ({"narrative": "x" * 200_001}, "too long"),
        ({"narrative": MORE, "immediate_danger": "perhaps"}, "Choose yes, no or not sure"),
    ],
)
def test_what_cannot_be_added_stays_on_the_page_with_the_reason(
    client: TestClient, receipt: dict[str, Any], fields: dict[str, str], message: str
) -> None:
    page = add(client, receipt, **fields)

    assert page.status_code == 422
    assert len(re.findall(message, page.text)) == 2
    assert len(re.findall('class="fault"', page.text)) == 1
    assert fields["narrative"] in page.text


def test_what_could_not_be_stored_stays_on_the_page(
    client: TestClient, receipt: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise StoreBusy

    monkeypatch.setattr(follow_up, "store_addition", fail)

    page = add(client, receipt, narrative=MORE)

    assert page.status_code == 503
    assert "Nothing is lost" in page.text
    assert MORE in html.unescape(page.text)


def test_a_page_that_can_add_nothing_more_says_who_to_call(
    client: TestClient, receipt: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRY_SPECS, EntryKind.ADDITION, replace(ENTRY_SPECS[EntryKind.ADDITION], most=0))

    page = add(client, receipt, narrative=MORE)

    assert page.status_code == 422
    assert "Nothing more can be added" in page.text
    assert MORE in html.unescape(page.text)
    assert "01225 396312" in page.text


UNKNOWN, WRONG_CODE = "4F7K-926W-0X37", "7K3M-9QXT-2W8R-VB5N"


def test_a_wrong_code_adds_nothing_and_reveals_no_concern(client: TestClient, receipt: dict[str, Any]) -> None:
    pages = [
        client.post("/concerns/additions", data={"reference": reference, "code": WRONG_CODE, "narrative": MORE})
        for reference in (receipt["reference"], UNKNOWN)
    ]

    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].text.replace(receipt["reference"], UNKNOWN) == pages[1].text


def test_the_statements_name_the_councils_contacts_and_what_it_has_set(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guides, "find_last_run", lambda: dt.date(2026, 11, 24))
    own = settings.model_copy(
        update={
            "council_name": "Example Council",
            "accessibility_contact": ("mailto:access@council.example", "tel:01632-960001"),
            "privacy_contact": ("mailto:privacy@council.example",),
            "privacy_notice_url": "https://council.example/privacy",
            "retention_closed_days": 365,
        }
    )
    with TestClient(create_app(own, SettableClock())) as client:
        accessibility, privacy = (client.get(path).text for path in ("/accessibility", "/privacy"))

    assert '<a href="mailto:access@council.example" rel="noreferrer">Email access@council.example</a>' in accessibility
    assert '<a href="tel:01632-960001" rel="noreferrer">Call 01632 960001</a>' in accessibility
    for demanded in ("partly compliant", "2.2", "EHRC", "prepared on"):
        assert demanded in accessibility
    for demanded in (
        "controller",
        "article 6(1)(e)",
        "365 days",
        "Your rights",
        "Information Commissioner",
        "do not score",
    ):
        assert demanded in privacy
    assert "Email privacy@council.example" in privacy
    assert 'href="https://council.example/privacy"' in privacy


def test_without_contacts_the_statements_say_that_none_is_set(client: TestClient) -> None:
    for path in ("/accessibility", "/privacy"):
        assert "There is no contact for this here yet." in client.get(path).text


def test_the_home_page_has_the_duty_number_and_hours_after_999(
    settings: Settings,
) -> None:
    hours = "Monday to Friday 9am to 5pm"
    with TestClient(create_app(settings.model_copy(update={"duty_hours": hours}), SettableClock())) as client:
        main = client.get("/").text.partition("<main")[2]

    numbers = re.findall(r'href="tel:([^"]*)"', main)
    assert numbers[:4] == ["999", "+441225396312", "+441225396313", "+441454615165"]
    assert f"Open <span>{hours}." in main
    assert "open now" in main


@pytest.mark.parametrize("path", ["/who-can-help", "/guides/child-sexual-exploitation"])
def test_a_page_with_unchecked_contacts_says_once_what_to_do(client: TestClient, path: str) -> None:
    page = client.get(path).text

    assert page.count("If a number does not work, call 101.") == 1
    assert not re.search("(?i)has not checked|thought to be", page)


def test_a_guide_shows_signs_and_actions_before_definitions_and_notes(
    client: TestClient,
) -> None:
    page = client.get("/guides/child-sexual-exploitation").text

    headings = [each for each in re.findall(r'<h2 id="([^"]*)"', page) if each != "on-this-page"]
    assert headings[1:5] == ["indicators", "responsibilities", "contacts", "factors"]
    assert headings[-3:] == ["what-it-is", "edition", "editions"]
    assert "Printed so" in page.partition('<h2 id="edition">')[2]
    assert "Printed so" not in page.partition('<h2 id="edition">')[0]


def test_the_page_of_changes_names_a_contact_and_says_days_in_words(client: TestClient, service: FastAPI) -> None:
    first, *others = an_edition().contacts
    checked = first.model_copy(update={"verified_on": dt.date(2026, 11, 20)})
    publish_next(service, contacts=[checked.model_dump(), *(each.model_dump() for each in others)])

    page = client.get(f"/guides/{SLUG}/editions/2/changes?since=1").text

    assert "<h3>Duty and Assessment Team: checked on</h3>" in page
    assert "20 November 2026" in page
    assert "2026-11-20" not in page


def test_a_checked_contact_says_when(client: TestClient, service: FastAPI) -> None:
    first, *others = an_edition().contacts
    checked = first.model_copy(update={"verified_on": dt.date(2026, 11, 20)})
    publish_next(service, contacts=[checked.model_dump(), *(each.model_dump() for each in others)])

    assert client.get(f"/guides/{SLUG}").text.count("Checked on 20 November 2026") == 1


def test_the_saved_text_is_checked_offline_by_the_command(
    client: TestClient, receipt: dict[str, Any], tmp_path: Path
) -> None:
    kept = client.post("/concerns/receipt", data={"receipt": receipt["receipt"], "code": receipt["status_token"]})
    (tmp_path / "receipt.txt").write_text(kept.text)
    (tmp_path / "jwks.json").write_text(client.get("/.well-known/jwks.json").text)

    done = CliRunner().invoke(
        app, ["receipts", "verify", str(tmp_path / "receipt.txt"), "--jwks", str(tmp_path / "jwks.json")]
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["jti"] == receipt["reference"]


def test_what_the_api_calls_acknowledged_is_read_on_pages() -> None:
    assert (
        page_words("Nobody has acknowledged it. They should acknowledge it.")
        == "Nobody has read it. They should read it."
    )


@pytest.mark.parametrize("language", ["", "/cy", "/pl", "/ur"])
@pytest.mark.parametrize("voice", ["", "child", "professional"])
def test_whoever_comes_back_is_told_of_childline_and_who_reads_it(
    client: TestClient, language: str, voice: str
) -> None:
    receipt = client.post("/v1/concerns", json=a_concern()).json()
    typed = {"reference": receipt["reference"], "code": receipt["status_token"], "voice": voice}

    page = client.post(f"{language}/concerns", data=typed).text

    state = page.partition("<main")[2].partition('class="beside"' if language in ("", "/cy") else 'id="add"')[0]
    assert "Childline" in state
    assert 'href="tel:+448001111"' in state
    assert ("Under 18?" in page) == (not language and voice != "child")
    assert ("Only our social workers can open it." in page) == (not language)
    assert "Only the duty team" not in page
