"""`guidance desk export`: writes a concern as a signed PDF, decrypted on this computer."""

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.options import progress
from app.errors import ExtraMissing
from app.extensions.terminal.client import DeskClient, DeskOptions, Identity, Reference, require_new
from app.models.guides.code_lists import CodeList
from app.models.guides.editions import EditionContent
from app.models.guides.signposts import Signpost
from app.models.links import CODE_LISTS, SIGNPOSTS, desk_concern_path, edition_path
from app.pages.desk.exports import printed_export
from app.services.concerns.sealing import Unsealer, read_identities
from app.services.desk.exports import SealedTexts, add_signature, build_export, export_pdf, places_of
from app.services.guides.pdf import pdf_available
from app.services.guides.reference_data import ReferenceData
from app.services.key_files import write_key_file

JWKS_PATH = "/.well-known/jwks.json"


def desk_export(
    service: DeskOptions,
    *,
    reference: Reference,
    identity: Identity,
    out: Annotated[Path, typer.Option("--out", "-o", help="Output file for the PDF. Must not exist.")],
    with_notes: Annotated[bool, typer.Option("--with-notes", help="Include the desk's notes.")] = False,
    council: Annotated[str, typer.Option(help="Name of the council, for the page header.")] = "The duty team",
) -> None:
    """Write a concern with additions, history and receipts as a signed PDF, with JSON inside.

    Decrypts on this computer. The service records the export under your name and signs the file's digest.
    Verify the file offline with `guidance export verify`.
    """
    require_new(out)
    if not pdf_available():
        raise ExtraMissing("`guidance desk export`", "print")
    with progress("Making the file"):
        file, entry = make_export(service, reference, read_identities(identity), notes=with_notes, council=council)
    write_key_file(out, file)
    service.show(entry, [f"{reference}: exported to {out}, {'with' if with_notes else 'without'} the desk's notes"])


def make_export(
    service: DeskClient, reference: str, unsealer: Unsealer, *, notes: bool, council: str
) -> tuple[bytes, dict[str, Any]]:
    """Return the signed file, and the service's record of the export. `council` is in the header of each page.

    Raise as `open_whole`, or `PdfUnavailable`.
    """
    statement = service.call("GET", desk_concern_path(reference, "export-statement"))
    texts = _fetch_texts(service, statement, notes=notes)
    document = build_export(statement, texts, unsealer, service.call("GET", JWKS_PATH), notes=notes)
    content = _fetch_edition(service, statement["concern"]["guide"], statement["concern"]["edition"])
    pdf = export_pdf(printed_export(document, content, _fetch_reference_data(service), council=council), document)
    new_export = {"file_sha256": hashlib.sha256(pdf).hexdigest(), "notes": notes}
    entry = service.call("POST", desk_concern_path(reference, "export"), body=new_export)
    return add_signature(pdf, entry["signature"]), entry


def _fetch_texts(service: DeskClient, statement: dict[str, Any], *, notes: bool) -> SealedTexts:
    """Return the texts by place, with None for the concern's own. Each opening is recorded."""
    path = desk_concern_path(statement["concern"]["reference"])
    return {
        place: service.fetch(f"{path}/{place.kind}s/{place.number}" if place else path).content
        for place in places_of(statement, notes=notes)
    }


def _fetch_edition(service: DeskClient, guide: str, number: int) -> EditionContent:
    answer = service.call("GET", edition_path(guide, number))
    return EditionContent.model_validate({name: answer[name] for name in EditionContent.model_fields if name in answer})


def _fetch_reference_data(service: DeskClient) -> ReferenceData:
    """Leave out legal statements."""
    names = [each["name"] for each in service.call("GET", CODE_LISTS)["code_lists"]]
    answers = (service.call("GET", f"{CODE_LISTS}/{name}") for name in names)
    lists = [
        CodeList.model_validate({key: each[key] for key in CodeList.model_fields if key in each}) for each in answers
    ]
    answer = service.call("GET", SIGNPOSTS)
    own, neighbours = (
        tuple(Signpost.model_validate({key: one[key] for key in Signpost.model_fields if key in one}) for one in found)
        for found in (answer["signposts"], answer.get("neighbours", ()))
    )
    # the service sends no signposts of other councils, so none of these must be left out
    own = tuple(each.model_copy(update={"council": None}) for each in own)
    return ReferenceData({each.name: each for each in lists}, own, statements=(), neighbours=neighbours)
