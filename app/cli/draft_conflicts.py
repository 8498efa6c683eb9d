"""What the service refused about a draft, in the words of somebody who works on it from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.cli.desk_client import DeskClient
from app.errors import (
    DeskRequestFailed,
    DraftChanged,
    DraftNotNamed,
    FollowsAnotherEdition,
    NoSuchGuide,
    NoSuchGuideDraft,
    SecondPersonNeeded,
)
from app.models.links import draft_path

UNCHANGED = "Nothing was changed: "
DRAFT_IS_GONE = "there is no draft of {guide}. It was published or removed, or never begun."
NEWER = (
    "the draft of {guide} is now version {version}, written by {written_by}. Read it (guidance draft show {guide}), "
    "bring both together, and name it: --version {version}"
)
UNNAMED = (
    "{guide} has a draft already: version {version}, written by {written_by}. Read it (guidance draft show {guide}), "
    "and name the version that your words follow: --version {version}"
)
NO_EDITION = "{guide} is a new guide: it has no edition to compare the draft with."
OWN_WORDS = "you wrote words of this draft. Somebody else publishes it, who is none of: {names}"
OTHER_EDITION = (
    "the last edition of {guide} is {follows}: read what changes (guidance draft changes {guide}), and add {option}"
)


@contextmanager
def plain_refusals(service: DeskClient, guide: str) -> Iterator[None]:
    """Raise `DeskRequestFailed` with what to do next, where the service refuses for a reason of drafts."""
    try:
        yield
    except DeskRequestFailed as refusal:
        words = _words_for(refusal.problem)
        if words is None:
            raise
        draft = _find_draft(service, guide)
        if draft is None:
            raise DeskRequestFailed(UNCHANGED + DRAFT_IS_GONE.format(guide=guide)) from None
        raise DeskRequestFailed(UNCHANGED + words.format(**_facts(draft))) from None


def _words_for(problem: str) -> str | None:
    return {
        DraftNotNamed.slug: UNNAMED,
        DraftChanged.slug: NEWER,
        NoSuchGuideDraft.slug: DRAFT_IS_GONE,
        NoSuchGuide.slug: NO_EDITION,
        SecondPersonNeeded.slug: OWN_WORDS,
        FollowsAnotherEdition.slug: OTHER_EDITION,
    }.get(problem)


def _find_draft(service: DeskClient, guide: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = service.call("GET", draft_path(guide))
    except DeskRequestFailed:
        return None
    return found


def _facts(draft: dict[str, Any]) -> dict[str, Any]:
    follows = draft["follows"]
    return {
        **{name: draft[name] for name in ("guide", "version", "written_by")},
        "names": ", ".join(draft["writers"]),
        "follows": follows or "none, so that it is a new guide",
        "option": f"--follows {follows}" if follows else "--new",
    }
