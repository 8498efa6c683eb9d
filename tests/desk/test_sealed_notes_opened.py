"""A note that was sealed where it was typed, opened away from the service: by the commands, and in an export."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pytest
from starlette.testclient import TestClient

from app.errors import SealedTextMisplaced
from app.extensions.terminal.client import DeskClient
from app.extensions.terminal.desk import open_whole
from app.extensions.terminal.export import make_export
from app.models.audit.entry_kinds import EntryKind
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import Unsealer, make_sealer, read_identities, seal_written, written_plaintext
from app.services.desk import exports
from app.services.desk.exports import find_export_faults, read_export_file
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.desk import Desk, worker_of
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CANARY = "QuetzalSealed"
OWN = "desk-of-robin/Robin Example"


@dataclass(frozen=True)
class Away:
    """A service that cannot read, a worker of it, a concern, and the identity that opens it."""

    http: Any
    robin: Desk
    reference: str
    recipient: str
    unsealer: Unsealer

    def note(self, sealed: bytes) -> None:
        body = {"sealed": base64.b64encode(sealed).decode(), "recipients": [self.recipient]}
        assert self.robin.act(self.reference, "notes", **body).status_code == 201

    def export(self) -> bytes:
        service = DeskClient(self.http)
        return make_export(service, self.reference, self.unsealer, notes=True, council="Example Council")[0]


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    recipient = create_identity(tmp_path / "team.txt", at=A_TUESDAY)
    service = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with TestClient(service) as http:
        reference = raise_concern(http)["reference"]
        robin = worker_of(service, http, "Robin Example")
        http.headers.update(robin.headers)
        yield Away(http, robin, reference, recipient, read_identities(tmp_path / "team.txt"))


def test_both_forms_of_note_open_with_the_record_s_author_and_time(away: Away) -> None:
    away.note(seal_written(EntryKind.NOTE, f"{CANARY} typed.", away.reference, [away.recipient]))
    away.robin.act(away.reference, "notes", text=f"{CANARY} sent.")

    _, added = open_whole(DeskClient(away.http), away.reference, away.unsealer, with_notes=True)

    assert [each["note"]["text"] for each in added["notes"]] == [f"{CANARY} typed.", f"{CANARY} sent."]
    assert {(each["author"], each["received_at"]) for each in added["notes"]} == {(OWN, "2026-11-24T09:30:00Z")}


def test_an_export_prints_each_note_s_author_and_time_and_verifies(away: Away) -> None:
    away.note(seal_written(EntryKind.NOTE, f"{CANARY} typed.", away.reference, [away.recipient]))

    content = away.export()

    file = read_export_file(content)
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert f"{CANARY} typed." in printed
    assert "Note 1, Tuesday 24 November 2026 at 09:30, by Robin Example" in printed
    assert file.document["texts"][-1]["opened"]["note"] == {"text": f"{CANARY} typed."}
    assert list(find_export_faults(file, file.document["keys"])) == []


@pytest.mark.parametrize(
    "claims", [{"author": "desk-of-robin/Sam Example"}, {"received_at": "2026-11-23T09:30:00Z"}], ids=("author", "time")
)
def test_a_note_with_another_author_or_time_is_never_opened(
    away: Away, claims: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    away.note(
        make_sealer([away.recipient]).seal(written_plaintext(EntryKind.NOTE, "Forged.", away.reference, **claims))
    )

    with pytest.raises(SealedTextMisplaced):
        open_whole(DeskClient(away.http), away.reference, away.unsealer, with_notes=True)
    with pytest.raises(SealedTextMisplaced):
        away.export()
    monkeypatch.setattr(
        exports,
        "open_note",
        lambda unsealer, sealed, *, reference, **_: unsealer.open(sealed, reference=reference),
    )
    file = read_export_file(away.export())  # by a program that compares nothing
    assert list(find_export_faults(file, file.document["keys"])) == [
        "note 1 names another time or author than the history"
    ]
