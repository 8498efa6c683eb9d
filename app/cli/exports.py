"""`guidance export`: the public reads as files (`export DIR`), and checking the export of a concern."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli.guides import export
from app.cli.options import echo_json
from app.errors import SetupError
from app.services.exports import find_export_faults, pinned_keys, read_export_file


def export_verify(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The PDF that guidance desk export wrote.", exists=True)],
    jwks: Annotated[
        Path | None, typer.Option(help="The service's /.well-known/jwks.json, saved to a file.", exists=True)
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="The thumbprint (kid) of a published key, in place of --jwks. Once for each key."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the words, the history and the receipts.")] = False,
) -> None:
    """Check that nothing in an export was altered, exchanged or left out. It needs no network and no identity.

    Each word is compared with what was sealed, each sealed text with the history, and the history and the file with
    what the service signed.
    """
    if (jwks is None) == (not key):
        raise typer.BadParameter("name the published keys: --jwks FILE, or --key for each key that you trust")
    file = read_export_file(path.read_bytes())
    try:
        keys = pinned_keys(file.document, key or []) if jwks is None else json.loads(jwks.read_text(encoding="utf-8"))
    except ValueError:
        raise SetupError("the file of --jwks must hold a JSON Web Key Set") from None
    faults = list(find_export_faults(file, keys))
    for fault in faults:
        typer.echo(f"{path}: {fault}", err=True)
    if faults:
        raise typer.Exit(1)
    if as_json:
        echo_json(file.document)
        return
    statement, notes = file.document["statement"], "with" if file.document["notes_included"] else "without"
    typer.echo(
        f"{file.document['reference']}: whole and unaltered, exported {statement['at']} by {statement['by']}, with "
        f"{statement['additions']} additions, {notes} the desk's notes, and {len(statement['history'])} acts"
    )


# `guidance export`: the public reads as files (`export DIR`), and checking the export of a concern.


SITE = "site"


class ExportGroup(TyperGroup):
    """A group in which `export DIR` means `export site DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in front of what names none."""
        if args[:1] not in ([name] for name in (*self.commands, "--help")):
            args = [SITE, *args]
        return list(super().parse_args(ctx, args))


exports = typer.Typer(cls=ExportGroup, help="Write every public read into a folder, or check the export of a concern.")
exports.command(SITE)(export)
exports.command("verify")(export_verify)
