"""The rows of guides that are being written, and of what was done with them."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from app.errors import NoSuchGuideDraft
from app.models.guidance.guide_tables import GuideDraftAct, GuideDraftActRow, GuideDraftRow
from app.store.editions import find_history

ENDING_ACTS = (GuideDraftAct.DISCARDED.value, GuideDraftAct.PUBLISHED.value)
"""The acts after which a guide has no draft."""


@dataclass(frozen=True)
class DraftRecord:
    """What the record says of a draft, beside its words: who wrote it, and the last edition (None for a new guide)."""

    writers: Sequence[str]
    follows: int | None


def find_guide_draft(session: Session, guide: str) -> GuideDraftRow | None:
    """Return the draft of the guide, or None."""
    return session.get(GuideDraftRow, guide)


def get_guide_draft(session: Session, guide: str) -> GuideDraftRow:
    """Return the draft of the guide. Raise `NoSuchGuideDraft`."""
    draft = find_guide_draft(session, guide)
    if draft is None:
        raise NoSuchGuideDraft
    return draft


def list_guide_drafts(session: Session) -> Sequence[GuideDraftRow]:
    """Return every draft, by guide."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide)).all()


def list_draft_writers(session: Session, guide: str) -> list[str]:
    """Return who wrote the draft since it was begun, each once, the first first."""
    last_end = select(func.max(GuideDraftActRow.number)).where(
        GuideDraftActRow.guide == guide, col(GuideDraftActRow.act).in_(ENDING_ACTS)
    )
    written = select(GuideDraftActRow.by).where(
        GuideDraftActRow.guide == guide,
        GuideDraftActRow.act == GuideDraftAct.WRITTEN.value,
        GuideDraftActRow.number > (session.exec(last_end).one() or 0),
    )
    return list(dict.fromkeys(session.exec(written.order_by(col(GuideDraftActRow.number)))))


def read_draft_record(session: Session, guide: str) -> DraftRecord:
    """Return what the record says of the guide's draft, while it has one."""
    return DraftRecord(list_draft_writers(session, guide), len(find_history(session, guide=guide)) or None)


def append_draft_act(
    session: Session, guide: str, act: GuideDraftAct, *, by: str, at: dt.datetime, content: str
) -> int:
    """Append what was done with the draft, and return the number of the act."""
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(GuideDraftActRow.guide == guide)).one() or 0
    digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    session.add(GuideDraftActRow(guide=guide, number=last + 1, act=act.value, by=by, at=at, digest=digest))
    session.flush()
    return last + 1
