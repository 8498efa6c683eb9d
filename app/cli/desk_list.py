"""`guidance desk list` and `summary`: what is in the inbox, and how much of it."""

from typing import Annotated, Any

import typer

from app.cli.desk_client import AsJson, Key, KeyFile, Url, connect
from app.cli.desk_tables import print_inbox, print_json, print_table
from app.models.concerns.tables import ConcernState
from app.models.links import DESK_CONCERNS
from app.store.inbox import InboxOrder

listing = typer.Typer()


@listing.command("list")
def desk_list(
    *,
    state: Annotated[ConcernState | None, typer.Option(help="Only this state.")] = None,
    overdue: Annotated[
        bool | None, typer.Option("--overdue/--not-overdue", help="Only what is overdue, or only the rest.")
    ] = None,
    order: Annotated[InboxOrder | None, typer.Option(help="What wants attention first, or what came last.")] = None,
    limit: Annotated[int, typer.Option(help="The most concerns to list.", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url,
    key: Key = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
) -> None:
    """List a page of the inbox, without words: what waits for an acknowledgement comes first."""
    filters: dict[str, Any] = {"state": state, "overdue": overdue, "order": order, "limit": limit, "cursor": cursor}
    query = {name: value for name, value in filters.items() if value is not None}
    with connect(url, key, key_file) as service:
        answer = service.call("GET", DESK_CONCERNS, query=query)
    if as_json:
        print_json(answer)
        return
    print_inbox(answer["concerns"])
    if answer["next_cursor"]:
        typer.echo(f"There are more: --cursor {answer['next_cursor']}", err=True)


@listing.command("summary")
def desk_summary(url: Url, key: Key = None, key_file: KeyFile = None, as_json: AsJson = False) -> None:
    """Count the work: what waits, is acknowledged, closed and overdue."""
    with connect(url, key, key_file) as service:
        answer = service.call("GET", "/v1/desk/summary")
    if as_json:
        print_json(answer)
    else:
        print_table([(name.replace("_", " "), str(count)) for name, count in answer.items()])
