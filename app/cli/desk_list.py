"""`guidance desk list` and `summary`: what is in the inbox, and how much of it."""

import itertools
from collections.abc import Callable
from enum import StrEnum
from inspect import Parameter, Signature, isclass, signature
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo

from app.cli.desk_client import AnswerAsJson, DeskClient, KeyFileOption, KeyOption, Url, connect
from app.cli.desk_tables import print_inbox, print_json, print_table
from app.cli.terminal import echo_result
from app.models.desk.inbox import InboxParameters
from app.models.links import DESK_CONCERNS, DESK_VIEWS

listing = typer.Typer()


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command an option for each filter of the inbox; it takes those that are given as its `query`."""
    declared, fields = signature(command), InboxParameters.model_fields

    def filtered(**options: Any) -> None:
        given = {name: value for name in fields if (value := options.pop(name)) not in (None, fields[name].default)}
        command(query=given, **options)

    others = [each for name, each in declared.parameters.items() if name != "query"]
    vars(filtered)["__signature__"] = Signature([*itertools.starmap(_option_of, fields.items()), *others])
    filtered.__doc__ = command.__doc__
    return filtered


def _option_of(name: str, field: FieldInfo) -> Parameter:
    """Return the option of that filter. What it may be is for the service to say, but for what is one of a few."""
    option, annotation = f"--{name.replace('_', '-')}", field.annotation
    few = [each for each in (annotation, *get_args(annotation)) if isclass(each) and issubclass(each, StrEnum | bool)]
    kind: Any = (*few, str)[0]
    names = f"{option}/--not-{name}" if kind is bool and annotation is not bool else option
    return Parameter(
        name,
        Parameter.KEYWORD_ONLY,
        default=typer.Option(None, names, help=field.description),
        annotation=kind | None,
    )


@listing.command("list")
@filter_options
def desk_list(
    *,
    query: dict[str, Any],
    view: Annotated[str | None, typer.Option(help="With the filters of a view that you saved.")] = None,
    limit: Annotated[int, typer.Option(help="The most concerns to list.", min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """List a page of the inbox, without words: what waits for an acknowledgement comes first."""
    query |= {"limit": limit} | ({"cursor": cursor} if cursor else {})
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
