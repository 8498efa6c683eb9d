"""An export: one concern as one PDF with JSON inside, which the service signs unread, and anyone checks offline."""

import base64
import copy
import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.errors import ExportNotGenuine
from app.extensions.terminal.client import DeskClient
from app.extensions.terminal.export import make_export
from app.main import create_app
from app.services.concerns.keys import create_identity
from app.services.concerns.receipt_signing import check_receipt
from app.services.concerns.sealing import Unsealer, read_identities
from app.services.desk.exports import (
    ExportFile,
    add_signature,
    find_export_faults,
    finish_pdf,
    pinned_keys,
    read_export_file,
)
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add
from tests.support.databases import files_of
from tests.support.desk import Desk, desk_of, worker_of
from tests.support.loops import for_each
from tests.support.service import a_service

CANARY = "QuetzalExport"
NEIGHBOUR = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


@dataclass(frozen=True)
class Case:
    """A concern with additions, notes and a hand-over, at a service that cannot read it, and an export of it."""

    http: TestClient
    desk: Desk
    unsealer: Unsealer
    reference: str
    keys: dict[str, Any]
    content: bytes

    @property
    def file(self) -> ExportFile:
        return read_export_file(self.content)

    def export(self, *, notes: bool = True) -> bytes:
        http: Any = self.http  # called as the client of the command is
        http.headers.update(self.desk.headers)
        return make_export(DeskClient(http), self.reference, self.unsealer, notes=notes, council="Example Council")[0]

    def sign_again(self, document: dict[str, Any]) -> ExportFile:
        """Return the file of a worker who alters the JSON, and has that signed."""
        signed = self.desk.act(self.reference, "export", file_sha256="a" * 64, notes=document["notes_included"]).json()
        return ExportFile("a" * 64, signed["signature"], document)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("export")
    team = create_identity(folder / "team.txt", at=A_TUESDAY)
    service = a_service(data_dir=folder / "data", seal_to=(team,))
    with TestClient(service) as http:
        concern = {
            "immediate_danger": "yes",
            "reporter": {"kind": "professional", "name": f"{CANARY} Reporter"},
            "children": [{"given_names": f"{CANARY} Zoë 😀"}],
            "concern": {"narrative": f"{CANARY} narrative *not* #bold"},
        }
        receipt = http.post("/v1/concerns", json=concern).json()
        reference = receipt["reference"]
        add(http, receipt, f"{CANARY} first", danger="yes")
        add(http, receipt, f"{CANARY} second")
        worker = worker_of(service, http, "Robin Example")
        worker.act(reference, "notes", text=f"{CANARY} note")
        handed = {"recipient": NEIGHBOUR, "body": "Next Council", "reason": "Moved.", "package_sha256": "b" * 64}
        worker.act(reference, "hand-over", **handed)
        worker.act(reference, "hand-over/1/receipt", receipt="a.b.c")
        keys = http.get("/.well-known/jwks.json").json()
        made = Case(http, worker, read_identities(folder / "team.txt"), reference, keys, b"")
        yield dataclasses.replace(made, content=made.export())


def refused_or_faulty(content: bytes, case: Case) -> list[str]:
    try:
        return faults_of(read_export_file(content), case)
    except ExportNotGenuine as refusal:
        return [str(refusal)]


def faults_of(file: ExportFile, case: Case) -> list[str]:
    return list(find_export_faults(file, case.keys))


@pytest.mark.slow
@pytest.mark.any_database
def test_the_pdf_is_tagged_says_every_word_and_has_the_json_attached(case: Case) -> None:
    pdf = pypdf.PdfReader(io.BytesIO(case.content))

    printed = " ".join(page.extract_text() for page in pdf.pages)
    (attached,) = pdf.attachments["concern.json"]
    for words in ("Reporter", "Zoë", "narrative *not* #bold", "first", "second", "note"):
        assert f"{CANARY} {words}" in printed
    assert "Robin Example" in printed
    assert "Next Council" in printed
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]  # PDF objects have no types
    assert json.loads(attached) == case.file.document
    assert faults_of(case.file, case) == []


@pytest.mark.slow
@pytest.mark.any_database
def test_the_service_s_signature_names_the_person_and_the_file(case: Case) -> None:
    claims = check_receipt(case.file.signature, case.keys, kind="concern-export+jws")

    assert (claims["jti"], claims["file_sha256"], claims["notes"]) == (case.reference, case.file.sha256, True)
    assert claims["by"].endswith("/Robin Example")


