"""`guidance draft`: the draft of a guide that several people write, on a running service, over HTTP."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.desk_client import AnswerAsJson, KeyFileOption, KeyOption, Url, connect
from app.cli.draft_conflicts import plain_refusals
from app.cli.draft_words import draft_as_file, echo_printable, echo_state, lines_of_changes, read_draft_file
from app.cli.terminal import echo_json
from app.models.base import SLUG_PATTERN
from app.models.guidance.guide_drafts import DraftChangesResponse
from app.models.links import draft_path
from app.web.draft_preconditions import draft_tag

shared_drafts = typer.Typer(
    help="For editors: save, check, compare and publish the draft of a guide on a running service.",
    no_args_is_help=True,
)


def _parse_guide(typed: str) -> str:
    if not re.fullmatch(SLUG_PATTERN, typed):
        raise typer.BadParameter("the name of a guide is lower-case words joined by hyphens")
    return typed


Guide = Annotated[str, typer.Argument(metavar="GUIDE", help="The guide's name.", parser=_parse_guide)]
Version = Annotated[
    int,
    typer.Option(help="The version that you read, as `show` and `check` print it: a newer one is left alone.", min=1),
]


@shared_drafts.command("put")
def draft_put(
    *,
    path: Annotated[Path, typer.Argument(metavar="FILE", help=".../<guide>/<number>.yaml; it may have faults.")],
    version: Annotated[
        int | None, typer.Option(help="The version that your words follow. Without it a draft is begun.", min=1)
    ] = None,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Save the file as the draft of its guide. What somebody else saved meanwhile is never overwritten."""
    guide, content = read_draft_file(path)
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        saved = service.call("PUT", draft_path(guide), body=content, headers=_following(version))
    echo_state(saved, f"saved. Then: guidance draft check {guide}", as_json=as_json)


@shared_drafts.command("show")
def draft_show(
    guide: Guide, url: Url, key: KeyOption = None, key_file: KeyFileOption = None, as_json: AnswerAsJson = False
) -> None:
    """Print the draft as the file of an edition, to be saved as `<guide>/<number>.yaml`."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        draft = service.call("GET", draft_path(guide))
    if as_json:
        echo_json(draft)
        return
    typer.echo(draft_as_file(draft), nl=False)
    echo_state(draft, f"written by {draft['written_by']}", to_standard_error=True)


@shared_drafts.command("check")
def draft_check(
    guide: Guide, url: Url, key: KeyOption = None, key_file: KeyFileOption = None, as_json: AnswerAsJson = False
) -> None:
    """List every fault and every warning of the draft. The exit status is 1 if there is a fault."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        checked = service.call("GET", f"{draft_path(guide)}/check")
    if as_json:
        echo_json(checked)
    else:
        echo_printable([each["detail"] for each in checked["faults"]])
        echo_printable([f"warning: {each['detail']}" for each in checked["warnings"]])
        found = "it has faults" if checked["faults"] else f"no faults ({checked['digest']})"
        echo_state(checked, found)
    if checked["faults"]:
        raise typer.Exit(1)


@shared_drafts.command("changes")
def draft_changes(
    guide: Guide, url: Url, key: KeyOption = None, key_file: KeyFileOption = None, as_json: AnswerAsJson = False
) -> None:
    """List what the draft changes against the guide's current edition: [-removed-] and {+added+} words."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        changes = service.call("GET", f"{draft_path(guide)}/changes")
    if as_json:
        echo_json(changes)
        return
    echo_printable(lines_of_changes(DraftChangesResponse.model_validate_json(json.dumps(changes))))
    echo_state(changes, f"compared with edition {changes['since']}")


@shared_drafts.command("preview")
def draft_preview(
    guide: Guide,
    out: Annotated[Path, typer.Option(help="Where the page is written (HTML). A file that exists is left alone.")],
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
) -> None:
    """Write the page of the draft as readers will see it, marked as a draft."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        page = service.fetch(f"{draft_path(guide)}/preview", "text/html").content
    with out.open("xb") as file:
        file.write(page)
    typer.echo(f"{out}: the page of the draft of {guide}")


@shared_drafts.command("offer")
def draft_offer(
    *,
    guide: Guide,
    version: Version,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Say that the draft is ready for somebody else to publish. A change of its words takes that back."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        offered = service.call("POST", f"{draft_path(guide)}/offer", headers=_following(version))
    echo_state(offered, "offered for publication", as_json=as_json)


@shared_drafts.command("publish")
def draft_publish(
    *,
    guide: Guide,
    version: Version,
    follows: Annotated[
        int | None, typer.Option(help="The number of the guide's last edition, which the draft follows.", min=1)
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Publish a guide that is not published yet.")] = False,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Publish a draft that others wrote. An edition never changes."""
    if new == (follows is not None):
        raise typer.BadParameter("say `--new` for a new guide, or `--follows NUMBER` for the next edition of one")
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        path = f"{draft_path(guide)}/publication"
        published = service.call("POST", path, body={"follows": follows}, headers=_following(version))
    if as_json:
        echo_json(published)
    else:
        typer.echo(f"{guide}, edition {published['edition']}: published ({published['digest']})")


@shared_drafts.command("discard")
def draft_discard(
    *,
    guide: Guide,
    version: Version,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Remove the draft, and print it for the last time: its words are stored no more."""
    with connect(url, key, key_file) as service, plain_refusals(service, guide):
        removed = service.call("DELETE", draft_path(guide), headers=_following(version))
    if as_json:
        echo_json(removed)
        return
    typer.echo(draft_as_file(removed), nl=False)
    echo_state(removed, "removed", to_standard_error=True)


def _following(version: int | None) -> Mapping[str, Any]:
    """Return the precondition that the draft is that version; nothing for the first one."""
    return {} if version is None else {"If-Match": draft_tag(version)}
