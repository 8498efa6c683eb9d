"""`guidance receipts`: check a receipt offline."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.errors import SetupError
from app.services.concerns.receipt_signing import RECEIPT, STATEMENT, check_receipt, check_response

receipts = typer.Typer(help="Signed receipts.", no_args_is_help=True)


@receipts.command("verify")
def receipts_verify(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A receipt: the JWS alone, the text that the page saves, or the whole JSON response.",
            exists=True,
        ),
    ],
    jwks: Annotated[Path, typer.Option(help="The service's /.well-known/jwks.json, saved to a file.", exists=True)],
    statement: Annotated[
        bool, typer.Option("--statement", help="FILE is an auditor's statement of the end of a chain, not a receipt.")
    ] = False,
) -> None:
    """Check the signature of the receipt with the published keys alone, and print its claims.

    Of a whole JSON response, the fields that are signed too must be the same. Its other fields are not signed.
    """
    text = path.read_text(encoding="utf-8").strip()
    kind, field = (STATEMENT, "statement") if statement else (RECEIPT, "receipt")
    try:
        response: dict[str, Any] = json.loads(text) if text.startswith("{") else {field: _signed_part(text)}
        signed, keys = str(response[field]), json.loads(jwks.read_text(encoding="utf-8"))
    except (ValueError, KeyError):
        raise SetupError(f"the files must hold a {field} and a JSON Web Key Set") from None
    claims = check_receipt(signed, keys, kind=kind)
    check_response(response, claims)
    typer.echo(json.dumps(claims, indent=2))


def _signed_part(text: str) -> str:
    """Return the JWS, which is the last line of the text that a page saves. The lines before it are not signed."""
    return (text.splitlines() or [""])[-1]
