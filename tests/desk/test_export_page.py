"""The export of a concern by a form, if the service opens concerns: the same signed file as the command makes."""

import io
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.roles import Role
from app.models.audit.rows import DeskAct
from app.pages.page import UNSEAL_SCRIPT
from app.services.concerns.keys import create_identity
from app.services.desk.exports import find_export_faults, read_export_file
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern
from tests.support.desk import acts_on, look, press
from tests.support.people import JO, sign_in_as
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CANARY, NOTED = "Canary-Alex-Example", "Spoke to the school."
BUTTON = "Save the export"


def raised(client: TestClient) -> str:
    receipt = raise_concern(client, concern={"narrative": CANARY})
    add(client, receipt, f"{CANARY} came home.")
    return str(receipt["reference"])


@pytest.mark.parametrize("notes", [True, False])
def test_a_press_saves_a_signed_file_checked_offline_and_records_it(
    service: FastAPI, client: TestClient, notes: bool
) -> None:
    client.follow_redirects = False
    reference = raised(client)
    sign_in_as(service, client)
    press(client, reference, "notes", text=NOTED)
    seen = look(client, reference)

    answer = press(client, reference, "export", seen=seen, **({"notes": "yes"} if notes else {}))

    file, keys = read_export_file(answer.content), client.get("/.well-known/jwks.json").json()
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    assert answer.headers["content-type"] == "application/pdf"
    assert f'filename="{reference}.pdf"' in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    assert list(find_export_faults(file, keys)) == []
    assert CANARY in printed
    assert (NOTED in printed) == notes
    assert file.document["statement"]["by"].endswith(f"/{JO}")
    (act, who, detail) = acts_on(service, reference)[-1]
    assert (act, who) == (DeskAct.EXPORTED, f"passkey:desk/{JO}")
    assert detail == f"sha256:{file.sha256} {'with' if notes else 'without'} notes"


def test_only_a_worker_may_export_and_only_words_that_open_here(
    tmp_path: Path, service: FastAPI, client: TestClient
) -> None:
    reference = raised(client)
    sign_in_as(service, client, role=Role.READER)
    by_reader = (client.get(f"/desk/concerns/{reference}").text, press(client, reference, "export"))
    sign_in_as(service, client, "Sam Example")
    by_worker = client.get(f"/desk/concerns/{reference}").text
    press(client, reference, "acknowledgement", up_to_addition="1")
    press(client, reference, "erasure", reason="Requested in writing.", sure="yes", repeated=reference)
    erased = (client.get(f"/desk/concerns/{reference}").text, press(client, reference, "export"))

    assert (BUTTON in by_worker, BUTTON in by_reader[0], BUTTON in erased[0]) == (True, False, False)
    assert (by_reader[1].status_code, erased[1].status_code) == (403, 410)
    elsewhere: Any = a_service(data_dir=tmp_path / "x", seal_to=(create_identity(tmp_path / "id", at=A_TUESDAY),))
    with TestClient(elsewhere) as other:
        there = raised(other)
        sign_in_as(elsewhere, other)
        in_browser = "<button disabled>Save the export</button>" in other.get(f"/desk/concerns/{there}").text
        assert in_browser is UNSEAL_SCRIPT.is_file()
        assert press(other, there, "export").status_code == 406
    assert [each for each, _, _ in acts_on(service, reference)].count(DeskAct.EXPORTED) == 0
