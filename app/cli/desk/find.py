"""`guidance desk find`: searches the cards and labels of concerns on the worker's computer."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from app.cli.desk.card_search import is_found, parts_of
from app.cli.desk.client import DeskOptions, Identity, parse_reference
from app.cli.desk.matching import NOT_FOUND, reasons_of
from app.cli.desk.opened_cards import OpenedCards, fetch_opened
from app.cli.options import table
from app.clock import utc_now
from app.models.desk.cards import CardScope
from app.services.concerns.sealing import read_identities

HEADINGS = ("REFERENCE", "WHOM", "LABEL", "CHANGED", "WHY")


def desk_find(
    service: DeskOptions,
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Names, a school, a postcode, a number, a day of birth or words of the label."),
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
    """Find concerns by names, schools, numbers and labels. Cards are decrypted on this computer.

    Finds short forms of names and one wrong letter. Without WORDS, they are read from standard input: other users of
    this computer can see command lines. The service records each page of cards under your name, but not the words.
    """
    if like is not None and words:
        raise typer.BadParameter("give words or --like, not both")
    typed = "" if like is not None else " ".join(words or [typer.prompt("Find", prompt_suffix=": ", err=True)])
    scopes = tuple(CardScope) if earlier or like is not None else (CardScope.CURRENT,)
    concerns = list(fetch_opened(service, read_identities(identity), scopes))
    found = list(_find_words(concerns, typed) if like is None else _find_like(concerns, like))
    today = utc_now().date()
    document = [_described(concern, reasons, today) for concern, reasons in found]
    columns = HEADINGS if like is not None else HEADINGS[:-1]
    rows = (tuple(each.values())[: len(columns)] for each in document)
    lines = table([columns, *rows]) if found else [NOT_FOUND]
    unopened = sum(each.unopened for each in concerns)
    notice = f"{unopened} cards or labels could not be decrypted with this identity." if unopened else ""
    service.show({"concerns": document, "unopened": unopened}, lines, notice)


def _find_words(concerns: Sequence[OpenedCards], typed: str) -> Iterator[tuple[OpenedCards, tuple[str, ...]]]:
    parts = parts_of(typed)
    if not parts:
        raise typer.BadParameter("give a name, a school, a postcode, a number, a day of birth or words of the label")
    return ((each, ()) for each in concerns if is_found(each.search_text, parts))


def _find_like(concerns: Sequence[OpenedCards], like: str) -> Iterator[tuple[OpenedCards, tuple[str, ...]]]:
    own = next((each for each in concerns if each.reference == like), None)
    if own is None:
        raise typer.BadParameter("there is no card of that concern", param_hint="--like")
    others = ((each, reasons_of(own.facts, each.facts)) for each in concerns if each is not own)
    return ((each, reasons) for each, reasons in others if reasons)


def _described(concern: OpenedCards, reasons: Sequence[str], today: dt.date) -> dict[str, str]:
    return {
        "reference": concern.reference,
        "whom": concern.whom(today),
        "label": concern.label,
        "changed_at": concern.changed_at,
        "reasons": ", ".join(reasons),
    }
