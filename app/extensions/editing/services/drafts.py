"""Drafts of editions and renditions: their text, and the record of every action on them."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import String, cast, func
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.errors import NoSuchGuideDraft
from app.extensions.editing.tables import GuideDraftRow
from app.models.base import digest_of_bytes
from app.models.guides.edition_rows import OWN_WORDS, EditionRow, GuideDraftAct, GuideDraftActRow, PictureRow
from app.services.guides.editions import find_history
from app.services.guides.guide_acts import GuideAct, append_guide_act
from app.services.guides.pictures import ANY_DIGEST

ENDING_ACTS = (GuideDraftAct.DISCARDED.value, GuideDraftAct.PUBLISHED.value)
DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""Gets the current draft, if any, and returns the new content, or raises."""
UnplacedChange = Callable[[GuideDraftRow | None], Mapping[str, str]]
"""Gets the current draft, if any, and returns text of an imported document that is in no field yet, with its origin."""
NONE_UNPLACED = "[]"
DraftPrecondition = Callable[[GuideDraftRow], None]
"""Raises unless the caller has seen the current version."""
STATE = ("offered_at", "offered_by", "returned_at", "returned_by", "publish_at", "agreed_by")
"""Submitted, sent back, or to be published at a time."""


def _expect_nothing(_draft: GuideDraftRow) -> None:
    """Accept any version of the draft."""


@dataclass(frozen=True)
class DraftAct(GuideAct):
    precondition: DraftPrecondition = _expect_nothing

    def known_draft(self, session: Session) -> GuideDraftRow:
        """Raise `NoSuchGuideDraft`, or the errors of `precondition` if the caller has not seen the current version."""
        draft = get_guide_draft(session, self.guide, self.language)
        self.precondition(draft)
        return draft


def keep_unplaced(draft: GuideDraftRow | None) -> dict[str, str]:
    return draft.read_unplaced() if draft is not None else {}


@dataclass(frozen=True)
class EditionPeople:
    """The recorded people of an edition."""

    writers: tuple[str, ...] = ()
    published_by: str | None = None
    withdrawn_by: str | None = None


def find_guide_draft(session: Session, guide: str, language: str = OWN_WORDS) -> GuideDraftRow | None:
    return session.get(GuideDraftRow, (guide, language))


def get_guide_draft(session: Session, guide: str, language: str = OWN_WORDS) -> GuideDraftRow:
    """Raise `NoSuchGuideDraft`."""
    draft = find_guide_draft(session, guide, language)
    if draft is None:
        raise NoSuchGuideDraft
    return draft


def list_guide_drafts(session: Session) -> Sequence[GuideDraftRow]:
    """Return the drafts by guide, that of the edition first, then those of renditions by language."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide, GuideDraftRow.language)).all()


def list_draft_acts(session: Session, guide: str, language: str = OWN_WORDS) -> Sequence[GuideDraftActRow]:
    """Return the actions since the draft began, without withdrawals, which are in the same table."""
    of_draft = GuideDraftActRow.guide == guide, GuideDraftActRow.language == language
    last_end = select(func.max(GuideDraftActRow.number)).where(*of_draft, col(GuideDraftActRow.act).in_(ENDING_ACTS))
    current = select(GuideDraftActRow).where(
        *of_draft,
        GuideDraftActRow.number > func.coalesce(last_end.correlate(None).scalar_subquery(), 0),
        GuideDraftActRow.act != GuideDraftAct.WITHDRAWN.value,
    )
    return session.exec(current.order_by(col(GuideDraftActRow.number))).all()


def writers_of(acts: Sequence[GuideDraftActRow]) -> list[str]:
    """Return the writers in order of their first writing."""
    return list(dict.fromkeys(each.by for each in acts if each.act == GuideDraftAct.WRITTEN))


def list_edition_people(session: Session, guide: str) -> dict[int, EditionPeople]:
    """Return the people by edition number. Editions without a recorded action are left out."""
    of_editions = GuideDraftActRow.guide == guide, GuideDraftActRow.language == OWN_WORDS
    found: dict[int, EditionPeople] = {}
    writers: list[str] = []
    for act in session.exec(select(GuideDraftActRow).where(*of_editions).order_by(col(GuideDraftActRow.number))):
        match act.act:
            case GuideDraftAct.WRITTEN:
                writers.append(act.by)
            case GuideDraftAct.DISCARDED:
                writers = []
            case GuideDraftAct.PUBLISHED:
                found[act.details["number"]] = EditionPeople(tuple(dict.fromkeys(writers)), act.by)
                writers = []
            case GuideDraftAct.WITHDRAWN:
                number = act.details["number"]
                found[number] = replace(found.get(number, EditionPeople()), withdrawn_by=act.by)
    return found


def state_after(act: GuideDraftAct, *, by: str, at: dt.datetime, details: DraftContent) -> dict[str, Any]:
    """Return the columns of `STATE` that the action changes.

    A change of the text, or sending back, ends a submission and a planned publication; a new submission the latter. A
    draft stays sent back until it is submitted.
    """
    none: dict[str, Any] = dict.fromkeys(STATE)
    match act:
        case GuideDraftAct.WRITTEN:
            return {name: None for name in STATE if not name.startswith("returned")}
        case GuideDraftAct.OFFERED:
            return none | {"offered_at": at, "offered_by": by}
        case GuideDraftAct.RETURNED:
            return none | {"returned_at": at, "returned_by": by}
        case GuideDraftAct.SCHEDULED:
            return {"publish_at": dt.datetime.fromisoformat(details["publish_at"]), "agreed_by": by}
        case GuideDraftAct.UNSCHEDULED:
            return {"publish_at": None, "agreed_by": None}
    return {}


def read_draft_record(session: Session, guide: str) -> tuple[Sequence[str], int | None]:
    """The writers of an edition's draft, and the number that it follows (None for a new guide)."""
    return writers_of(list_draft_acts(session, guide)), len(find_history(session, guide=guide)) or None


