"""`guidance export`: the public reads as files (`export DIR`), and checking the export of a concern."""

from typing import Any

import typer
from typer.core import TyperGroup

from app.cli.editions import export
from app.cli.export_verification import export_verify

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
