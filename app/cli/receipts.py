"""`guidance receipts`: check a receipt offline."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.errors import SetupError
from app.services.concerns.receipt_signing import check_receipt

receipts = typer.Typer(help="Signed receipts.", no_args_is_help=True)


@receipts.command("verify")
def receipts_verify(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A receipt: the JWS alone, or the whole JSON response.", exists=True)
    ],
    jwks: Annotated[Path, typer.Option(help="The service's /.well-known/jwks.json, saved to a file.", exists=True)],
) -> None:
    """Check the signature of the receipt with the published keys alone, and print its claims."""
    text = path.read_text(encoding="utf-8").strip()
    try:
        receipt = json.loads(text)["receipt"] if text.startswith("{") else text
        keys = json.loads(jwks.read_text(encoding="utf-8"))
    except (ValueError, KeyError):
        raise SetupError("the files must hold a receipt and a JSON Web Key Set") from None
    typer.echo(json.dumps(check_receipt(receipt, keys), indent=2))
