"""The command group `guidance export`, in which `export DIR` is short for `export site DIR`."""

from typing import Any

from typer.core import TyperGroup

SITE = "site"


class ExportGroup(TyperGroup):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] not in ([name] for name in (*self.commands, "--help")):
            args = [SITE, *args]
        return list(super().parse_args(ctx, args))
