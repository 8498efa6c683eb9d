"""`guidance desk export`: one concern as one file, which the service signs without reading it."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from app.cli.desk_client import AnswerAsJson, DeskClient, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.published_words import fetch_code_lists, fetch_edition
from app.cli.terminal import echo_result
from app.errors import PdfUnavailable
from app.models.desk.added_texts import AddedKind, AddedText
from app.models.links import desk_addition_path, desk_concern_path, export_path, export_statement_path, note_path
from app.pages.desk.export_page import printed_export
from app.presenters.export_pdf import export_pdf
from app.presenters.pdf import pdf_available
from app.services.access.key_files import write_key_file
from app.services.concerns.sealing import Unsealer, read_identities
from app.services.desk.export_document import SealedTexts, build_export
from app.services.desk.export_files import add_signature

JWKS_PATH = "/.well-known/jwks.json"


class MadeExport(NamedTuple):
    """The signed file, and what the service answered when its export was recorded."""

    file: bytes
    entry: dict[str, Any]


def desk_export(
    *,
    reference: Reference,
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the PDF. It must not exist.")],
    with_notes: Annotated[bool, typer.Option("--with-notes", help="Put the desk's notes in it too.")] = False,
    council: Annotated[str, typer.Option(help="The council's name, for the top of the page.")] = "The duty team",
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Write one concern with its additions, history and receipts as one PDF that can be proved, with JSON inside.

    The words are opened on this machine. The service records the export under your name and signs the file's digest.
    `guidance export verify` checks the file offline.
    """
    if out.exists():
        raise typer.BadParameter("that file exists already; it is left as it is")
    if not pdf_available():
        raise PdfUnavailable
    unsealer = read_identities(identity)
    with connect(url, key, key_file) as service:
        made = make_export(service, reference, unsealer, notes=with_notes, council=council)
    write_key_file(out, made.file)
    done = f"{reference}: exported to {out}, {'with' if with_notes else 'without'} the desk's notes"
    echo_result([done], made.entry, as_json=as_json)


def make_export(service: DeskClient, reference: str, unsealer: Unsealer, *, notes: bool, council: str) -> MadeExport:
    """Return the signed file, whose export is on the record.

    Raises `DeskRequestFailed`, `UnsealingUnavailable`, `SealedTextMisplaced` or `PdfUnavailable`.
    """
    statement = service.call("GET", export_statement_path(reference))
    concern = statement["concern"]
    texts = _fetch_texts(service, statement, notes=notes)
    document = build_export(statement, texts, unsealer, service.call("GET", JWKS_PATH), notes=notes)
    content = fetch_edition(service, concern["guide"], concern["edition"])
    pdf = export_pdf(printed_export(document, content, fetch_code_lists(service), council=council), document)
    wanted = {"file_sha256": hashlib.sha256(pdf).hexdigest(), "notes": notes}
    entry = service.call("POST", export_path(reference), body=wanted)
    return MadeExport(add_signature(pdf, entry["signature"]), entry)


def _fetch_texts(service: DeskClient, statement: dict[str, Any], *, notes: bool) -> SealedTexts:
    """Return every sealed text that the export is to have."""
    reference = statement["concern"]["reference"]
    paths: dict[AddedText | None, str] = {None: desk_concern_path(reference)}
    for number in range(1, statement["additions"] + 1):
        paths[AddedText(AddedKind.ADDITION, number)] = desk_addition_path(reference, number)
    for number in range(1, statement["notes"] + 1 if notes else 1):
        paths[AddedText(AddedKind.NOTE, number)] = note_path(reference, number)
    return {added: service.fetch_sealed(path).content for added, path in paths.items()}
