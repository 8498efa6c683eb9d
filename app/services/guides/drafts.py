"""Drafts of editions and renditions: their text, and the record of every action on them."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, func, select

from app.errors import NoSuchGuideDraft
from app.models.base import canonical_json
from app.models.guides.edition_rows import OWN_WORDS, EditionRow, GuideDraftAct, GuideDraftActRow, GuideDraftRow
from app.services.guides.editions import find_history
from app.services.guides.pictures import ANY_DIGEST, remove_unused_pictures

ENDING_ACTS = (GuideDraftAct.DISCARDED.value, GuideDraftAct.PUBLISHED.value)
"""Actions that end a draft: the guide then has no draft."""
DraftContent = dict[str, Any]
DraftChange = Callable[[GuideDraftRow | None], DraftContent]
"""A function that gets the current draft, or None without a draft. It returns the new content, or raises an error."""
UnplacedChange = Callable[[GuideDraftRow | None], Sequence[str]]
"""A function that gets the current draft, or None, and returns the unplaced passages to save with the draft.

An unplaced passage is text of an imported document that is not yet in a field of the draft.
"""
NONE_UNPLACED = "[]"
DraftPrecondition = Callable[[GuideDraftRow], None]
"""A function that gets the current draft, and raises unless the caller has seen its current version."""
STATE = ("offered_at", "offered_by", "returned_at", "returned_by", "publish_at", "agreed_by")
"""The columns of a draft that say whether it was submitted, sent back, or is to be published at a time."""


def expect_nothing(_draft: GuideDraftRow) -> None:
    """Accept every version of a draft. This is the precondition of an action for which the version does not matter."""


@dataclass(frozen=True)
class DraftAct:
    """An action on the draft of `guide`, by the client (and person) named `by`, at the time `at`.

    `precondition` raises an error if the client has not seen the current version of the draft. The default precondition
    accepts every version. `language` is the language of a rendition, or empty for the draft of an edition.
    """

    guide: str
    by: str
    at: dt.datetime
    precondition: DraftPrecondition = expect_nothing
    language: str = OWN_WORDS

    def known_draft(self, session: Session) -> GuideDraftRow:
        """Return the draft that the action is about.

        Raise `NoSuchGuideDraft` if there is no such draft. Raise the errors of `precondition` if the client has not
        seen the current version of the draft.
        """
        draft = get_guide_draft(session, self.guide, self.language)
        self.precondition(draft)
        return draft


@dataclass(frozen=True)
class DraftRecord:
    """The writers of a draft of an edition, and the edition that the draft follows.

    `follows` is the number of the guide's last edition, or None for a new guide.
    """

    writers: Sequence[str]
    follows: int | None


def keep_unplaced(draft: GuideDraftRow | None) -> Sequence[str]:
    """Return the unplaced passages of `draft` unchanged, or none if `draft` is None."""
    return draft.read_unplaced() if draft is not None else ()


@dataclass(frozen=True)
class EditionPeople:
    """The people who wrote, published and withdrew an edition, as far as they are recorded."""

    writers: tuple[str, ...] = ()
    published_by: str | None = None
    withdrawn_by: str | None = None


def find_guide_draft(session: Session, guide: str, language: str = OWN_WORDS) -> GuideDraftRow | None:
    """Return the draft of the next edition of `guide`, or of the rendition in `language`.

    Return None if there is no such draft.
    """
    return session.get(GuideDraftRow, (guide, language))


def get_guide_draft(session: Session, guide: str, language: str = OWN_WORDS) -> GuideDraftRow:
    """Return the draft of the next edition of `guide`, or of the rendition in `language`.

    Raise `NoSuchGuideDraft` if there is no such draft.
    """
    draft = find_guide_draft(session, guide, language)
    if draft is None:
        raise NoSuchGuideDraft
    return draft


def list_guide_drafts(session: Session) -> Sequence[GuideDraftRow]:
    """Return every draft, by guide, then by language. The draft of an edition comes before those of renditions."""
    return session.exec(select(GuideDraftRow).order_by(GuideDraftRow.guide, GuideDraftRow.language)).all()


def list_draft_acts(session: Session, guide: str, language: str = OWN_WORDS) -> Sequence[GuideDraftActRow]:
    """Return the actions on the current draft of `guide` in `language` since its beginning, in order.

    `language` is empty for the draft of an edition. Leave out withdrawals, which are recorded in the same table. The
    result is empty if there is no draft.
    """
    of_draft = GuideDraftActRow.guide == guide, GuideDraftActRow.language == language
    last_end = select(func.max(GuideDraftActRow.number)).where(*of_draft, col(GuideDraftActRow.act).in_(ENDING_ACTS))
    current = select(GuideDraftActRow).where(
        *of_draft,
        GuideDraftActRow.number > func.coalesce(last_end.correlate(None).scalar_subquery(), 0),
        GuideDraftActRow.act != GuideDraftAct.WITHDRAWN.value,
    )
    return session.exec(current.order_by(col(GuideDraftActRow.number))).all()


def writers_of(acts: Sequence[GuideDraftActRow]) -> list[str]:
    """Return the recorded name of each writer of the draft with the actions `acts`, in order of first writing."""
    return list(dict.fromkeys(each.by for each in acts if each.act == GuideDraftAct.WRITTEN))


def list_edition_people(session: Session, guide: str) -> dict[int, EditionPeople]:
    """Return the people who wrote, published and withdrew each edition of `guide`, by edition number.

    Leave out editions without a recorded action.
    """
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


def find_changed_drafts(session: Session) -> Iterator[tuple[str, str]]:
    """Compare each draft with its recorded actions. Yield the name of each draft that differs, and the fault.

    The name is the guide and, for a rendition, the language. Also report gaps in the numbers of the actions, and
    actions that differ from their digests.
    """
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
    """Return True if the digest of each of `acts` matches the action's details and the text that the action is about.

    `acts` are all actions on the drafts of one guide in one language, in order. Former texts are not stored, so the
    digest of each text is that of the action that wrote the text. Return False too if the kind of an action is unknown.
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
        if base is None or act.digest != _digest_with(base, act.details):
            return False
    return True


