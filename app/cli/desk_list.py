"""`guidance desk list` and `summary`: what is in the inbox, and how much of it."""

from typing import Annotated, Any

import typer

from app.cli.desk_client import AnswerAsJson, DeskClient, KeyFileOption, KeyOption, Url, connect
from app.cli.desk_tables import print_inbox, print_json, print_table
from app.cli.terminal import echo_result
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.tables import ConcernState
from app.models.links import DESK_CONCERNS, DESK_VIEWS
from app.store.inbox import InboxOrder

listing = typer.Typer()


@listing.command("list")
def desk_list(  # noqa: PLR0913  # each is an option of the command
    *,
    state: Annotated[ConcernState | None, typer.Option(help="Only this state.")] = None,
    overdue: Annotated[
        bool | None, typer.Option("--overdue/--not-overdue", help="Only what is overdue, or only the rest.")
    ] = None,
    danger: Annotated[ImmediateDanger | None, typer.Option(help="Only this answer about immediate danger.")] = None,
    guide: Annotated[str | None, typer.Option(help="Only those about this guide.")] = None,
    assigned_to: Annotated[str | None, typer.Option(help="Only those of this person.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Only those that are assigned to you.")] = False,
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only those that are assigned to nobody.")] = False,
    changed_since: Annotated[
        str | None, typer.Option(help="Only what changed at that moment or later, such as 2026-11-24T09:30:00Z.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="Only references that start so.")] = None,
    view: Annotated[str | None, typer.Option(help="With the filters of a view that you saved.")] = None,
    order: Annotated[InboxOrder | None, typer.Option(help="What wants attention first, or what came last.")] = None,
    limit: Annotated[int, typer.Option(help="The most concerns to list.", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """List a page of the inbox, without words: what waits for an acknowledgement comes first."""
    filters: dict[str, Any] = {
        "state": state,
        "overdue": overdue,
        "danger": danger,
        "guide": guide,
        "assigned_to": assigned_to,
        "mine": mine or None,
        "unassigned": unassigned or None,
        "changed_since": changed_since,
        "reference": reference,
        "order": order,
        "limit": limit,
        "cursor": cursor,
    }
    query = {name: value for name, value in filters.items() if value is not None}
    with connect(url, key, key_file) as service:
        if view is not None:
            query = _filters_of(service, view) | query
        answer = service.call("GET", DESK_CONCERNS, query=query)
    if as_json:
        print_json(answer)
        return
    print_inbox(answer["concerns"])
    if answer["next_cursor"]:
        typer.echo(f"There are more: --cursor {answer['next_cursor']}", err=True)


@listing.command("save-view")
def desk_save_view(
    *,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    filters: Annotated[
        list[str], typer.Argument(help="Filters of the inbox, such as danger=yes mine=true.", metavar="FILTER=VALUE")
    ],
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Save filters of the inbox under a name, for `list --view`. They are stored on the server, for you alone."""
    words = {"true": True, "false": False}
    pairs = [each.partition("=") for each in filters]
    body = {filter_name: words.get(value, value) for filter_name, _, value in pairs}
    with connect(url, key, key_file) as service:
        saved = service.call("PUT", f"{DESK_VIEWS}/{name}", body=body)
    echo_result([f"{saved['name']}: {saved['links']['concerns']}"], saved, as_json=as_json)


@listing.command("summary")
def desk_summary(
    url: Url, key: KeyOption = None, key_file: KeyFileOption = None, as_json: AnswerAsJson = False
) -> None:
    """Count the work: what waits, is acknowledged, closed and overdue."""
    with connect(url, key, key_file) as service:
        answer = service.call("GET", "/v1/desk/summary")
    if as_json:
        print_json(answer)
    else:
        print_table([(name.replace("_", " "), str(count)) for name, count in answer.items()])


def _filters_of(service: DeskClient, view: str) -> dict[str, Any]:
    """Return the filters of the view. Raises `typer.BadParameter` where there is none of that name."""
    found = {each["name"]: each["filters"] for each in service.call("GET", DESK_VIEWS)["views"]}
    if view not in found:
        raise typer.BadParameter(f"no view has that name. Yours are: {', '.join(found) or 'none'}")
    filters: dict[str, Any] = found[view]
    return filters
