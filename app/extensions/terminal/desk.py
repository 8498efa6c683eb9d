"""`guidance desk`: the duty team's work over HTTP."""

import base64
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.models import OptionInfo

from app.cli.option_groups import OptionGroup
from app.cli.options import table
from app.clock import utc_now
from app.errors import ReporterHasNoCode
from app.extensions.terminal.client import (
    DeskClient,
    DeskOptions,
    Identity,
    KeyFileOption,
    KeyOption,
    Reference,
    SealTo,
    Url,
    connect,
    fetch_recipients,
    parse_reference,
)
from app.models.audit.entry_kinds import EntryKind
from app.models.base import MAX_TEXT_LENGTH
from app.models.concerns.channels import Channel
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.entries import MAX_LABEL_LENGTH, MAX_NOTE_LENGTH
from app.models.concerns.receipts import ConcernState
from app.models.desk.inbox_filters import InboxOrder, InboxParameters
from app.models.desk.look_again import Whose
from app.models.links import CODE_LISTS, DESK_BURSTS, DESK_CONCERNS, DESK_VIEWS, STATISTICS, desk_concern_path
from app.services.concerns.sealing import Unsealer, open_note, read_identities, seal_message, seal_written

COLUMN_HEADINGS = ("REFERENCE", "STATE", "DANGER", "ACKNOWLEDGE BY", "ADDED", "ASSIGNED TO", "GUIDE", "BURST")
WORDS = {"true": True, "false": False}
Reason = Annotated[str, typer.Option(help="Reason, for the audit log. Do not name anyone.")]


def _filter(name: str, option: str) -> OptionInfo:
    """The service validates the value."""
    described: OptionInfo = typer.Option(option, help=InboxParameters.model_fields[name].description)
    return described


@dataclass(frozen=True)
class InboxFilters:
    """The filters of the inbox. One that is None is not sent."""

    state: Annotated[ConcernState | None, _filter("state", "--state")] = None
    overdue: Annotated[bool | None, _filter("overdue", "--overdue/--not-overdue")] = None
    danger: Annotated[ImmediateDanger | None, _filter("danger", "--danger")] = None
    guide: Annotated[str | None, _filter("guide", "--guide")] = None
    assigned_to: Annotated[str | None, _filter("assigned_to", "--assigned-to")] = None
    burst: Annotated[str | None, _filter("burst", "--burst")] = None
    channel: Annotated[Channel | None, _filter("channel", "--channel")] = None
    mine: Annotated[bool | None, _filter("mine", "--mine")] = None
    unassigned: Annotated[bool | None, _filter("unassigned", "--unassigned")] = None
    changed_since: Annotated[str | None, _filter("changed_since", "--changed-since")] = None
    since_event: Annotated[str | None, _filter("since_event", "--since-event")] = None
    reference: Annotated[str | None, _filter("reference", "--reference")] = None
    order: Annotated[InboxOrder | None, _filter("order", "--order")] = None
    test: Annotated[bool | None, _filter("test", "--test")] = None


