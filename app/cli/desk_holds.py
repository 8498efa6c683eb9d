"""`guidance desk hold`, `release` and `erase`: whether the words of a concern stay, over HTTP."""

from typing import Annotated

import typer

from app.cli.desk_client import AnswerAsJson, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.desk_tables import print_entry
from app.models.links import desk_concern_path

holds = typer.Typer()

Reason = Annotated[str, typer.Option(help="Why, for the record of disclosures. Name nobody here.")]


@holds.command("hold")
def desk_hold(
    *,
    reference: Reference,
    reason: Reason,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Keep a concern from being erased."""
    with connect(url, key, key_file) as service:
        body = {"held": True, "reason": reason}
        print_entry(service.call("POST", f"{desk_concern_path(reference)}/hold", body=body), as_json=as_json)


@holds.command("release")
def desk_release(
    *,
    reference: Reference,
    reason: Reason,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Lift the hold of a concern."""
    with connect(url, key, key_file) as service:
        body = {"held": False, "reason": reason}
        print_entry(service.call("POST", f"{desk_concern_path(reference)}/hold", body=body), as_json=as_json)


@holds.command("erase")
def desk_erase(
    *,
    reference: Reference,
    reason: Reason,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Take the words of a concern away for good. It and all additions must be acknowledged first."""
    with connect(url, key, key_file) as service:
        answer = service.call("POST", f"{desk_concern_path(reference)}/erasure", body={"reason": reason})
        print_entry(answer, as_json=as_json)
