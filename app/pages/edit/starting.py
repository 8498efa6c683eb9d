"""The words with which a draft begins: those of the current edition, or a title."""

from typing import Any

from sqlmodel import Session

from app.models.guidance.editions import EditionContent
from app.store.editions import current_of, find_history
from app.web.context import AppContext

SAID_ANEW = "change_note"
POSITION = "position"


def first_words(context: AppContext, session: Session, guide: str) -> dict[str, Any]:
    """Return the words of the current edition without its change note; of a new guide, its title and publisher."""
    current = current_of(find_history(session, guide=guide))
    if current is None:
        return {"title": guide.replace("-", " ").capitalize(), "publisher": {"name": context.settings.council_name}}
    words = _filled(context.contents(current.key, session).model_dump(mode="json"))
    return {name: value for name, value in words.items() if name != SAID_ANEW}


def published_ids(content: EditionContent | None, page: str) -> frozenset[str]:
    """Return the ids that the items of that list have in the current edition."""
    return frozenset(item.id for item in getattr(content, page, ()) or ()) if content is not None else frozenset()


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _filled(member) for name, member in value.items() if name != POSITION}
        return {name: member for name, member in members.items() if member not in (None, "", [], {})}
    return [_filled(member) for member in value] if isinstance(value, list) else value