def _is_as_acted(draft: GuideDraftRow, acts: Sequence[GuideDraftActRow]) -> bool:
    """Return True if `draft` is as `acts` left it. `acts` are the actions since the draft was started, in order."""
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
        and written.digest == _digest_of(draft)
    )


def state_after(act: GuideDraftAct, *, by: str, at: dt.datetime, details: DraftContent) -> dict[str, Any]:
    """Return the columns of `STATE` that the action `act` changes, with their new values.

    `by` is the person, `at` the time, and `details` are the details of the action. A change of the text, or sending the
    draft back, ends a submission and a planned publication. A new submission ends a planned publication too. A draft
    stays sent back until it is submitted again.
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


def read_draft_record(session: Session, guide: str) -> DraftRecord:
    """Return the writers of the draft of the next edition of `guide`, and the number of the guide's last edition."""
    return DraftRecord(writers_of(list_draft_acts(session, guide)), len(find_history(session, guide=guide)) or None)


def write_guide_draft(
    session: Session, act: DraftAct, change: DraftChange, *, unplaced: UnplacedChange = keep_unplaced
) -> GuideDraftRow:
    """Save the content that `change` returns as the draft, record the action `act`, and return the draft.

    The draft is for the next edition of the guide, or for the rendition in `act.language`. Create the draft if there is
    none. Do not check the precondition of `act`: `change` sees the current draft, and may raise an error. Also save the
    unplaced passages that `unplaced` returns. The content may have errors. A save cancels a submission and a planned
    publication, and deletes each picture that the draft no longer has and nothing else uses. If content and passages
    are unchanged, save and record nothing. Raise the errors of `change`.
    """
    draft = find_guide_draft(session, act.guide, act.language)
    former = draft.content if draft is not None else ""
    text, passages = _json(change(draft)), _json(unplaced(draft))
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
    if (draft.content, draft.unplaced) != (text, passages):
        draft.content, draft.unplaced = text, passages
        draft.version = record_draft_act(session, draft, GuideDraftAct.WRITTEN, act)
        draft.written_at, draft.written_by = act.at, act.by
        session.add(draft)
        remove_unused_pictures(session, {*ANY_DIGEST.findall(former)} - {*ANY_DIGEST.findall(text)})
    return draft


def _json(value: DraftContent | Sequence[str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def discard_draft(session: Session, act: DraftAct) -> GuideDraftRow:
    """Delete the draft that `act` names, record the action, and return the deleted draft. The recorded actions remain.

    Delete the draft's pictures too, unless a published rendition or another draft has them. Raise `NoSuchGuideDraft` if
    there is no draft. Raise the errors of `act.precondition`, which checks that the person has seen the current version
    of the draft.
    """
    draft = act.known_draft(session)
    record_draft_act(session, draft, GuideDraftAct.DISCARDED, act)
    session.delete(draft)
    remove_unused_pictures(session, ANY_DIGEST.findall(draft.content))
    return draft


def record_draft_act(
    session: Session, draft: GuideDraftRow, kind: GuideDraftAct, act: DraftAct, details: DraftContent | None = None
) -> int:
    """Record `act` on `draft` as an action of the kind `kind`, and return the action's number.

    Set the columns of `draft` that such an action changes (see `state_after`). `details` are further data of the
    action, such as the reason for sending the draft back.
    """
    number = append_draft_act(session, kind, act, digest=_digest_of(draft), details=details or {})
    for name, value in state_after(kind, by=act.by, at=act.at, details=details or {}).items():
        setattr(draft, name, value)
    return number


def append_draft_act(
    session: Session, kind: GuideDraftAct, act: DraftAct, *, digest: str, details: DraftContent
) -> int:
    """Record `act` as an action of the kind `kind`, and return the action's number. No draft is changed.

    `digest` is the digest of the text that the action is about. `details` are further data of the action.
    """
    of_draft = GuideDraftActRow.guide == act.guide, GuideDraftActRow.language == act.language
    last = session.exec(select(func.max(GuideDraftActRow.number)).where(*of_draft)).one() or 0
    row = GuideDraftActRow(
        guide=act.guide,
        language=act.language,
        number=last + 1,
        act=kind.value,
        by=act.by,
        at=act.at,
        digest=_digest_with(digest, details),
        details=details,
    )
    session.add(row)
    session.flush()
    return last + 1


def _digest_of(draft: GuideDraftRow) -> str:
    """Return the digest of the content of `draft`, and of its unplaced passages if there are any."""
    return _sha256(draft.content if draft.unplaced == NONE_UNPLACED else f"{draft.content}\n{draft.unplaced}")


def _digest_with(digest: str, details: Any) -> str:
    """Return one digest of `digest` and `details`. `digest` is the digest of a text.

    If `details` is empty, return `digest` itself.
    """
    return digest if details == {} else _sha256(f"{digest} {canonical_json(details).decode()}")


def _sha256(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
