"""Labels of the desk: sealed like a note, the newest counts, erased and resealed with the concern."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.models.audit.details import DECIDING_ACTS, others_acts_to_see
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind
from app.services.audit.audit_log import Actor
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import LEAST_CARD, make_sealer, read_identities, seal_written, written_plaintext
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.databases import RawConnection, files_of
from tests.support.desk import Desk, acts_on, press, text_of
from tests.support.people import sign_in_as

CANARY = "QuetzalLabel, Year 9"
OPERATOR = Actor("operator", "this machine", A_TUESDAY)


def set_label(desk: Desk, reference: str, **label: Any) -> Any:
    return desk.http.put(f"/v1/desk/concerns/{reference}/label", json=label, headers=desk.headers)


def labels_in(database: RawConnection) -> list[Any]:
    rows = database.execute("SELECT sealed FROM entries WHERE kind = 'label' ORDER BY number").fetchall()
    return [sealed for (sealed,) in rows]


def given_label(desk: Desk, settings: Settings) -> Any:
    """Return the document of the label that the cards have, opened on the team's computer; None if there is none."""
    (card,) = desk.get("/cards").json()["cards"]
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    return card["label"] and json.loads(unsealer.decrypt(base64.b64decode(card["label"])))


def test_the_newest_label_counts(desk: Desk, robin: Desk, settings: Settings, reference: str) -> None:
    first = set_label(desk, reference, text="Alex, first")

    second = set_label(robin, reference, text=f"  {CANARY} ")

    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json()["number"], second.json()["by"]) == (2, "desk-of-robin/Robin Example")
    assert given_label(desk, settings)["label"] == {"text": CANARY}


def test_an_empty_label_takes_the_label_away(desk: Desk, settings: Settings, reference: str) -> None:
    set_label(desk, reference, text=CANARY)

    set_label(desk, reference, text="")

    assert given_label(desk, settings)["label"] == {"text": ""}


@pytest.mark.slow
def test_a_label_sealed_in_the_browser_is_stored_unchanged(
    desk: Desk, settings: Settings, reference: str, database: RawConnection
) -> None:
    keys = desk.get("/recipients").json()["recipients"]
    sealed = seal_written(EntryKind.LABEL, CANARY, reference, keys)

    answer = set_label(desk, reference, sealed=base64.b64encode(sealed).decode(), recipients=keys)

    assert answer.status_code == 200
    assert labels_in(database) == [sealed]
    assert desk.get(f"/concerns/{reference}/label").content == sealed
    assert given_label(desk, settings) == {"reference": reference, "label": {"text": CANARY}}


def test_a_note_is_no_label(desk: Desk, reference: str) -> None:
    keys = desk.get("/recipients").json()["recipients"]
    sealed = make_sealer(keys).seal(json.dumps({"reference": reference, "note": {"text": CANARY}}).encode())

    answer = set_label(desk, reference, sealed=base64.b64encode(sealed).decode(), recipients=keys)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "this is not a label about this concern encrypted to those keys"


@pytest.mark.parametrize("text", ["x" * 41, "two\nlines", "a\ttab"])
def test_a_label_is_one_line_of_at_most_40_letters(desk: Desk, reference: str, text: str) -> None:
    answer = set_label(desk, reference, text=text)

    assert answer.status_code == 422
    assert text not in answer.text


def test_the_length_of_a_label_is_padded() -> None:
    lengths = {
        len(written_plaintext(EntryKind.LABEL, "é" * length, "4F7K-926W-0X37", author="a/" + "b" * 60))
        for length in range(41)
    }

    assert lengths == {LEAST_CARD}


def test_a_concern_without_a_label_has_none_to_download(desk: Desk, reference: str) -> None:
    assert desk.get(f"/concerns/{reference}/label").status_code == 404


def test_labels_beyond_the_limit_are_refused(desk: Desk, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        ENTRY_SPECS,
        EntryKind.LABEL,
        ENTRY_SPECS[EntryKind.LABEL].__class__(**vars(ENTRY_SPECS[EntryKind.LABEL]) | {"most": 1}),
    )
    set_label(desk, reference, text="one")

    refused = set_label(desk, reference, text="two")

    assert (refused.status_code, refused.json()["type"]) == (409, "/v1/problems/too-many-labels")


@pytest.mark.slow
def test_a_label_is_on_the_record_and_changes_the_concern(
    service: FastAPI, desk: Desk, context: AppContext, clock: Any, reference: str
) -> None:
    clock.time = A_TUESDAY.replace(hour=11)

    set_label(desk, reference, text=CANARY)

    acts = acts_on(service, reference)
    (entry,) = desk.get("/concerns").json()["concerns"]
    assert [act for act, _, _ in acts] == ["received", "labelled"]
    assert CANARY not in str(acts)
    assert entry["changed_at"] == "2026-11-24T11:30:00Z"
    assert list(find_faults(context.engine)) == []


def test_a_label_of_another_worker_holds_up_no_decision() -> None:
    assert "labelled" not in {act for decision in DECIDING_ACTS for act in others_acts_to_see(decision)}


def test_erasure_takes_the_labels(desk: Desk, reference: str, database: RawConnection) -> None:
    set_label(desk, reference, text=CANARY)
    desk.act(reference, "acknowledgement")

    desk.act(reference, "erasure", reason="A made-up reason.")

    assert labels_in(database) == [None]
    assert set_label(desk, reference, text="again").status_code == 410


@pytest.mark.slow
def test_a_label_is_resealed_with_its_concern(
    desk: Desk, context: AppContext, settings: Settings, reference: str, database: RawConnection, tmp_path: Path
) -> None:
    set_label(desk, reference, text=CANARY)
    new = make_sealer([create_identity(tmp_path / "new.txt", at=A_TUESDAY)])
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)

    result = reseal(context.engine, context.writer, unsealer, new, actor=OPERATOR)

    (sealed,) = labels_in(database)
    assert result.count == 2
    assert read_identities(tmp_path / "new.txt").open(sealed, reference=reference)["label"] == {"text": CANARY}
    assert list(find_faults(context.engine)) == []


def test_no_letter_of_a_label_is_in_a_file_of_the_service(desk: Desk, reference: str, tmp_path: Path) -> None:
    set_label(desk, reference, text=CANARY)

    assert [path for path, content in files_of(tmp_path).items() if CANARY.encode() in content] == []


@pytest.mark.slow
def test_a_worker_sets_the_label_on_the_page_and_sees_it(client: TestClient, service: FastAPI, reference: str) -> None:
    sign_in_as(service, client)

    press(client, reference, "label", text=CANARY, seen="1")

    page = client.get(f"/desk/concerns/{reference}")
    assert f"Label {CANARY}" in text_of(page)
    press(client, reference, "label", text="", seen="4")
    assert "Label None" in text_of(client.get(f"/desk/concerns/{reference}"))
