"""The record of what people do to a guide's drafts, editions and renditions."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, select

from app.models.base import canonical_json, digest_of_bytes
from app.models.guides.edition_rows import OWN_WORDS, GuideDraftAct, GuideDraftActRow


@dataclass(frozen=True)
class GuideAct:
    """An action on a guide. `language` is empty for an edition. `by` names the client, and the person if known."""

    guide: str
    by: str
    at: dt.datetime
    language: str = OWN_WORDS


def append_guide_act(
    session: Session, kind: GuideDraftAct, act: GuideAct, *, digest: str, details: dict[str, Any]
) -> int:
    """Record an action, and return its number. `digest` is of the text that it is about. No draft is changed."""
    of_draft = GuideDraftActRow.guide == act.guide, GuideDraftActRow.language == act.language
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(*of_draft)).one() or 0
    row = GuideDraftActRow(
        guide=act.guide,
        language=act.language,
        number=last + 1,
        act=kind.value,
        by=act.by,
        at=act.at,
        digest=digest_with(digest, details),
        details=details,
    )
    session.add(row)
    session.flush()
    return last + 1


def digest_with(digest: str, details: Any) -> str:
    """Return the digest of details and `digest`, or `digest` itself without details."""
    return digest if details == {} else digest_of_bytes(digest.encode() + b" " + canonical_json(details))
