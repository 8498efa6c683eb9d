"""A draft begun from an uploaded document: every sentence is in the draft, or waits for a place, and then gets one."""

import io
import json
import re
import socket
import zipfile
from contextlib import ExitStack
from typing import Any

import pytest
from docx import Document
from fastapi import FastAPI

from app.db.writer import Writer
from app.extensions.editing.pages.document_drafts import MAX_FILE_NAME, TOO_LARGE
from app.extensions.editing.services import child_limits, uploads
from app.extensions.editing.services.child_limits import MAX_MEMORY_BYTES
from app.extensions.editing.services.child_limits import MAX_SECONDS as MAX_CPU
from app.extensions.editing.services.document_child import read
from app.extensions.editing.services.drafts import DraftAct, discard_draft, write_guide_draft
from app.extensions.editing.services.uploads import BUSY, MAX_UPLOAD_BYTES, TOO_HEAVY
from app.extensions.editing.services.word_documents import MAX_UNPACKED_BYTES
from tests.extensions.editing.test_edit_pages import ann as ann  # noqa: PLC0414  # a fixture
from tests.extensions.editing.test_edit_pages import stored
from tests.support.drafts import SEED_GUIDE
from tests.support.people import OWN_PAGE, context_of_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

GUIDE = "county-lines"
TEXT = """County lines
Version 3
Review date: 30 September 2027
Signs to look for
• Missing from home
• A second phone
These signs do not always mean harm.
What to do
Listen: take the child seriously.
Who to contact
Duty team\t01632 960021\tMonday to Friday, 9am to 5pm
Further reading
Working together, a guide by the department
"""


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read documents in this process: a child takes a second to start."""
    monkeypatch.setattr(uploads, "_run_reader", lambda name, data, _reader: json.loads(read(name, data)))


def upload(ann: Any, data: bytes = b"", name: str = "guide.docx", **fields: str) -> Any:
    return ann.http.post(
        "/edit/document",
        files={"document": (name, data)},
        data={"guide": "", "text": ""} | fields,
        headers=ann._cookies | OWN_PAGE,
        follow_redirects=False,
    )


def word_file(*paragraphs: str) -> bytes:
    document, made = Document(), io.BytesIO()
    document.add_heading("County lines", level=0)
    document.add_heading("Signs to look for", level=1)
    for each in paragraphs:
        document.add_paragraph(each, style="List Bullet")
    document.save(made)
    return made.getvalue()


def lines_on(page: str) -> dict[str, str]:
    """Return the passages that wait for a place, each with the name of its field."""
    return {line: name for name, line in re.findall(r'<li><label for="(put:\w+)">([^<]+)</label>', page)}


def test_a_word_document_begins_a_draft(service: FastAPI, ann: Any) -> None:
    begun = upload(ann, word_file("Missing from home", "A second phone"))

    assert begun.headers["location"] == f"/edit/{GUIDE}"
    assert [each["text"] for each in stored(service, GUIDE)["indicators"]] == ["Missing from home", "A second phone"]
    assert stored(service, GUIDE)["source"]["document"] == "guide.docx"


@pytest.mark.usefixtures("in_process")
def test_passages_without_a_place_are_put_where_the_editor_says(service: FastAPI, ann: Any) -> None:
    begun = upload(ann, text=TEXT)
    assert begun.headers["location"] == f"/edit/{GUIDE}/unplaced"
    lines = lines_on(ann.get(f"/{GUIDE}/unplaced").text)
    assert set(lines) == {"Version 3", "Further reading", "Working together, a guide by the department"}

    choices = {lines["Version 3"]: "leave-out", lines["Working together, a guide by the department"]: "indicators"}
    again = ann.post(f"/{GUIDE}/unplaced", choices)
    rest = lines_on(ann.get(f"/{GUIDE}/unplaced").text)
    done = ann.post(f"/{GUIDE}/unplaced", {rest["Further reading"]: "introductions.indicators"})

    assert (again.headers["location"], done.headers["location"]) == (f"/edit/{GUIDE}/unplaced", f"/edit/{GUIDE}")
    content = stored(service, GUIDE)
    assert content["indicators"][-1]["text"] == "Working together, a guide by the department"
    assert content["introductions"]["indicators"].endswith("Further reading")
    assert content["review_by"] == "2027-09-30"
    assert "no place in the draft" not in ann.get(f"/{GUIDE}").text


@pytest.mark.usefixtures("in_process")
def test_a_passage_that_somebody_else_placed_is_not_placed_twice(service: FastAPI, ann: Any) -> None:
    upload(ann, text=TEXT)
    choice = {lines_on(ann.get(f"/{GUIDE}/unplaced").text)["Version 3"]: "indicators"}

    for _ in range(2):
        ann.post(f"/{GUIDE}/unplaced", choice)

    assert [each["text"] for each in stored(service, GUIDE)["indicators"]].count("Version 3") == 1


@pytest.mark.usefixtures("in_process")
def test_passages_of_a_draft_that_is_deleted_begin_no_other_draft(
    service: FastAPI, ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(ann, text=TEXT)
    choice = {lines_on(ann.get(f"/{GUIDE}/unplaced").text)["Version 3"]: "leave-out"}
    run, at = Writer.run, context_of_service(service).clock()

    def delete_first(writer: Writer, function: Any, *given: Any, **named: Any) -> Any:
        if function is write_guide_draft:
            run(writer, discard_draft, DraftAct(GUIDE, "desk/Ben Example", at))
        return run(writer, function, *given, **named)

    monkeypatch.setattr(Writer, "run", delete_first)
    refused = ann.post(f"/{GUIDE}/unplaced", choice)

    assert refused.status_code == 404
    assert ann.get(f"/{GUIDE}").status_code == 404


@pytest.mark.usefixtures("in_process")
def test_the_next_edition_from_a_document_keeps_ids_and_codes(service: FastAPI, ann: Any) -> None:
    ann.post(f"/{SEED_GUIDE}/begin")
    former = stored(service)["indicators"][0]
    ann.post(f"/{SEED_GUIDE}/removal", {"version": ann.version(SEED_GUIDE), "agreed": "yes"})

    begun = upload(ann, word_file(former["text"], "A sign that is new"), guide=SEED_GUIDE)

    assert begun.status_code == 303
    found = stored(service)
    assert (found["indicators"][0], "change_note" in found) == (former, False)
    assert found["publisher"]["gss_code"]


@pytest.mark.usefixtures("in_process")
def test_a_document_does_not_replace_a_draft_or_take_a_published_name(ann: Any) -> None:
    upload(ann, text=TEXT)

    refused = upload(ann, text=TEXT).text
    assert "has a draft already" in refused
    assert "A second phone" in refused, "pasted text is not lost"
    published = upload(ann, text=TEXT.replace("County lines", "Child sexual exploitation"))
    assert published.status_code == 422
    assert "There is already a guide or draft" in published.text
    assert "This guide is not published" in upload(ann, text=TEXT, guide="no-such-guide").text


def bomb(size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b"<" * size)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.docx", b"nothing", "this is not a Word document (.docx)"),
        ("a.docx", word_file()[:2000], "this is not a Word document (.docx)"),
        ("a.pdf", b"%PDF-1.7", "must be Word (.docx)"),
        ("-c.md", b"\xff\xfe", "the file must be text in UTF-8"),
        ("a.md", b"# A\n\n\0", "the file must be text in UTF-8"),
        ("a.txt", b"- a\n" * 16_000, "it is too long"),
        ("a.md", b"- a\n" * 16_000, "it is too long"),
        ("a.txt", b"\xef\xbb\xbf \n", "the document has no text"),
        ("", b"", "Choose a document, or paste its text"),
        ("a.docx", b"a" * (MAX_UPLOAD_BYTES + 1), TOO_LARGE),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value,
)
@pytest.mark.usefixtures("in_process")
def test_a_bad_document_is_refused_in_a_sentence(ann: Any, name: str, data: bytes, said: str) -> None:
    refused = upload(ann, data, name)

    assert refused.status_code == 422
    assert said in refused.text


def test_a_document_that_unpacks_to_very_much_is_refused_by_the_reader(ann: Any) -> None:
    assert "it is too large" in upload(ann, bomb(MAX_UNPACKED_BYTES + 1)).text


def test_a_reader_that_takes_too_long_is_stopped(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_SECONDS", 0.001)

    assert TOO_HEAVY in upload(ann, word_file()).text


def test_a_second_file_waits_for_the_first_and_says_so_if_that_takes_too_long(
    ann: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "yours may wait for up to a minute" in ann.http.get("/edit", headers=ann._cookies).text
    monkeypatch.setattr(uploads, "_run_reader", lambda name, data, _reader: json.loads(read(name, data)))
    slot, waited = uploads._reader_slot, []

    class Ending:  # the first file is read to its end while the second waits for as long as a file may take
        def acquire(self, *, timeout: float) -> bool:
            waited.append(timeout)
            return slot.acquire(timeout=timeout)

        release = slot.release

    monkeypatch.setattr(uploads, "_reader_slot", Ending())
    assert upload(ann, word_file()).status_code == 303
    assert waited == [uploads.MAX_SECONDS]
    monkeypatch.setattr(uploads, "_reader_slot", slot)

    monkeypatch.setattr(uploads, "MAX_SECONDS", 0)
    with uploads._reader_slot:
        assert BUSY in upload(ann, word_file()).text


def test_a_file_is_told_at_once_if_many_wait_so_that_other_requests_keep_their_threads(ann: Any) -> None:
    with ExitStack() as waiting:
        for _ in range(uploads.MAX_FILES):
            waiting.enter_context(uploads._places)
        assert BUSY in upload(ann, word_file()).text


def test_the_process_that_has_imported_the_readers_stays_and_comes_back() -> None:
    uploads.read_upload("a.md", b"# Bullying")
    process = uploads._server.process
    assert process is not None
    with pytest.raises(uploads.DocumentRefused):
        uploads.read_upload("a.docx", bomb(MAX_UNPACKED_BYTES + 1))
    uploads.read_upload("a.md", b"# Bullying")
    assert uploads._server.process is process

    process.kill()
    process.wait()
    assert uploads.read_upload("a.md", b"# Bullying").content["title"] == "Bullying"


def test_the_child_of_a_file_has_limits_and_no_secret_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUIDANCE_MADE_UP_SECRET", "made up")
    monkeypatch.setattr(uploads, "READER", "tests.support.telling_reader")
    uploads._server.end()
    told = uploads.read_upload("a.md", b"").content

    assert told["environment"] == ["LC_CTYPE", "PYTHONIOENCODING", "PYTHONPATH"]
    assert told["limits"] == [[MAX_CPU] * 2, [MAX_MEMORY_BYTES] * 2, [0, 0]]
    assert told["open_files"] == 4  # the standard ones, which lead nowhere, and the connection of this file


def test_a_reader_is_imported_once_for_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "READER", "tests.support.telling_reader")

    told = [uploads.read_upload("a.md", b"").content["imported_by"] for _ in range(2)]

    assert uploads._server.process is not None
    assert told == [uploads._server.process.pid] * 2


def test_the_process_that_has_imported_the_readers_ends_when_no_file_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_limits, "IDLE_SECONDS", 0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child_limits.serve_files(theirs)

        with pytest.raises(BrokenPipeError):  # so that no file is sent to a process that ends
            ours.send(b"a file")


@pytest.mark.usefixtures("in_process")
def test_only_the_end_of_a_file_name_is_kept(service: FastAPI, ann: Any) -> None:
    upload(ann, word_file("A sign"), f"C:\\fakepath\\{'a' * 300}.docx")

    assert len(stored(service, GUIDE)["source"]["document"]) == MAX_FILE_NAME


def test_the_form_refuses_other_sites_and_other_bodies(ann: Any) -> None:
    other = {"Sec-Fetch-Site": "cross-site"}
    sent = ann.http.post("/edit/document", files={"document": ("a.md", b"# A")}, headers=ann._cookies | other)
    assert sent.status_code == 403
    for kind in ("text/plain", "multipart/form-data", 'multipart/form-data; boundary="'):
        headers = ann._cookies | OWN_PAGE | {"Content-Type": kind}
        assert ann.http.post("/edit/document", content=b"--a", headers=headers).status_code in (400, 415)
