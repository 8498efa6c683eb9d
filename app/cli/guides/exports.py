"""`guidance export`: write the public reads as files, and verify the export of a concern."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.cli.option_groups import Commands
from app.cli.options import AsJson, SettingsOptions, echo_json, echo_result, open_engine
from app.db.schema import prepare_schema
from app.errors import SetupError
from app.logs import set_up_logs
from app.main import create_app
from app.models.base import parse_json
from app.server.export import export_reads
from app.services.desk.exports import find_export_faults, pinned_keys, read_export_file

SITE = "site"


def export(
    settings: SettingsOptions,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    as_json: AsJson = False,
) -> None:
    """Write every public read into DIR as static files, for any web server or CDN. Replaces an earlier export.

    Feeds contain absolute URLs: set GUIDANCE_PUBLIC_URL to the address where the files will be served.
    """
    settings = settings.model_copy(update={"deliver": False})  # an export only reads
    with open_engine(settings, creates=True) as engine:  # unlike a start of the service, an export does not migrate
        prepare_schema(engine, settings.data_dir, migrates=False)
    set_up_logs("error")
    try:
        exported = export_reads(create_app(settings), folder, public_url=settings.public_url)
    except FileExistsError:
        raise typer.BadParameter("the folder has other files; choose an empty folder") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write to the folder: {failure.strerror}") from None
    for path in exported.left_out:
        typer.echo(f"Left out: {path} (more than one page; files have no pages)", err=True)
    document = {"folder": str(folder), "answers": exported.answers, "left_out": list(exported.left_out)}
    echo_result([f"{exported.answers} files written to {folder}"], document, as_json=as_json)


def export_verify(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A PDF from guidance desk export.", exists=True)],
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
        f"{file.document['reference']}: complete and unchanged, exported {statement['at']} by {statement['by']}, with "
        f"{statement['additions']} additions, {notes} the desk's notes, and {len(statement['history'])} acts"
    )


class ExportGroup(TyperGroup):
    """A group in which `export DIR` means `export site DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the command `site` unless the arguments begin with a command or `--help`."""
        if args[:1] not in ([name] for name in (*self.commands, "--help")):
            args = [SITE, *args]
        return list(super().parse_args(ctx, args))


exports = Commands(cls=ExportGroup, help="Write every public read into a folder, or verify the export of a concern.")

exports.command(SITE)(export)

exports.command("verify")(export_verify)
