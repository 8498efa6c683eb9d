"""`guidance export verify`: verifies the export of a concern, or the file of one person, offline."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.options import echo_json
from app.errors import SetupError
from app.models.base import counted, parse_json
from app.models.desk.exports import PersonFilePurpose
from app.services.desk.exports import find_export_faults, pinned_keys, read_export_file
from app.services.desk.person_files import find_person_file_faults, is_person_file


def export_verify(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A PDF from guidance desk export or a page of the desk.", exists=True)
    ],
    jwks: Annotated[
        Path | None, typer.Option(help="The service's /.well-known/jwks.json, saved to a file.", exists=True)
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="Thumbprint (kid) of a published key, instead of --jwks. Repeat for each key."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the text, history and receipts.")] = False,
) -> None:
    """Verify that nothing in an export was changed, swapped or left out. Works offline, without an identity.

    Compares the text with what was sealed, sealed texts with the history, and both with the service's signature.
    """
    if (jwks is None) == (not key):
        raise typer.BadParameter("give the published keys: --jwks FILE, or --key for each trusted key")
    file = read_export_file(path.read_bytes())
    try:
        keys = pinned_keys(file.document, key or []) if jwks is None else parse_json(jwks.read_text(encoding="utf-8"))
    except ValueError:
        raise SetupError("the file of --jwks must hold a JSON Web Key Set") from None
    find_faults = find_person_file_faults if is_person_file(file.document) else find_export_faults
    faults = list(find_faults(file, keys))
    for fault in faults:
        typer.echo(f"{path}: {fault}", err=True)
    if faults:
        raise typer.Exit(1)
    if as_json:
        echo_json(file.document)
        return
    typer.echo(_about_person_file(file.document) if is_person_file(file.document) else _about_concern(file.document))


def _about_concern(document: dict[str, Any]) -> str:
    statement = document["statement"]
    return (
        f"{document['reference']}: complete and unchanged, exported {statement['at']} by {statement['by']}, with "
        f"{counted(statement['additions'], 'addition')}, {_notes(document)}, and "
        f"{counted(len(statement['history']), 'act')}"
    )


def _about_person_file(document: dict[str, Any]) -> str:
    concerns = f"file of one person, {counted(len(document['concerns']), 'concern')}, {_notes(document)}"
    if document["purpose"] == PersonFilePurpose.PERSON:
        return (
            f"{concerns}: unchanged since the service recorded it. Passages that name others were removed before: "
            f"{document['removed']}. The words that are left were not compared with what was sealed"
        )
    return f"{concerns}: complete and unchanged"


def _notes(document: dict[str, Any]) -> str:
    return f"{'with' if document['notes_included'] else 'without'} the desk's notes"