def desk_list(
    filters: Annotated[InboxFilters, OptionGroup(InboxFilters)],
    service: DeskOptions,
    *,
    view: Annotated[str | None, typer.Option(help="Use the filters of a saved view.")] = None,
    limit: Annotated[int, typer.Option(help="Maximum number of concerns.", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the previous page.")] = None,
) -> None:
    """List a page of the inbox, without content: unacknowledged concerns first."""
    query: dict[str, Any] = {name: value for name, value in vars(filters).items() if value is not None}
    query |= {"limit": limit} | ({"cursor": cursor} if cursor else {})
    if view is not None:
        query = _filters_of(service, view) | query
    answer = service.call("GET", DESK_CONCERNS, query=query)
    more = f"Next page: --cursor {answer['next_cursor']}" if answer["next_cursor"] else ""
    service.show(answer, table([COLUMN_HEADINGS, *map(_line_of, answer["concerns"])]), more)


def _filters_of(service: DeskClient, view: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        each["name"]: each["filters"] for each in service.call("GET", DESK_VIEWS)["views"]
    }
    if view not in found:
        raise typer.BadParameter(f"there is no view with that name. Your views: {', '.join(found) or 'none'}")
    return found[view]


def _line_of(entry: dict[str, Any]) -> tuple[str, ...]:
    waiting = entry["additions_waiting"]
    return (
        entry["reference"],
        f"{entry['state']}, overdue" if entry["overdue"] else entry["state"],
        entry["addition_danger"] if entry["addition_danger"] == "yes" else entry["immediate_danger"],
        _due_of(entry),
        f"{waiting} waiting" if waiting else "",
        entry["assigned_to"] or "",
        entry["guide"],
        entry["burst"] or "",
    )


def _due_of(entry: dict[str, Any]) -> str:
    """Return the deadline of the concern if it and its additions are acknowledged."""
    own = [entry["acknowledge_by"]] if entry["state"] == "received" or not entry["additions_waiting"] else []
    dues: list[str] = [*own, *filter(None, [entry["addition_acknowledge_by"]])]
    return min(dues)


def desk_save_view(
    service: DeskOptions,
    *,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    filters: Annotated[
        list[str], typer.Argument(help="Filters of the inbox, such as danger=yes mine=true.", metavar="FILTER=VALUE")
    ],
) -> None:
    """Save inbox filters under a name, for `list --view`. Stored on the server; only you can see them."""
    pairs = [each.partition("=") for each in filters]
    body = {filter_name: WORDS.get(value, value) for filter_name, _, value in pairs}
    saved = service.call("PUT", f"{DESK_VIEWS}/{name}", body=body)
    service.show(saved, [f"{saved['name']}: {saved['links']['concerns']}"])


def desk_summary(service: DeskOptions) -> None:
    """Count waiting, acknowledged, closed and overdue concerns."""
    answer = service.call("GET", "/v1/desk/summary")
    service.show(answer, table([(name.replace("_", " "), str(count)) for name, count in answer.items()]))


def desk_statistics(
    *,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    out: Annotated[Path | None, typer.Option(help="Write the CSV to this file.")] = None,
) -> None:
    """Print statistics as CSV. Counts under five are hidden. Requires the scope `audit:read`."""
    with connect(url, key, key_file) as service:
        sheet = service.fetch(STATISTICS, "text/csv").content
    if out is None:
        typer.echo(sheet.decode(), nl=False)
    else:
        out.write_bytes(sheet)


def desk_open(service: DeskOptions, *, reference: Reference, identity: Identity) -> None:
    """Fetch a sealed concern, decrypt it on this computer, and print it as JSON with additions, notes and label."""
    unsealer = read_identities(identity)
    opened, added = open_whole(service, reference, unsealer, with_notes=True)
    service.show(opened | added | {"label": _open_label(service, reference, unsealer)})


def open_whole(
    service: DeskClient, reference: str, unsealer: Unsealer, *, with_notes: bool = False
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the concern, and a dict with its `additions` and, `with_notes`, its `notes`. Each opening is recorded.

    Raise the errors of `DeskClient.fetch`, `UnsealingUnavailable` if no identity decrypts a text, or
    `SealedTextMisplaced` if a text belongs to another concern.
    """
    path = desk_concern_path(reference)
    response = service.fetch(path)
    numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
    additions = [service.fetch(f"{path}/additions/{number}").content for number in numbers]
    added = {"additions": [unsealer.open(each, reference=reference) for each in additions]}
    if with_notes:
        added["notes"] = [_open_note(service, reference, each, unsealer) for each in _list_notes(service, reference)]
    return unsealer.open(response.content, reference=reference), added


def _open_label(service: DeskClient, reference: str, unsealer: Unsealer) -> str | None:
    sealed = service.find_sealed(desk_concern_path(reference, "label"))
    return None if sealed is None else unsealer.open(sealed, reference=reference)["label"]["text"] or None


def _open_note(service: DeskClient, reference: str, entry: dict[str, Any], unsealer: Unsealer) -> dict[str, Any]:
    """Return the note with its time and author, which the encrypted note must have too."""
    sealed = service.fetch(entry["links"]["self"]).content
    received_at = dt.datetime.fromisoformat(entry["written_at"])
    opened = open_note(unsealer, sealed, reference=reference, received_at=received_at, author=entry["by"])
    return opened | {"received_at": entry["written_at"], "author": entry["by"]}


def _list_notes(service: DeskClient, reference: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = service.call("GET", desk_concern_path(reference, "notes"), query=cursor)
        yield from page["notes"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None


def desk_acknowledge(
    service: DeskOptions,
    *,
    reference: Reference,
    up_to: Annotated[
        int,
        typer.Option(help="The last addition you have read. Later additions stay unacknowledged.", min=0),
    ] = 0,
) -> None:
    """Record that you have read a concern, and additions up to a number, and decided the next step."""
    _act(service, reference, "acknowledgement", up_to_addition=up_to)


def _act(service: DeskClient, reference: str, act: str, **body: Any) -> None:
    _show_concern(service, service.call("POST", desk_concern_path(reference, act), body=body))


def _show_concern(service: DeskClient, entry: dict[str, Any]) -> None:
    held = ", on hold" if entry["held"] else ""
    outcome = f", {entry['outcome']}" if entry["outcome"] else ""
    erased = ", erased" if entry["erased_at"] else ""
    service.show(entry, [f"{entry['reference']}: {entry['state']}{outcome}{held}{erased}"])


def desk_acknowledge_burst(
    service: DeskOptions,
    *,
    burst: Annotated[str, typer.Argument(help="Id of the burst, as in the inbox.", metavar="BURST")],
    references: Annotated[
        list[Any],
        typer.Argument(parser=parse_reference, help="Every concern you have read.", metavar="REFERENCE..."),
    ],
    until: Annotated[
        str | None, typer.Option(help="Also acknowledge additions received up to this time (UTC).")
    ] = None,
) -> None:
    """Acknowledge the concerns of a burst. Each acknowledgement has its own audit log entry."""
    body = {"references": references, "additions_until": until}
    answer = service.call("POST", f"{DESK_BURSTS}/{burst}/acknowledgement", body=body)
    service.show(answer, [f"{entry['reference']}: {entry['state']}" for entry in answer["concerns"]])


def desk_assign(
    service: DeskOptions,
    *,
    reference: Reference,
    person: Annotated[
        str | None, typer.Argument(help="The person, as named in the audit log. Defaults to yourself.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Remove the assignment.")] = False,
) -> None:
    """Assign a concern to a person, to yourself or to nobody, and print the previous assignment."""
    if nobody and person is not None:
        raise typer.BadParameter("name a person or use --nobody, not both")
    body = None if person is None else {"person": person}
    answer = service.call("DELETE" if nobody else "PUT", desk_concern_path(reference, "assignment"), body=body)
    before = answer["replaced"]
    by = f", by {before['by']}" if before["by"] else ""
    now = f"{reference}: assigned to {answer['assigned_to'] or 'nobody'}"
    service.show(answer, [now, f"before: {before['assigned_to'] or 'nobody'}{by}"])


def desk_note(
    service: DeskOptions,
    *,
    reference: Reference,
    file: Annotated[typer.FileText, typer.Option(help="File with the text. Default: `-`, standard input.")] = "-",  # type: ignore[assignment]  # Typer opens the default like any other
    seal_to: SealTo = None,
) -> None:
    """Add a note that only the desk can read. It is encrypted on this computer.

    Pass the text in a file or on standard input: other users of this computer can see command lines.
    """
    text = file.read().strip()
    if not 0 < len(text) <= MAX_NOTE_LENGTH:
        raise typer.BadParameter(f"a note must have 1 to {MAX_NOTE_LENGTH} characters")
    recipients = fetch_recipients(service, seal_to, "The note was not sent.")
    sealed = base64.b64encode(seal_written(EntryKind.NOTE, text, reference, recipients)).decode()
    answer = service.send_once(desk_concern_path(reference, "notes"), {"sealed": sealed, "recipients": recipients})
    service.show(answer, [f"{reference}: note {answer['number']}"])


def desk_label(
    service: DeskOptions,
    *,
    reference: Reference,
    file: Annotated[typer.FileText, typer.Option(help="File with the text. Default: `-`, standard input.")] = "-",  # type: ignore[assignment]  # Typer opens the default like any other
    seal_to: SealTo = None,
) -> None:
    """Set the label of a concern, which only the desk can read. An empty text removes the label.

    The label is encrypted on this computer.

    Pass the text in a file or on standard input: other users of this computer can see command lines.
    """
    text = file.read().strip()
    if len(text) > MAX_LABEL_LENGTH or not text.isprintable():
        raise typer.BadParameter(f"a label must be one line of at most {MAX_LABEL_LENGTH} characters")
    recipients = fetch_recipients(service, seal_to, "The label was not sent.")
    sealed = base64.b64encode(seal_written(EntryKind.LABEL, text, reference, recipients)).decode()
    body = {"sealed": sealed, "recipients": recipients}
    answer = service.call("PUT", desk_concern_path(reference, "label"), body=body)
    service.show(answer, [f"{reference}: label {answer['number']}"])


def desk_ask(
    service: DeskOptions,
    *,
    reference: Reference,
    message_file: Annotated[typer.FileText, typer.Option(help="File with the text. `-` is standard input.")],
) -> None:
    """Send the reporter a message. It is encrypted on this computer, so the service never has the text.

    Pass the text in a file or on standard input: other users of this computer can see command lines.
    """
    message = _seal_message(service, reference, message_file.read())
    sent = service.send_once(desk_concern_path(reference, "messages"), message)
    service.show(sent, [f"{reference}: message {sent['number']} sent"])


def _seal_message(service: DeskClient, reference: str, typed: str) -> dict[str, str]:
    text = typed.strip()
    if not 0 < len(text) <= MAX_TEXT_LENGTH:
        raise typer.BadParameter(f"a message must have 1 to {MAX_TEXT_LENGTH} characters")
    recipient = service.call("GET", desk_concern_path(reference, "messages"))["recipient"]
    if not recipient:
        raise ReporterHasNoCode
    return {"sealed": base64.b64encode(seal_message(text, reference, recipient, at=utc_now())).decode()}


def _find_outcome(service: DeskClient, typed: str) -> str:
    """A code or a label: `early help` is `early_help`. `typer.BadParameter` lists all codes."""
    codes: dict[str, str] = {
        each["code"]: each["label"] for each in service.call("GET", f"{CODE_LISTS}/outcome")["codes"]
    }
    known = {_plain(name): code for code, label in codes.items() for name in (code, label)}
    found = known.get(_plain(typed))
    if found is None:
        lines = "\n".join(f"  {code}  {label}" for code, label in codes.items())
        raise typer.BadParameter(f"unknown outcome. Use one of:\n{lines}")
    return found


def _plain(words: str) -> str:
    return "_".join(re.findall("[a-z0-9]+", words.lower()))


def desk_close(
    service: DeskOptions,
    *,
    reference: Reference,
    outcome: Annotated[str, typer.Argument(help="A code or label of the list `outcome`.")],
    shared: Annotated[bool, typer.Option("--shared", help="Let the reporter see the outcome.")] = False,
    message_file: Annotated[
        typer.FileText | None,
        typer.Option(help="File with a last message to the reporter; `-` is the standard input. Sealed here."),
    ] = None,
) -> None:
    """Close a concern with an outcome. An unknown outcome prints the list."""
    body: dict[str, Any] = {"outcome": _find_outcome(service, outcome), "shared_with_reporter": shared}
    if message_file is not None:
        body["message"] = _seal_message(service, reference, message_file.read())
    _show_concern(service, service.send_once(desk_concern_path(reference, "outcome"), body))


def desk_reopen(service: DeskOptions, *, reference: Reference, reason: Reason) -> None:
    """Reopen a closed concern, and take back its outcome."""
    _act(service, reference, "reopening", reason=reason)


def desk_hold(service: DeskOptions, *, reference: Reference, reason: Reason) -> None:
    """Put a concern on hold, which prevents erasure."""
    _act(service, reference, "hold", held=True, reason=reason)


def desk_release(service: DeskOptions, *, reference: Reference, reason: Reason) -> None:
    """Release the hold of a concern."""
    _act(service, reference, "hold", held=False, reason=reason)


def desk_look_again(
    service: DeskOptions,
    *,
    reference: Reference,
    day: Annotated[str | None, typer.Option(help="The day, such as 2026-12-03.")] = None,
    whose: Annotated[
        Whose, typer.Option(help="Who looks again, or `officer`: the day to tell the designated officer (LADO).")
    ] = Whose.TEAM,
    no_day: Annotated[bool, typer.Option("--no-day", help="Remove the day. The officer was told.")] = False,
) -> None:
    """Set or remove the day to look at a concern again, or the day by which to tell the designated officer."""
    if no_day == (day is not None):
        raise typer.BadParameter("use either --day or --no-day")
    body = {"day": day, "whose": whose.value}
    answer = service.call("PUT", desk_concern_path(reference, "look-again"), body=body)
    service.show(answer, table([(each.value, answer[each.value] or "no day") for each in Whose]))


def desk_restrict(
    service: DeskOptions,
    *,
    reference: Reference,
    reason: Reason,
    person: Annotated[
        list[str] | None,
        typer.Option(help="A person who may open it. Repeat the option: at least two people, one of them a lead."),
    ] = None,
    allegation: Annotated[
        bool,
        typer.Option("--allegation", help="It is about someone who works with children or for the council."),
    ] = False,
    lift: Annotated[bool, typer.Option("--lift", help="End the restriction: everyone can open it again.")] = False,
) -> None:
    """Restrict a concern, so that only leads, or the people named with `--person`, can open it.

    Anyone who works at the desk can restrict a concern to leads. Only a lead can name people, or end a restriction.
    With `--allegation` the designated officer is to be told within one working day.
    """
    if lift and (person or allegation):
        raise typer.BadParameter("use --lift alone, without --person or --allegation")
    body = {"restricted": not lift, "people": person or [], "allegation": allegation, "reason": reason}
    answer = service.call("PUT", desk_concern_path(reference, "restriction"), body=body)
    now = f"restricted to {', '.join(answer['people']) or 'leads'}" if answer["restricted"] else "not restricted"
    service.show(answer, [f"{reference}: {now}"])


def desk_erase(service: DeskOptions, *, reference: Reference, reason: Reason) -> None:
    """Permanently erase the text of a concern. The concern and all its additions must be acknowledged first."""
    _act(service, reference, "erasure", reason=reason)
