"""The history of a guide for editors: the changes in each edition, and who wrote and published the edition.

The withdrawal of an edition or rendition is here too.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Response

from app.extensions.editing import PAGES
from app.extensions.editing.pages.draft_requests import Editing, PublishingDep, ReviewingDep
from app.extensions.editing.pages.edit_posts import EDIT_PAGES
from app.extensions.editing.services.drafts import EditionPeople, list_edition_people
from app.models.base import MAX_NUMBER
from app.models.guides.edition_keys import AnyKey, EditionKey, RenditionKey
from app.models.guides.sections import ITEM_LISTS
from app.pages.frame import DeskRouter, lead_to
from app.pages.guides.change_words import TextChange, describe_changes
from app.pages.posted_forms import SubmittedFormDep
from app.pages.text_format import language_name
from app.services.guides.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    get_history,
    head_of,
    list_renditions,
    status_of,
)
from app.services.guides.publishing import withdraw_published
from app.services.guides.renditions import current_renditions, rendition_of

router = DeskRouter(PAGES)
SHOWN_EDITIONS = 10
LONGEST_REASON = 1000
WITHDRAW = "withdraw"
"""The button that withdraws; the other only shows what readers will get."""
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER)]
Before = Annotated[int, Query(ge=1, le=MAX_NUMBER)]


@router.get("/{guide}/history")
def read_history_page(editing: ReviewingDep, before: Before = MAX_NUMBER) -> Response:
    """Show up to `SHOWN_EDITIONS` below `before`, most recent first. Raise `NoSuchGuide`."""
    history, hands = (
        get_history(editing.session, guide=editing.guide),
        list_edition_people(editing.session, editing.guide),
    )
    shown = [each for each in history if each.number < before][:SHOWN_EDITIONS]
    by_number = {each.number: each for each in history}
    editions = [
        {
            "head": each,
            "status": status_of(each, history),
            "hands": hands.get(each.number, EditionPeople()),
            "changes": _changes(editing, by_number.get(each.number - 1), each),
        }
        for each in shown
    ]
    return editing.page(
        "desk_edit_history.html",
        guide=editing.guide,
        title=history[0].title,
        editions=editions,
        older=shown[-1].number if shown and shown[-1].number > 1 else None,
    )


def _changes(editing: Editing, before: EditionHead | None, after: EditionHead) -> dict[str, Sequence[TextChange]]:
    """Group the changes by heading."""
    if before is None:
        return {}
    old, new = (editing.context.contents(each.key, editing.session) for each in (before, after))
    found = describe_changes(old, new)
    return {ITEM_LISTS[key].heading if key in ITEM_LISTS else EDIT_PAGES[key]: each for key, each in found.items()}


async def _read_key(editing: PublishingDep, number: Number) -> AnyKey:
    """Return the key of an edition, or of a rendition if the path names a language."""
    if "language" in editing.request.path_params:  # the query may name one too
        return RenditionKey(editing.guide, editing.language, number)
    return EditionKey(editing.guide, number)


KeyDep = Annotated[AnyKey, Depends(_read_key)]


@router.get("/{guide}/editions/{number}/withdrawal")
@router.get("/{guide}/renditions/{language}/{number}/withdrawal")
def read_withdrawal_page(editing: PublishingDep, key: KeyDep) -> Response:
    """Show what readers will get instead; if withdrawn, no form. Raise `NoSuchEdition` or `NoSuchRendition`."""
    return _withdrawal_page(editing, key)


@router.post("/{guide}/editions/{number}/withdrawal")
@router.post("/{guide}/renditions/{language}/{number}/withdrawal")
def withdraw_on_page(editing: PublishingDep, key: KeyDep, posted: SubmittedFormDep) -> Response:
    """Withdraw if there is a reason and the button was `WITHDRAW`, or show the form. Raise as `withdraw_published`."""
    reason = posted.one("reason").strip()[:LONGEST_REASON]
    if not reason or posted.one("do") != WITHDRAW:
        return _withdrawal_page(editing, key, reason)
    editing.context.writer.run(withdraw_published, key, reason=reason, at=editing.now, by=editing.actor.client)
    return lead_to(f"{PAGES}/{key.guide}/{'renditions' if isinstance(key, RenditionKey) else 'history'}")


def _withdrawal_page(editing: Editing, key: AnyKey, reason: str = "") -> Response:
    """Show the button `WITHDRAW` only if there is a `reason`. If the version is withdrawn, show only when and why."""
    history = get_history(editing.session, guide=editing.guide)
    stored = list_renditions(editing.session, guide=editing.guide)
    values = (
        _without_edition(editing, history, stored, head_of(history, key.number))
        if isinstance(key, EditionKey)
        else _without_rendition(history, stored, key)
    )
    return editing.page(
        "desk_edit_withdrawal.html", guide=editing.guide, reason=reason, max_reason=LONGEST_REASON, **values
    )


def _without_edition(
    editing: Editing, history: Sequence[EditionHead], stored: Sequence[StoredRendition], head: EditionHead
) -> dict[str, Any]:
    """Return what readers get once the edition is withdrawn."""
    rest = [each for each in history if each.number != head.number]
    after, was_current = current_of(rest), current_of(history) == head
    lost = [each for each in current_renditions(history, stored) if each.edition == head.number]
    content = editing.context.contents(after.key, editing.session) if after is not None and was_current else None
    return {
        "what": f"edition {head.number}",
        "withdrawn": head,
        "was_current": was_current,
        "replacement": {"head": after, "changes": _changes(editing, head, after)} if after is not None else None,
        "contacts": content.contacts if content is not None else (),
        "lost": [language_name(each.key.language) for each in lost],
    }


def _without_rendition(
    history: Sequence[EditionHead], stored: Sequence[StoredRendition], key: RenditionKey
) -> dict[str, Any]:
    """Return what readers get once the rendition is withdrawn. Raise `NoSuchRendition`."""
    of_language = [each for each in stored if each.key.language == key.language]
    found = rendition_of(of_language, key.number)
    rest = current_renditions(history, [each for each in of_language if each != found])
    return {
        "what": f"{language_name(key.language)} {key.number}",
        "withdrawn": found,
        "was_current": found in current_renditions(history, of_language),
        "replacement": None,
        "former": rest[0] if rest else None,
        "contacts": (),
        "lost": [],
    }
