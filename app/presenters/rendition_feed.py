"""The entries of renditions in the feed of editions."""

from app.models.guidance.feed import FeedRendition, Happening
from app.models.guidance.languages import english_name_of
from app.models.guidance.rendition_content import RenditionContent
from app.models.links import rendition_page_path, rendition_path, renditions_path
from app.presenters.feeds import FeedEntry
from app.presenters.renditions import UNCHECKED
from app.store.edition_events import EditionEventKind
from app.store.rendition_events import RenditionEvent

HAPPENINGS: dict[EditionEventKind, Happening] = {
    EditionEventKind.PUBLISHED: "rendition_published",
    EditionEventKind.WITHDRAWN: "rendition_withdrawn",
}


def entry_of_rendition(event: RenditionEvent) -> FeedEntry:
    """Return the entry of an event."""
    stored = event.rendition
    guide, language, number = stored.key
    form = stored.content.form
    is_withdrawn = event.kind is EditionEventKind.WITHDRAWN
    name = f"{english_name_of(language)} ({form.value.replace('_', ' ')}), rendition {number}"
    return FeedEntry(
        happening=HAPPENINGS[event.kind],
        key=stored.edition_key,
        title=f"{event.kind.value.capitalize()}: {event.title}, edition {stored.edition}, {name}",
        words=(stored.reason or "") if is_withdrawn else _who_checked(stored.content),
        publisher=event.publisher,
        digest=event.edition_digest,
        at=event.at,
        page=f"/guides/{guide}" if is_withdrawn else rendition_page_path(*stored.key),
        path=renditions_path(guide) if is_withdrawn else rendition_path(*stored.key),
        name_in_id=f"{guide}/{language}/{number}/{stored.digest}/{event.kind.value}",
        rendition=FeedRendition(language=language, number=number, form=form, digest=stored.digest),
    )


def _who_checked(content: RenditionContent) -> str:
    if content.is_unchecked:
        return UNCHECKED
    if content.checked_by is None:
        return f"Made by a {content.made_by.value}."
    return f"Checked by {content.checked_by} on {content.checked_on}."
