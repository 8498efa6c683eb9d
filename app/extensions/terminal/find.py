"""`guidance desk find`: searches the cards and labels of concerns on the worker's computer.

The rules are those of the desk's pages (`desk_script/src`), built into one program that runs in Node.js.
"""

import json
import os
import shutil
import subprocess  # nosec B404  # it only runs this program
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import app
from app.cli.options import progress, table
from app.clock import utc_now
from app.errors import SetupError
from app.extensions.terminal.client import DeskOptions, Identity, parse_reference
from app.extensions.terminal.opened_cards import OpenedCards, fetch_opened
from app.models.base import counted
from app.models.desk.card_pages import CardScope
from app.services.concerns.sealing import read_identities

HEADINGS = ("REFERENCE", "WHOM", "LABEL", "CHANGED", "WHY")
PROGRAM = Path(app.__file__).parent / "pages" / "static" / "find.cjs"
NO_NODE = (
    "this command needs Node.js 18 or later on this computer. Install it, or search on the desk's pages in a browser"
)
NOT_BUILT = "this installation was built without the desk's script: run make desk-script"
NOTHING_TYPED = "there is no letter or digit in it. Give a name, a school, an address, a number or words of the label"


def desk_find(
    service: DeskOptions,
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names, a school, an address, a registration, a number, a day of birth or words of the label."
        ),
    ] = None,
    identity: Identity,
    like: Annotated[
        Any,
        typer.Option(
            parser=parse_reference,
            metavar="REFERENCE",
            help="Instead of words: list what may be about the same child or household as this concern, with reasons.",
        ),
    ] = None,
    earlier: Annotated[
        bool, typer.Option("--earlier", help="Also search concerns closed and unchanged for 90 days.")
    ] = False,
) -> None:
    """Find concerns by names, schools, addresses, numbers and labels. Needs Node.js on this computer.

    Cards are decrypted on this computer. Finds short forms of names and one wrong letter. Without WORDS, they are read
    from standard input: other users of this computer can see command lines. The service records each page of cards
    under your name, but not the words.
    """
    if like is not None and words:
        raise typer.BadParameter("give words or --like, not both")
    unsealer = read_identities(identity)
    typed = None if like is not None else " ".join(words or [typer.prompt("Find", prompt_suffix=": ", err=True)])
    if _ask((), typed, None)["is_empty"]:  # before anything is fetched, and recorded
        raise typer.BadParameter(NOTHING_TYPED)
    scopes = tuple(CardScope) if earlier or like is not None else (CardScope.CURRENT,)
    with progress("Opening cards"):
        concerns = {each["reference"]: each for each in fetch_opened(service, unsealer, scopes)}
    if like is not None and like not in concerns:
        raise typer.BadParameter("there is no card of that concern", param_hint="--like")
    answer = _ask(tuple(concerns.values()), typed, like)
    document = [_described(each, concerns[each["reference"]]) for each in answer["concerns"]]
    columns = HEADINGS if like is not None else HEADINGS[:-1]
    rows = (tuple(each.values())[: len(columns)] for each in document)
    lines = table([columns, *rows]) if document else [answer["not_found"]]
    unopened = sum(each["unopened"] for each in concerns.values())
    notice = (
        f"{counted(unopened, 'card or label', 'cards or labels')} could not be decrypted with this identity."
        if unopened
        else ""
    )
    service.show({"concerns": document, "unopened": unopened}, lines, notice)


def _ask(concerns: Sequence[OpenedCards], typed: str | None, like: str | None) -> Any:
    """Raise `SetupError` if `PROGRAM` cannot run."""
    node = shutil.which("node")
    if not PROGRAM.is_file():
        raise SetupError(NOT_BUILT)
    if node is None:
        raise SetupError(NO_NODE)
    question = {"concerns": concerns, "typed": typed, "like": like, "today": utc_now().date().isoformat()}
    try:
        run = subprocess.run(  # noqa: S603  # nosec B603  # a fixed command: all text goes through a pipe
            [node, str(PROGRAM)],
            input=json.dumps(question).encode(),
            capture_output=True,
            env=os.environ | {"NODE_OPTIONS": ""},
            check=True,
        )
        return json.loads(run.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        raise SetupError(NO_NODE) from None


def _described(found: dict[str, str], concern: OpenedCards) -> dict[str, str]:
    return {
        "reference": found["reference"],
        "whom": found["whom"],
        "label": concern["label"],
        "changed_at": concern["changed_at"],
        "reasons": found["reasons"],
    }
