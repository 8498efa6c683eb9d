"""`guidance desk`: the daily work on concerns, over HTTP."""

from typing import Annotated

import typer

from app.cli.desk_client import AnswerAsJson, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.desk_tables import print_entry, print_json
from app.cli.outcomes import find_outcome
from app.cli.sealed_notes import SealTo, keys_given, sealed_note
from app.models.links import assignment_path, desk_concern_path, notes_path

work = typer.Typer()


@work.command("acknowledge")
def desk_acknowledge(
    *,
    reference: Reference,
    up_to: Annotated[
        int, typer.Option(help="The last addition that you have seen; later ones go on waiting.", min=0)
    ] = 0,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Say that you have seen a concern, and its additions up to a number, and have decided the next step."""
    with connect(url, key, key_file) as service:
        path = f"{desk_concern_path(reference)}/acknowledgement"
        print_entry(service.call("POST", path, body={"up_to_addition": up_to}), as_json=as_json)


@work.command("assign")
def desk_assign(
    *,
    reference: Reference,
    person: Annotated[
        str | None, typer.Argument(help="The person, as the record names people. Without it: yourself.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Assign it to nobody.")] = False,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Assign a concern to a person, to yourself or to nobody, and say who had it before."""
    if nobody and person is not None:
        raise typer.BadParameter("name a person, or use --nobody, and not both")
    body = None if person is None else {"person": person}
    with connect(url, key, key_file) as service:
        answer = service.call("DELETE" if nobody else "PUT", assignment_path(reference), body=body)
    if as_json:
        print_json(answer)
        return
    before = answer["replaced"]
    by = f", by {before['by']}" if before["by"] else ""
    typer.echo(f"{reference}: assigned to {answer['assigned_to'] or 'nobody'}")
    typer.echo(f"before: {before['assigned_to'] or 'nobody'}{by}")


@work.command("note")
def desk_note(
    *,
    reference: Reference,
    file: Annotated[
        typer.FileText, typer.Option(help="File with the words; `-`, the default, is the standard input.")
    ] = "-",  # type: ignore[assignment]  # Typer opens the default like any other
    seal_to: SealTo = None,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Write a note about a concern, for the desk alone. It is sealed on this machine, to the keys of the service.

    The words come from a file or the standard input: every user of this machine can read a command line.
    """
    text, known = file.read().strip(), keys_given(seal_to)
    with connect(url, key, key_file) as service:
        answer = service.send_once(notes_path(reference), sealed_note(service, reference, text, known))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{reference}: note {answer['number']}")


@work.command("close")
def desk_close(
    *,
    reference: Reference,
    outcome: Annotated[str, typer.Argument(help="What came of it: a code of the list `outcome`, or its words.")],
    shared: Annotated[bool, typer.Option("--shared", help="Let the reporter's status say it.")] = False,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Close a concern with its outcome. An outcome that is not known lists those that are."""
    with connect(url, key, key_file) as service:
        body = {"outcome": find_outcome(service, outcome), "shared_with_reporter": shared}
        print_entry(service.call("POST", f"{desk_concern_path(reference)}/outcome", body=body), as_json=as_json)