def write_guide_draft(
    session: Session, act: DraftAct, change: DraftChange, *, unplaced: UnplacedChange = keep_unplaced
) -> GuideDraftRow:
    """Save what `change` returns, which may have errors; begin a draft if there is none.

    The precondition is not checked: `change` sees the current draft, and may raise. A save cancels submission and
    planned publication, and deletes pictures that nothing uses any more. Unchanged content saves and records nothing.
    """
    draft = find_guide_draft(session, act.guide, act.language)
    former = draft.content if draft is not None else ""
    text, passages = _json(change(draft)), unplaced(draft)
    if draft is None:
        draft = GuideDraftRow(
            guide=act.guide,
            language=act.language,
            version=0,
            content="",
            begun_at=act.at,
            written_at=act.at,
            written_by=act.by,
        )
    if (draft.content, draft.read_unplaced()) != (text, passages):
        draft.content, draft.unplaced = text, _json(passages) if passages else NONE_UNPLACED
        draft.version = record_draft_act(session, draft, GuideDraftAct.WRITTEN, act)
        draft.written_at, draft.written_by = act.at, act.by
        session.add(draft)
        _remove_unused_pictures(session, {*ANY_DIGEST.findall(former)} - {*ANY_DIGEST.findall(text)})
    return draft


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def discard_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Delete it with pictures that nothing else has; its recorded actions remain. Raise as `DraftAct.known_draft`."""
    draft = act.known_draft(session)
    record_draft_act(session, draft, GuideDraftAct.DISCARDED, act)
    session.delete(draft)
    _remove_unused_pictures(session, ANY_DIGEST.findall(draft.content))
    return draft


def record_draft_act(
    session: Session, draft: GuideDraftRow, kind: GuideDraftAct, act: DraftAct, details: DraftContent | None = None
) -> int:
    """Return the action's number, and set the columns that it changes (`state_after`)."""
    number = append_guide_act(session, kind, act, digest=digest_of_draft(draft), details=details or {})
    for name, value in state_after(kind, by=act.by, at=act.at, details=details or {}).items():
        setattr(draft, name, value)
    return number


def digest_of_draft(draft: GuideDraftRow) -> str:
    """Return the digest of content and unplaced passages together."""
    words = draft.content if draft.unplaced == NONE_UNPLACED else f"{draft.content}\n{draft.unplaced}"
    return digest_of_bytes(words.encode())


def store_picture(session: Session, data: bytes) -> str:
    """Store the picture unless it is there, and return its digest."""
    digest = digest_of_bytes(data)
    if session.get(PictureRow, digest) is None:
        session.add(PictureRow(digest=digest, data=data))
    return digest


def _remove_unused_pictures(session: Session, digests: Iterable[str]) -> None:
    """Delete the pictures that no draft and no published rendition has."""
    for digest in digests:
        row = session.get(PictureRow, digest)
        if row is not None and not _is_used(session, digest):
            session.delete(row)


def _is_used(session: Session, digest: str) -> bool:
    in_drafts = select(GuideDraftRow.guide).where(col(GuideDraftRow.content).contains(digest))
    in_renditions = select(EditionRow.guide).where(cast(table_of(EditionRow).c.words, String).contains(digest))
    return any(session.exec(each.limit(1)).first() is not None for each in (in_drafts, in_renditions))
