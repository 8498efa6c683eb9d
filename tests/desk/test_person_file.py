"""The file of one person, as the service takes part in it: texts, records, signature, and the check offline."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.age.files import open_with_file_key
from app.models.access.roles import Role
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.pages.audit.log_lines import lines_of_log
from app.services.concerns.keys import create_identity
from app.services.desk.exports import ExportFile
from app.services.desk.person_files import find_person_file_faults
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern
from tests.support.desk import FORM, acts_on, ask_for_file, press, send
from tests.support.people import JO, OWN_PAGE, sign_in_as
from tests.support.service import a_service

CANARY, NOTED = "Canary-Alex-Example", "Spoke to the school."
DIGEST = "a" * 64


@pytest.fixture
def references(client: TestClient) -> list[str]:
    """Two concerns about one child, one of them with an addition."""
    receipts = [raise_concern(client, concern={"narrative": f"{CANARY} {each}"}) for each in "ab"]
    add(client, receipts[0], f"{CANARY} came home.")
    return [str(each["reference"]) for each in receipts]


def given(jo: TestClient, reference: str, notes: str = "yes") -> dict[str, Any]:
    answer = press(jo, reference, "file-texts", notes=notes)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def record(jo: TestClient, references: list[str], purpose: str = "court", digest: str = DIGEST) -> Any:
    fields = [("file_sha256", digest), ("notes", "yes")]
    fields += [("reference", each) for each in references]
    return jo.post(f"{ask_for_file(jo.app, purpose)}/record", content=urlencode(fields), headers=OWN_PAGE | FORM)


def court_document(materials: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the JSON of a file for a court, as the browser makes it of what a service that reads gives."""
    concerns = []
    for each in materials:
        history = [{name: entry[name] for name in entry if name != "detail"} for entry in each["statement"]["history"]]
        texts = [text | {"opened": opened(text)} for text in each["texts"]]
        statement = each["statement"] | {"history": history}
        concerns.append({"reference": statement["concern"]["reference"], "texts": texts, "statement": statement})
    kind = {"kind": "guidance-person-file", "version": 1, "purpose": "court", "notes_included": True}
    return kind | {"keys": materials[0]["keys"], "concerns": concerns}


def opened(text: dict[str, Any]) -> Any:
    return json.loads(open_with_file_key(base64.b64decode(text["sealed"]), base64.b64decode(text["file_key"])))


@pytest.mark.slow
def test_each_opened_concern_is_one_entry_and_the_file_another(
    service: FastAPI, jo: TestClient, references: list[str]
) -> None:
    before = [len(acts_on(service, each)) for each in references]

    for each in references:
        given(jo, each)
    signed = record(jo, references, "person")

    assert signed.status_code == 200
    added = [acts_on(service, each)[number:] for each, number in zip(references, before, strict=True)]
    made = f"file of one person, 2 concerns, for that person, sha256:{DIGEST} with notes"
    shown = "history and sealed texts, for the file of one person, additions 1 to 1"
    by = f"passkey:desk/{JO}"
    assert added[0] == [(DeskAct.OPENED, by, shown), (DeskAct.EXPORTED, by, made)]
    assert [act for act, _, _ in added[1]] == [DeskAct.OPENED, DeskAct.EXPORTED]
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.slow
def test_the_log_has_a_line_for_openings_and_one_for_the_file(
    service: FastAPI, jo: TestClient, references: list[str]
) -> None:
    for each in references:
        given(jo, each)
    record(jo, references)

    with Session(service.state.context.engine) as session:
        entries = session.exec(select(AuditEntryRow).where(AuditEntryRow.client == f"passkey:desk/{JO}")).all()
    ours = [each for each in entries if each.chain in references]

    lines = lines_of_log(sorted(ours, key=lambda each: each.position or 0, reverse=True), {})
    assert [line.what for line in lines] == ["File of one person made, 2 concerns", "2 concerns opened"]
    assert lines[0].reference is None
    assert all(each in lines[0].folded for each in references)


