"""`guidance receipts verify`: checks a signed receipt offline."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app.errors import SetupError
from app.models.base import parse_json
from app.services.concerns.receipt_signing import RECEIPT, STATEMENT, check_receipt, check_response


def receipts_verify(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A receipt: the JWS, the text file saved from the page, or the complete JSON response.",
            exists=True,
        ),
    ],
    jwks: Annotated[Path, typer.Option(help="The service's /.well-known/jwks.json, saved to a file.", exists=True)],
    statement: Annotated[
        bool, typer.Option("--statement", help="FILE is a signed end of a chain, not a receipt.")
    ] = False,
) -> None:
    """Verify the signature of a receipt with the published keys, and print its claims.

    In a complete JSON response, signed fields must match. Other fields are not signed.
    """
    text = path.read_text(encoding="utf-8").strip()
    kind, field = (STATEMENT, "statement") if statement else (RECEIPT, "receipt")
    try:  # in the text that a page saves, only the last line, the JWS, is signed
        response: dict[str, Any] = (
            parse_json(text) if text.startswith("{") else {field: (text.splitlines() or [""])[-1]}
        )
        signed, keys = str(response[field]), parse_json(jwks.read_text(encoding="utf-8"))
    except (ValueError, KeyError):
        raise SetupError(f"the files must hold a {field} and a JSON Web Key Set") from None
    claims = check_receipt(signed, keys, kind=kind)
    check_response(response, claims)
    typer.echo(json.dumps(claims, indent=2))
