"""Reads of published editions, and the rows of a new edition or withdrawal."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, Subquery, bindparam, case, func, insert
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, EditionWithdrawn, NoSuchEdition, NoSuchGuide
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import EditionRow, GuideRow, WithdrawalRow
from app.models.guidance.sections import ITEM_LISTS
from app.store.writer import GENERATION_RAISED

HEAD_COLUMNS = ("guide", "number", "published_at", "digest", "title", "change_note")


class EditionKey(NamedTuple):
    """A guide and the number of one of its editions."""

    guide: str
    number: int


@dataclass(frozen=True)
class EditionHead:
    """An edition in the history of its guide: its details without its content."""

    guide: str
    number: int
    published_at: dt.datetime
    digest: str
    title: str
    change_note: str
    withdrawn_at: dt.datetime | None
    reason: str | None

    @property
    def key(self) -> EditionKey:
        """The guide and the number."""
        return EditionKey(self.guide, self.number)


def find_history(session: Session, *, guide: str) -> list[EditionHead]:
    """Return every edition of the guide, the newest first. The list is empty for an unknown guide."""
    return [EditionHead(*row) for row in session.execute(_history_rows(), {"guide": guide})]


def get_history(session: Session, *, guide: str) -> list[EditionHead]:
    """Return every edition of the guide, the newest first. Raise `NoSuchGuide`."""
    history = find_history(session, guide=guide)
    if not history:
        raise NoSuchGuide
    return history


def current_of(history: Sequence[EditionHead]) -> EditionHead | None:
    """Return the newest edition that is not withdrawn, or None if all are."""
    return next((head for head in history if head.withdrawn_at is None), None)


def get_current(session: Session, *, guide: str) -> EditionHead:
    """Return the guide's current edition. Raise `NoSuchGuide`, or `EditionWithdrawn` if it has none."""
    return require_current(get_history(session, guide=guide))


def require_current(history: Sequence[EditionHead]) -> EditionHead:
    """Return the current edition of a history. Raise `EditionWithdrawn` if all are withdrawn."""
    current = current_of(history)
    if current is None:
        raise EditionWithdrawn(reason=history[0].reason or "", replaced_by=None)
    return current


def head_of(history: Sequence[EditionHead], number: int) -> EditionHead:
    """Return the edition of that number, withdrawn or not. Raise `NoSuchEdition`."""
    head = next((head for head in history if head.number == number), None)
    if head is None:
        raise NoSuchEdition
    return head


def readable_of(history: Sequence[EditionHead], number: int) -> EditionHead:
    """Return the edition of that number. Raise `NoSuchEdition`, or `EditionWithdrawn` with the reason."""
    head = head_of(history, number)
    if head.reason is not None:
        current = current_of(history)
        raise EditionWithdrawn(reason=head.reason, replaced_by=current.number if current else None)
    return head


def list_current(session: Session, *, after: str = "", limit: int) -> list[EditionHead]:
    """Return current editions, sorted by the guide's slug, from the first slug after `after`."""
    return [EditionHead(*row) for row in session.execute(_current_rows(), {"after": after, "limit": limit})]


@cache
def newest_readable() -> Subquery:
    """Return the number of the current edition of each guide, from the first after `after`, as many as `limit`."""
    return (
        select_columns(col(EditionRow.guide).label("guide"), func.max(EditionRow.number).label("number"))
        .outerjoin(WithdrawalRow, _is_withdrawal_of_it())
        .where(col(WithdrawalRow.edition).is_(None), col(EditionRow.guide) > bindparam("after"))
        .group_by(col(EditionRow.guide))
        .order_by(col(EditionRow.guide))
        .limit(bindparam("limit", type_=Integer))
        .subquery()
    )


@cache
def _current_rows() -> Select[Any]:
    newest = newest_readable()
    return (
        _heads()
        .join(newest, (col(EditionRow.guide) == newest.c.guide) & (col(EditionRow.number) == newest.c.number))
        .order_by(col(EditionRow.guide))
    )


def every_edition(session: Session) -> list[tuple[EditionKey, str]]:
    """Return every edition of every guide, withdrawn ones too, each with its digest."""
    rows = session.exec(
        select(EditionRow.guide, EditionRow.number, EditionRow.digest).order_by(
            EditionRow.guide, col(EditionRow.number)
        )
    )
    return [(EditionKey(guide, number), digest) for guide, number, digest in rows]


def default_guide(session: Session, preferred: str | None = None) -> str | None:
    """Return the guide for whatever names none: the preferred one, else the first published. None without any guide.

    A guide that has a current edition comes before one whose editions are all withdrawn.
    """
    readable = (
        select(EditionRow.guide)
        .outerjoin(WithdrawalRow, _is_withdrawal_of_it())
        .where(EditionRow.guide == GuideRow.slug, col(WithdrawalRow.edition).is_(None))
        .exists()
    )
    order = (case((readable, 0), else_=1), case((col(GuideRow.slug) == preferred, 0), else_=1))
    return session.exec(
        select(GuideRow.slug).order_by(*order, col(GuideRow.first_published_at), GuideRow.slug).limit(1)
    ).first()


@cache
def _history_rows() -> Select[Any]:
    return _heads().where(col(EditionRow.guide) == bindparam("guide")).order_by(col(EditionRow.number).desc())


def insert_edition(session: Session, key: EditionKey, *, content: EditionContent, digest: str, at: dt.datetime) -> None:
    """Insert the edition's items, many to a statement, then the edition itself, which seals them.

    Raises `EditionAlreadyPublished` where another edition was first. The first edition brings its guide's row with it.
    """
    own = content.model_dump()
    try:
        if key.number == 1:
            session.add(GuideRow(slug=key.guide, first_published_at=at))
            session.flush()
        for name, entry in ITEM_LISTS.items():
            items = [
                {"guide": key.guide, "edition": key.number, "position": place} | item
                for place, item in enumerate(own.pop(name), start=1)
            ]
            if items:
                session.connection().execute(insert(entry.row), items)
        session.add(EditionRow(guide=key.guide, number=key.number, digest=digest, published_at=at, **own))
        session.flush()
    except IntegrityError:
        raise EditionAlreadyPublished from None
    session.connection().info[GENERATION_RAISED] = True


def insert_withdrawal(session: Session, key: EditionKey, *, reason: str, at: dt.datetime) -> None:
    """Insert the edition's withdrawal. Raise `AlreadyWithdrawn` if there is one."""
    session.add(WithdrawalRow(guide=key.guide, edition=key.number, withdrawn_at=at, reason=reason))
    try:
        session.flush()
    except IntegrityError:
        raise AlreadyWithdrawn from None
    session.connection().info[GENERATION_RAISED] = True


def _is_withdrawal_of_it() -> ColumnElement[bool]:
    return (col(WithdrawalRow.guide) == EditionRow.guide) & (col(WithdrawalRow.edition) == EditionRow.number)


def _heads() -> Select[Any]:
    columns: list[Any] = [getattr(EditionRow, name) for name in HEAD_COLUMNS]
    columns += [WithdrawalRow.withdrawn_at, WithdrawalRow.reason]
    return select_columns(*columns).outerjoin(WithdrawalRow, _is_withdrawal_of_it())
