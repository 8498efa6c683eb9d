"""What `guidance verify` says of drafts, and of the record of what was done to guides."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from app.extensions.editing.services.drafts import (
    ENDING_ACTS,
    STATE,
    digest_of_draft,
    list_guide_drafts,
    state_after,
)
from app.extensions.editing.tables import GuideDraftRow
from app.models.guides.edition_rows import EditionRow, GuideDraftAct, GuideDraftActRow
from app.services.guides.guide_acts import digest_with


def verify(engine: Engine) -> Iterator[tuple[str, str]]:
    with Session(engine) as session:
        yield from ((f"draft of {guide}", fault) for guide, fault in find_changed_drafts(session))


def find_changed_drafts(session: Session) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each draft that differs from its actions, and of gaps and changes in the actions."""
    ordered = select(GuideDraftActRow).order_by(
        GuideDraftActRow.guide, GuideDraftActRow.language, col(GuideDraftActRow.number)
    )
    acts: dict[tuple[str, str], list[GuideDraftActRow]] = {}
    for row in session.exec(ordered):
        acts.setdefault((row.guide, row.language), []).append(row)
    drafts = {(draft.guide, draft.language): draft for draft in list_guide_drafts(session)}
    for key in sorted(acts.keys() | drafts.keys()):
        of_draft, draft, name = acts.get(key, []), drafts.get(key), " ".join(filter(None, key))
        if [act.number for act in of_draft] != list(range(1, len(of_draft) + 1)):
            yield name, "a recorded action is missing"
        if not _are_as_recorded(session, of_draft):
            yield name, "a recorded action was changed"
            continue
        ended = max((act.number for act in of_draft if act.act in ENDING_ACTS), default=0)
        current = [act for act in of_draft if act.number > ended and act.act != GuideDraftAct.WITHDRAWN]
        if (draft is None) != (not current):
            yield (
                name,
                "it is missing, and no recorded action ended it" if draft is None else "no recorded action wrote it",
            )
        elif draft is not None and not _is_as_acted(draft, current):
            yield name, "it differs from its recorded actions"


def _are_as_recorded(session: Session, acts: Sequence[GuideDraftActRow]) -> bool:
    """True if each digest matches the action's details and text; False for an unknown kind.

    `acts` are all of one guide and language. Former texts are not stored: the digest of a text is that of the action
    that wrote it.
    """
    written = ""
    if not {act.act for act in acts} <= set(GuideDraftAct):
        return False
    for act in acts:
        if act.act == GuideDraftAct.WRITTEN:
            written = act.digest
        base: str | None = written
        if act.act == GuideDraftAct.WITHDRAWN:
            number = act.details.get("number") if isinstance(act.details, dict) else None
            row = session.get(EditionRow, (act.guide, act.language, number)) if isinstance(number, int) else None
            base = row.digest if row is not None else None
        if base is None or act.digest != digest_with(base, act.details):
            return False
    return True


def _is_as_acted(draft: GuideDraftRow, acts: Sequence[GuideDraftActRow]) -> bool:
    """`acts` are those since the draft began."""
    written, state = None, dict[str, Any].fromkeys(STATE)
    for act in acts:
        if act.act == GuideDraftAct.WRITTEN:
            written = act
        elif written is None:
            return False
        state |= state_after(GuideDraftAct(act.act), by=act.by, at=act.at, details=act.details)
    return written is not None and (
        (draft.begun_at, draft.version, draft.written_at, draft.written_by)
        == (acts[0].at, written.number, written.at, written.by)
        and {name: getattr(draft, name) for name in STATE} == state
        and written.digest == digest_of_draft(draft)
    )
