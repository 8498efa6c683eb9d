"""`guidance desk write-down`: writes down a call, letter, email or visit, encrypted on the worker's computer."""

import base64
import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer

from app.cli.option_groups import OptionGroup
from app.clock import utc_now
from app.extensions.terminal.client import DeskClient, DeskOptions, SealTo, fetch_recipients, parse_reference
from app.models.base import format_utc
from app.models.concerns.channels import WorkersChannel
from app.models.concerns.concern import FORM_VERSION, MAX_NARRATIVE, ImmediateDanger, ReporterKind
from app.models.links import DESK_CONCERNS, desk_concern_path
from app.models.references import new_reference
from app.services.clock.working_days import LONDON
from app.services.concerns.card_making import card_of_addition, card_of_concern, seal_card
from app.services.concerns.sealing import make_sealer, pad

A_TIME = re.compile(r"\d{1,2}:")
NOT_A_TIME = "give a time such as 08:05, 2026-11-24T08:05 or 2026-11-24T08:05Z"


def _parse_moment(typed: str) -> dt.datetime:
    """A time of today, or a day with a time, in London unless it has a zone."""
    try:
        if A_TIME.match(typed):
            today, time = utc_now().astimezone(LONDON).date(), dt.time.fromisoformat(typed)
            return dt.datetime.combine(today, time, tzinfo=time.tzinfo or LONDON)
        if ":" not in typed:
            raise ValueError
        moment = dt.datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(NOT_A_TIME) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LONDON)


@dataclass(frozen=True)
class Arrived:
    danger: Annotated[ImmediateDanger, typer.Option(help="Whether a child is in immediate danger.")]
    channel: Annotated[WorkersChannel, typer.Option(help="How it came.")] = WorkersChannel.CALL
    came_at: Annotated[
        Any, typer.Option(parser=_parse_moment, help="When it came, in London. Default: now.", metavar="TIME")
    ] = None
    about_staff: Annotated[
        bool,
        typer.Option(
            "--about-council-staff", help="It is about someone who works for the council: only leads open it."
        ),
    ] = False
    guide: Annotated[str | None, typer.Option(help="The guide. Default: that of the service.")] = None


@dataclass(frozen=True)
class Caller:
    kind: Annotated[ReporterKind, typer.Option(help="Who called or wrote.")] = ReporterKind.ANONYMOUS
    with_code: Annotated[bool, typer.Option("--with-code", help="Print a code for the caller, only once.")] = False


def desk_write_down(
    service: DeskOptions,
    *,
    file: Annotated[typer.FileText, typer.Argument(help="File with the text. `-` is standard input.")],
    arrived: Annotated[Arrived, OptionGroup(Arrived)],
    to: Annotated[
        Any, typer.Option(parser=parse_reference, help="Add it to this concern instead.", metavar="REFERENCE")
    ] = None,
    caller: Annotated[Caller, OptionGroup(Caller)],
    seal_to: SealTo = None,
) -> None:
    """Write down a call, letter, email or visit as a concern, encrypted on this computer.

    Pass the text, with all names and numbers, in a file or on standard input: other users of this computer can see
    command lines.
    """
    text = file.read().strip()
    if not 0 < len(text) <= MAX_NARRATIVE:
        raise typer.BadParameter(f"the text must have 1 to {MAX_NARRATIVE} characters")
    danger = arrived.danger
    came: dict[str, Any] = {"channel": arrived.channel.value, "came_at": format_utc(arrived.came_at or utc_now())}
    recipients = fetch_recipients(service, seal_to, "Nothing was sent.")
    about = {"about_council_staff": "yes"} if arrived.about_staff else {}
    came |= {"restricted": arrived.about_staff}
    told = {"immediate_danger": danger.value, "concern": {"narrative": text} | about}
    if to is not None:
        sealed = _seal({"reference": to, "addition": told}, card_of_addition(told), recipients)
        _add(service, to, came | sealed | {"immediate_danger": danger.value})
        return
    reference = new_reference()
    submission = told | {"reporter": {"kind": caller.kind.value}, "children": [{}]}
    body = came | _seal({"reference": reference, "submission": submission}, card_of_concern(submission), recipients)
    body |= {"reference": reference, "immediate_danger": danger.value}
    body |= {"form_version": FORM_VERSION, "wants_code": caller.with_code}
    receipt = service.send_once(DESK_CONCERNS, body | ({"guide": arrived.guide} if arrived.guide else {}))
    code = [f"code for the caller: {receipt['status_token']}"] if receipt["status_token"] else []
    service.show(receipt, [f"{receipt['reference']}: acknowledge by {receipt['acknowledge_by']}", *code])


def _add(service: DeskClient, reference: str, body: dict[str, Any]) -> None:
    added = service.send_once(desk_concern_path(reference, "additions"), body)
    service.show(added, [f"{reference}: addition {added['number']}, acknowledge by {added['acknowledge_by']}"])


def _seal(document: dict[str, Any], card: dict[str, Any], recipients: list[str]) -> dict[str, Any]:
    sealer = make_sealer(recipients)
    files = {
        "sealed": sealer.seal(pad(orjson.dumps(document))),
        "card": seal_card(sealer, card, document["reference"], at=None),
    }
    return {name: base64.b64encode(file).decode() for name, file in files.items()} | {"recipients": recipients}