@pytest.mark.slow
@pytest.mark.any_database
def test_notes_are_left_out_unless_they_are_wanted(case: Case) -> None:
    without = case.export(notes=False)

    file = read_export_file(without)
    printed = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(without)).pages)
    assert f"{CANARY} note" not in printed
    assert "left the notes out" in printed
    assert [each["kind"] for each in file.document["texts"]] == ["concern", "addition", "addition"]
    assert faults_of(file, case) == []


@pytest.mark.any_database
@for_each("place", [0.01, 0.2, 0.5, 0.8, 0.97])
def test_a_changed_byte_anywhere_in_the_file_is_found(case: Case, place: float) -> None:
    changed = bytearray(case.content)
    changed[int(len(changed) * place)] ^= 1

    assert refused_or_faulty(bytes(changed), case)


@pytest.mark.any_database
@pytest.mark.parametrize("change", [lambda file: file + b" ", lambda file: file[:-1], lambda file: file + file])
def test_what_was_added_or_cut_at_the_end_is_found(case: Case, change: Callable[[bytes], bytes]) -> None:
    assert refused_or_faulty(change(case.content), case)


def alter(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return a function that replaces the value at that place of the document."""

    def change(document: dict[str, Any]) -> None:
        *above, last = path
        holder: Any = document
        for step in above:
            holder = holder[step]
        old = holder[last]
        holder[last] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}x"

    return change


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return a function that takes the entry at that place out of the document."""

    def change(document: dict[str, Any]) -> None:
        *above, last = path
        holder: Any = document
        for step in above:
            holder = holder[step]
        del holder[last]

    return change


def exchange_texts(document: dict[str, Any]) -> None:
    first, second = document["texts"][1], document["texts"][2]
    first["number"], second["number"] = second["number"], first["number"]


def seal_other_words(document: dict[str, Any]) -> None:
    """Replace a text by another that is whole: that of the second addition."""
    document["texts"][1] = document["texts"][2] | {"number": 1}


def exchange_their_receipt(document: dict[str, Any]) -> None:
    document["statement"]["hand_overs"][0]["their_receipt"] = "d.e.f"


def put_in_a_sentence(document: dict[str, Any]) -> None:
    document["statement"]["history"][0]["detail"] = "nobody opened it"


def empty_the_history(document: dict[str, Any]) -> None:
    document["statement"]["history"] = []


def hide_the_hand_over(document: dict[str, Any]) -> None:
    document["statement"]["hand_overs"] = []


@pytest.mark.slow
@pytest.mark.any_database
@for_each(
    ("change", "fault"),
    [
        (alter("texts", 0, "opened", "submission", "concern", "narrative"), "the concern differs from the sealed text"),
        (alter("texts", 1, "opened", "addition", "concern", "narrative"), "addition 1 differs from the sealed text"),
        (alter("texts", 3, "opened", "note", "text"), "note 1 differs from the sealed text"),
        (alter("texts", 3, "opened", "author"), "note 1 differs from the sealed text"),
        (drop("texts", 0), "the concern is missing"),
        (drop("texts", 2), "addition 2 is missing"),
        (drop("texts", 3), "note 1 is missing"),
        (exchange_texts, "addition 1 is not the sealed text that the history has"),
        (seal_other_words, "addition 1 is not the sealed text that the history has"),
        (alter("statement", "history", 0, "details", "sealed_sha256"), "row 1 of the history was altered"),
        (put_in_a_sentence, "row 1 of the history was altered"),
        (alter("statement", "history", 3, "client"), "row 4 of the history was altered"),
        (drop("statement", "history", 2), "the history is broken before row 3"),
        (drop("statement", "history", -1), "the history does not end where the service said"),
        (empty_the_history, "the history does not end where the service said"),
        (
            alter("statement", "concern", "state"),
            "the unencrypted data of the concern differ from what the service signed",
        ),
        (alter("statement", "notes"), "the unencrypted data of the concern differ from what the service signed"),
        (alter("statement", "by"), "the unencrypted data of the concern differ from what the service signed"),
        (alter("statement", "hand_overs", 0, "receipt"), "the receipt of hand-over 1 is not the one that the service"),
        (alter("statement", "hand_overs", 0, "reason"), "a hand-over, or a receipt of one, is not the one that"),
        (exchange_their_receipt, "a hand-over, or a receipt of one, is not the one that"),
        (hide_the_hand_over, "a hand-over, or a receipt of one, is not the one that"),
        (alter("statement", "statement"), "the statement is not signed by this service"),
        (alter("reference"), "the signature of the file is that of another export"),
        (drop("statement"), "the JSON in it is not that of an export"),
        (drop("texts"), "the JSON in it is not that of an export"),
    ],
)
def test_even_what_a_worker_altered_and_had_signed_is_found(
    case: Case, change: Callable[[dict[str, Any]], None], fault: str
) -> None:
    document = copy.deepcopy(case.file.document)
    assert faults_of(case.sign_again(document), case) == []

    change(document)

    assert [each for each in faults_of(case.sign_again(document), case) if fault in each]


@pytest.mark.any_database
def test_the_key_of_a_text_opens_only_that_text(case: Case) -> None:
    document = copy.deepcopy(case.file.document)
    document["texts"][1]["file_key"] = document["texts"][2]["file_key"]

    assert faults_of(case.sign_again(document), case) == ["addition 1 cannot be decrypted with its key"]
    assert base64.b64decode(document["texts"][0]["sealed"]).startswith(b"age-encryption.org/v1")
    assert not re.search("AGE-SECRET-KEY", json.dumps(document))


@pytest.mark.any_database
def test_a_key_inside_the_file_counts_only_if_it_is_pinned(case: Case, tmp_path: Path) -> None:
    (kid,) = (each["kid"] for each in case.keys["keys"])
    forged = copy.deepcopy(case.file.document)
    stranger = create_app(Settings(data_dir=tmp_path / "stranger", deliver=False))
    theirs = stranger.state.context.signer.jwks[0]
    forged["keys"]["keys"] = [dict(theirs) | {"kid": kid}]

    assert list(find_export_faults(case.file, pinned_keys(case.file.document, [kid]))) == []
    with pytest.raises(ExportNotGenuine):
        pinned_keys(forged, [kid])
    assert "the signature of the file is not one of this service" in list(
        find_export_faults(case.file, {"keys": [dict(theirs)]})
    )


@pytest.mark.slow
@pytest.mark.any_database
def test_words_that_no_font_can_print_are_exported_too(case: Case) -> None:
    case.desk.act(case.reference, "notes", text="中文 \u200b end")

    file = read_export_file(case.export())

    assert file.document["texts"][-1]["opened"]["note"]["text"] == "中文 \u200b end"
    assert faults_of(file, case) == []


@pytest.mark.any_database
def test_a_signature_stays_readable_for_programs_that_start_at_the_end() -> None:
    pdf = finish_pdf(b"%PDF-1.7\nbody\nstartxref\n9\n%%EOF")

    assert add_signature(pdf, "a.b.c").endswith(b"%%EOF\n%guidance-export a.b.c\nstartxref\n9\n%%EOF\n")


@pytest.mark.any_database
def test_the_command_verifies_offline_and_says_what_it_found(case: Case, tmp_path: Path) -> None:
    good, bad, jwks = tmp_path / "good.pdf", tmp_path / "bad.pdf", tmp_path / "jwks.json"
    good.write_bytes(case.content)
    bad.write_bytes(case.content.replace(b"/Title", b"/title", 1))
    jwks.write_text(json.dumps(case.keys))

    command = ["export", "verify", "--jwks", str(jwks)]
    whole, altered = (CliRunner().invoke(app, [*command, str(path)]) for path in (good, bad))

    assert (whole.exit_code, altered.exit_code) == (0, 1), whole.stderr
    assert f"{case.reference}: complete and unchanged" in whole.stdout
    assert "altered since it was signed" in altered.stderr


def test_an_export_is_recorded_and_none_of_its_words_are_kept(
    case: Case,
) -> None:
    service: Any = case.http.app
    auditor = desk_of(service, case.http)

    chain = auditor.get(f"/disclosures?chain={case.reference}&limit=200").json()["disclosures"]

    exported = [row for row in chain if row["act"] == "exported"]
    data_dir = service.state.context.settings.data_dir
    assert exported[0]["detail"] == f"sha256:{case.file.sha256} with notes"
    assert exported[0]["client"].endswith("/Robin Example")
    assert next(row["detail"] for row in chain if row["act"] == "listed") == "history, for an export"
    assert list(find_faults(service.state.context.engine)) == []
    assert [path.name for path, content in files_of(data_dir).items() if CANARY.encode() in content] == []