def test_a_signature_for_the_person_does_not_name_the_worker(jo: TestClient, references: list[str]) -> None:
    claims = []
    for purpose in ("person", "court"):
        payload = record(jo, references, purpose).json()["signature"].split(".")[1]
        claims.append(json.loads(base64.urlsafe_b64decode(payload + "==")))

    assert (claims[0]["references"], claims[0]["purpose"], "by" in claims[0]) == (references, "person", False)
    assert claims[1]["by"].endswith(JO)


def test_a_file_with_a_concern_that_cannot_be_read_is_not_recorded(
    service: FastAPI, jo: TestClient, references: list[str]
) -> None:
    before = acts_on(service, references[0])

    unknown = record(jo, [references[0], "4F7K-926W-0X37"])
    misspelt = record(jo, [references[0]], digest="nobody")
    none = record(jo, [])

    assert [each.status_code for each in (unknown, misspelt, none)] == [404, 422, 422]
    assert acts_on(service, references[0]) == before


def test_only_a_worker_gets_texts_for_a_file(service: FastAPI, jo: TestClient, references: list[str]) -> None:
    page = ask_for_file(service)
    sign_in_as(service, jo, "Sam Example", role=Role.READER)

    refused = [press(jo, references[0], "file-texts"), jo.get(page), jo.get("/desk/person-file")]
    refused += [send(jo, f"{page}/record", file_sha256=DIGEST), send(jo, "/desk/person-file", asker="court")]

    assert [each.status_code for each in refused] == [403] * 5


def test_a_service_that_cannot_read_gives_no_key_of_a_text(tmp_path: Path) -> None:
    elsewhere = a_service(data_dir=tmp_path / "x", seal_to=(create_identity(tmp_path / "id", at=A_TUESDAY),))
    with TestClient(elsewhere) as other:
        reference = str(raise_concern(other, concern={"narrative": CANARY})["reference"])
        sign_in_as(elsewhere, other)

        material = press(other, reference, "file-texts").json()

        assert [sorted(each) for each in material["texts"]] == [["kind", "number", "sealed"]]
        assert "data-sealed" in other.get(ask_for_file(elsewhere)).text


@pytest.fixture
def court_file(jo: TestClient, references: list[str]) -> ExportFile:
    """A file for a court, signed, before it is a PDF."""
    document = court_document([given(jo, each) for each in references])
    return ExportFile(DIGEST, record(jo, references).json()["signature"], document)


def faults_of(file: ExportFile, jo: TestClient) -> list[str]:
    return list(find_person_file_faults(file, jo.get("/.well-known/jwks.json").json()))


@pytest.mark.slow
def test_a_whole_file_for_a_court_is_found_complete(jo: TestClient, court_file: ExportFile) -> None:
    assert faults_of(court_file, jo) == []


@pytest.mark.slow
def test_a_changed_or_missing_part_of_a_court_file_is_found(jo: TestClient, court_file: ExportFile) -> None:
    def changed(change: Any) -> list[str]:
        document = orjson.loads(orjson.dumps(court_file.document))
        change(document)
        return faults_of(court_file._replace(document=document), jo)

    first = court_file.document["concerns"][0]["reference"]
    another = "the signature of the file is that of another export"
    words = changed(lambda each: each["concerns"][0]["texts"][0]["opened"]["submission"].update(x=1))
    assert words == [f"{first}: the concern differs from the sealed text"]
    assert changed(lambda each: each["concerns"].pop()) == [another]
    assert changed(lambda each: each["concerns"][0]["texts"].pop()) == [f"{first}: addition 1 is missing"]
    assert changed(lambda each: each.update(purpose="person")) == [another]
    assert changed(lambda each: each.pop("purpose")) == ["the JSON in it is not that of the file of one person"]
    altered = court_file._replace(sha256=hashlib.sha256(b"altered").hexdigest())
    assert faults_of(altered, jo) == ["the file was altered since it was signed"]
