"""Queries and inserts of published editions and renditions, and a cache of recently used contents."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from threading import Lock
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, bindparam, case, exists, func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

from app.db.statements import FixedSelect
from app.db.tables import table_of
from app.db.writer import GENERATION_RAISED
from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, EditionWithdrawn, NoSuchEdition, NoSuchGuide
from app.models.base import digest_of
from app.models.coded_values import member_reader
from app.models.guides.edition_keys import AnyKey, EditionKey, RenditionKey
from app.models.guides.edition_rows import OWN_WORDS, EditionRow, WithdrawalRow
from app.models.guides.editions import EditionContent, EditionDetails
from app.models.guides.guides import EditionStatus, Withdrawal
from app.models.guides.renditions import RenditionContent, RenditionDetails
from app.models.guides.sections import Section
from app.models.guides.stored_content import complete_stored, shape_of_content
from app.models.languages import RenditionForm

_EDITIONS, _WITHDRAWALS = table_of(EditionRow), table_of(WithdrawalRow)
IS_EDITION: ColumnElement[bool] = _EDITIONS.c.language == OWN_WORDS
IS_RENDITION: ColumnElement[bool] = _EDITIONS.c.language != OWN_WORDS
IS_WITHDRAWAL_OF_GUIDE: ColumnElement[bool] = and_(
    *(_WITHDRAWALS.c[name] == _EDITIONS.c[name] for name in ("guide", "language", "number"))
)
NOTICE = dt.timedelta(days=60)
"""How long before the review day a review is listed as due."""
# The SQL statements of the most frequent reads. They are built once, because building a statement takes longer than
# running it. They select the columns of tables, because reading through the row classes is slower.
_WITH_WITHDRAWALS = _EDITIONS.outerjoin(_WITHDRAWALS, IS_WITHDRAWAL_OF_GUIDE)
_HEADS: Select[Any] = (
    select_columns(
        _EDITIONS.c.guide,
        _EDITIONS.c.number,
        _EDITIONS.c.published_at,
        _EDITIONS.c.digest,
        _EDITIONS.c.details["title"].as_string(),
        _EDITIONS.c.details["change_note"].as_string(),
        _WITHDRAWALS.c.withdrawn_at,
        _WITHDRAWALS.c.reason,
    )
    .select_from(_WITH_WITHDRAWALS)
    .where(IS_EDITION)
)
_HISTORY = _HEADS.where(_EDITIONS.c.guide == bindparam("guide")).order_by(_EDITIONS.c.number.desc())
_CURRENT_HEAD = _HISTORY.where(_WITHDRAWALS.c.number.is_(None)).limit(1)
_OTHERS, _GONE = _EDITIONS.alias(), _WITHDRAWALS.alias()
_NEWEST_NUMBER = select_columns(func.max(_OTHERS.c.number)).where(
    _OTHERS.c.guide == _EDITIONS.c.guide, _OTHERS.c.language == OWN_WORDS
)
_CURRENT_NUMBER = _NEWEST_NUMBER.where(
    ~exists().where(*(_GONE.c[name] == _OTHERS.c[name] for name in ("guide", "language", "number")))
)
_NUMBERED_HEADS = _HISTORY.where(
    _EDITIONS.c.number.in_(bindparam("numbers", expanding=True))
    | (_EDITIONS.c.number == _CURRENT_NUMBER.scalar_subquery())
)
_STORED = (
    select_columns(
        *(_EDITIONS.c[name] for name in ("number", "published_at", "digest", "details", "words")),
        _NEWEST_NUMBER.scalar_subquery(),
    )
    .select_from(_WITH_WITHDRAWALS)
    .where(IS_EDITION, _EDITIONS.c.guide == bindparam("guide"), _WITHDRAWALS.c.number.is_(None))
)
_STORED_NUMBERED = FixedSelect(_STORED.where(_EDITIONS.c.number == bindparam("number")))
_STORED_CURRENT = FixedSelect(_STORED.order_by(_EDITIONS.c.number.desc()).limit(1))
_NEWEST = (
    select_columns(_EDITIONS.c.guide, func.max(_EDITIONS.c.number).label("number"))
    .select_from(_WITH_WITHDRAWALS)
    .where(IS_EDITION, _WITHDRAWALS.c.number.is_(None))
    .group_by(_EDITIONS.c.guide)
    .subquery()
)
_CURRENT = (
    _HEADS.add_columns(_EDITIONS.c.details)
    .where(_EDITIONS.c.guide == _NEWEST.c.guide, _EDITIONS.c.number == _NEWEST.c.number)
    .order_by(_EDITIONS.c.guide)
)
_RENDITIONS_OF = (
    select_columns(*_EDITIONS.c, _WITHDRAWALS.c.withdrawn_at, _WITHDRAWALS.c.reason)
    .select_from(_WITH_WITHDRAWALS)
    .where(IS_RENDITION, _EDITIONS.c.guide == bindparam("guide"))
    .order_by(_EDITIONS.c.language, _EDITIONS.c.number.desc())
)
_VERSIONS = (
    select_columns(_EDITIONS.c.guide, func.count(), func.count(_WITHDRAWALS.c.number))
    .select_from(_WITH_WITHDRAWALS)
    .group_by(_EDITIONS.c.guide)
    .having(func.count().filter(IS_EDITION, _WITHDRAWALS.c.number.is_(None)) > 0)
    .order_by(func.max(_EDITIONS.c.published_at).desc(), _EDITIONS.c.guide)
)
_CONTENT = select_columns(_EDITIONS.c.details, _EDITIONS.c.words).where(
    *(_EDITIONS.c[name] == bindparam(name) for name in ("guide", "language", "number"))
)
IS_GONE = exists().where(
    _GONE.c.guide == _EDITIONS.c.guide,
    ((_GONE.c.language == _EDITIONS.c.language) & (_GONE.c.number == _EDITIONS.c.number))
    | ((_GONE.c.language == OWN_WORDS) & (_GONE.c.number == _EDITIONS.c.edition)),
)
_READABLE_RENDITIONS = select_columns(*(each for each in _EDITIONS.c if each.name != "words")).where(
    IS_RENDITION, ~IS_GONE
)
_LANGUAGES = select_columns(_EDITIONS.c.guide, _EDITIONS.c.language).where(IS_RENDITION, ~IS_GONE).distinct()
_SHAPE = shape_of_content(EditionContent)
MAX_CACHED_EDITIONS = 64
Reading = Session | Connection


@dataclass(frozen=True)
class EditionHead:
    """An edition in its guide's history, without its sections."""

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
        return EditionKey(self.guide, self.number)


@dataclass(frozen=True)
class StoredRendition:
    """`edition` is the number that it renders, `stored` its content as JSON."""

    key: RenditionKey
    edition: int
    published_at: dt.datetime
    digest: str
    stored: dict[str, Any]
    withdrawn_at: dt.datetime | None
    reason: str | None

    @property
    def form(self) -> RenditionForm:
        return RenditionForm(self.stored["form"])

    @cached_property
    def content(self) -> RenditionContent:
        return RenditionContent.model_validate(self.stored)

    @property
    def edition_key(self) -> EditionKey:
        return EditionKey(self.key.guide, self.edition)


@dataclass(frozen=True)
class CurrentEdition(EditionHead):
    """An edition with all its details, without its sections."""

    details: EditionDetails

    @property
    def due_from(self) -> dt.datetime:
        """Return the day `NOTICE` before the review day, at the earliest that of publication.

        Without a review day it is that of publication.
        """
        if self.details.review_by is None:
            return self.published_at
        day = dt.datetime.combine(self.details.review_by - NOTICE, dt.time(), tzinfo=dt.UTC)
        return max(day, self.published_at)

    def is_due(self, today: dt.date, *, within: dt.timedelta = dt.timedelta()) -> bool:
        """Return True if the review day is within `within` after `today`, past, or not set."""
        return self.details.review_by is None or self.details.review_by <= today + within


def find_history(session: Reading, *, guide: str) -> list[EditionHead]:
    """Return the most recent first, including withdrawn ones. Return none for an unknown guide."""
    return [EditionHead(*row) for row in session.execute(_HISTORY, {"guide": guide})]


def get_history(session: Reading, *, guide: str) -> list[EditionHead]:
    """Same as `find_history`, but raise `NoSuchGuide`."""
    history = find_history(session, guide=guide)
    if not history:
        raise NoSuchGuide
    return history


def current_of(history: Sequence[EditionHead]) -> EditionHead | None:
    """Return the first edition that is not withdrawn."""
    return next((head for head in history if head.withdrawn_at is None), None)


def get_current(session: Session, *, guide: str) -> EditionHead:
    """Return the current edition. Raise `NoSuchGuide`, or `EditionWithdrawn` if all are withdrawn."""
    row = session.execute(_CURRENT_HEAD, {"guide": guide}).first()
    return require_current(get_history(session, guide=guide)) if row is None else EditionHead(*row)


def get_stored(reading: Reading, *, guide: str, number: int | None = None) -> tuple[EditionHead, dict[str, Any], int]:
    """Return the edition, its content as JSON, and the number of the guide's newest edition, withdrawn or not.

    Raise `NoSuchGuide`, `NoSuchEdition`, or `EditionWithdrawn` with the reason and `replaced_by`; without `number` the
    latter only if all are.
    """
    connection = reading.connection() if isinstance(reading, Session) else reading
    row = (
        _STORED_CURRENT.first(connection, guide=guide)
        if number is None
        else _STORED_NUMBERED.first(connection, guide=guide, number=number)
    )
    if row is None:  # the history says why
        history = get_history(reading, guide=guide)
        head = require_current(history) if number is None else readable_of(history, number)
        return get_stored(reading, guide=guide, number=head.number)
    found, published_at, digest, details, words, newest = row
    content = details | words
    complete_stored(_SHAPE, [content])
    head = EditionHead(guide, found, published_at, digest, content["title"], content["change_note"], None, None)
    return head, content, newest


def get_heads(session: Reading, *, guide: str, numbers: Collection[int]) -> list[EditionHead]:
    """Return the current edition and those of `numbers`, withdrawn or not, most recent first.

    Return the whole history if there are none, and raise `NoSuchGuide` if that has none.
    """
    rows = session.execute(_NUMBERED_HEADS, {"guide": guide, "numbers": sorted(numbers)})
    return [EditionHead(*row) for row in rows] or get_history(session, guide=guide)


def require_current(history: Sequence[EditionHead]) -> EditionHead:
    """Return the current edition of a `history` that is not empty.

    If all are withdrawn, raise `EditionWithdrawn` with the newest reason.
    """
    current = current_of(history)
    if current is None:
        raise EditionWithdrawn(reason=history[0].reason or "", replaced_by=None)
    return current


def head_of(history: Sequence[EditionHead], number: int) -> EditionHead:
    """Return an edition, withdrawn or not. Raise `NoSuchEdition`."""
    head = next((head for head in history if head.number == number), None)
    if head is None:
        raise NoSuchEdition
    return head


def readable_of(history: Sequence[EditionHead], number: int) -> EditionHead:
    """Return an edition of a history. Raise `NoSuchEdition`, or `EditionWithdrawn` with reason and `replaced_by`."""
    head = head_of(history, number)
    if head.reason is not None:
        current = current_of(history)
        raise EditionWithdrawn(reason=head.reason, replaced_by=current.number if current else None)
    return head


def list_current(session: Session, *, limit: int | None = None) -> list[CurrentEdition]:
    """Return the editions by guide, without guides whose editions are all withdrawn."""
    rows = islice(session.execute(_CURRENT), limit)
    return [CurrentEdition(*(*head, EditionDetails.model_validate(details))) for *head, details in rows]


def list_sections(session: Session, *sections: Section) -> Iterator[tuple[Any, ...]]:
    """Yield each edition of `list_current`, followed by the items of each of `sections`."""
    readers = [member_reader(EditionContent, each.key).validate_python for each in sections]
    for row in session.execute(_CURRENT.add_columns(*(_EDITIONS.c.words[each.key] for each in sections))):
        *head, details = row[: -len(sections)]
        items = (read(each or ()) for read, each in zip(readers, row[-len(sections) :], strict=True))
        yield CurrentEdition(*(*head, EditionDetails.model_validate(details))), *items


def default_guide(session: Session, preferred: str | None = None) -> str | None:
    """Return the guide for requests that name none: `preferred`, else the one published first.

    Guides with a current edition come before those with withdrawn editions only. None without guides.
    """
    readable = func.count().filter(col(WithdrawalRow.number).is_(None))
    found = (
        select(EditionRow.guide)
        .outerjoin(WithdrawalRow, IS_WITHDRAWAL_OF_GUIDE)
        .where(IS_EDITION)
        .group_by(EditionRow.guide)
        .order_by(
            case((readable > 0, 0), else_=1),
            case((col(EditionRow.guide) == preferred, 0), else_=1),
            func.min(EditionRow.published_at),
            EditionRow.guide,
        )
    )
    return session.exec(found.limit(1)).first()


def list_renditions(session: Reading, *, guide: str, language: str | None = None) -> list[StoredRendition]:
    """Return the renditions by language, the most recent first, including withdrawn ones."""
    rows = session.execute(_RENDITIONS_OF, {"guide": guide})
    return [
        _rendition(row, row.details | row.words, row.withdrawn_at, row.reason)
        for row in rows
        if language is None or row.language == language
    ]


def list_versions(session: Session) -> dict[str, tuple[int, int]]:
    """Return how many publications and withdrawals each guide with a current edition has had, the newest guide first.

    Nothing of a guide that is published changes without one of the two.
    """
    return {guide: (published, withdrawn) for guide, published, withdrawn in session.execute(_VERSIONS)}


def list_readable_renditions(session: Session) -> dict[str, list[StoredRendition]]:
    """Return the renditions of each guide, without text, of which neither they nor their editions are withdrawn."""
    found: dict[str, list[StoredRendition]] = {}
    for row in session.execute(_READABLE_RENDITIONS):
        found.setdefault(row.guide, []).append(_rendition(row, row.details))
    return found


def list_languages(session: Session) -> dict[str, list[str]]:
    """Return sorted languages by guide, in which neither a rendition nor its edition is withdrawn."""
    languages: dict[str, list[str]] = {}
    for guide, language in sorted(session.execute(_LANGUAGES)):
        languages.setdefault(guide, []).append(language)
    return languages


def key_of(guide: str, language: str, number: int) -> AnyKey:
    """Return the key of a rendition, or of an edition if `language` is empty."""
    return RenditionKey(guide, language, number) if language else EditionKey(guide, number)


def every_publication(session: Session) -> list[tuple[AnyKey, str]]:
    """Return key and digest of every edition, then of every rendition, withdrawn or not."""
    found = select(EditionRow.guide, EditionRow.language, EditionRow.number, EditionRow.digest)
    rows = session.exec(found.order_by(IS_RENDITION, EditionRow.guide, EditionRow.language, col(EditionRow.number)))
    return [(key_of(guide, language, number), digest) for guide, language, number, digest in rows]


def insert_publication(
    session: Session, key: AnyKey, content: EditionContent | RenditionContent, *, digest: str, at: dt.datetime
) -> None:
    """Raise `EditionAlreadyPublished` if the number is taken. After the commit the writer tells the caches."""
    details = RenditionDetails if isinstance(content, RenditionContent) else EditionDetails
    words = content.model_dump(mode="json")
    row = EditionRow(
        guide=key.guide,
        language=_language_of(key),
        number=key.number,
        edition=content.of.edition if isinstance(content, RenditionContent) else key.number,
        published_at=at,
        digest=digest,
        details={name: words.pop(name) for name in details.model_fields},
        words=words,
    )
    _insert(session, row, EditionAlreadyPublished)


def insert_withdrawal(session: Session, key: AnyKey, *, reason: str, at: dt.datetime) -> None:
    """Check first that `key` exists. Raise `AlreadyWithdrawn`. After the commit the writer tells the caches."""
    language = _language_of(key)
    row = WithdrawalRow(guide=key.guide, language=language, number=key.number, withdrawn_at=at, reason=reason)
    _insert(session, row, AlreadyWithdrawn)


def read_content(session: Reading, key: EditionKey) -> EditionContent:
    """Withdrawn or not. Raise `NoSuchEdition`."""
    return EditionContent.model_validate(_content(session, (key.guide, OWN_WORDS, key.number)))


def digest_of_stored(session: Session, key: AnyKey) -> str:
    """Compute the digest of the stored content. Raise `NoSuchEdition`, or pydantic's `ValidationError`."""
    model = RenditionContent if isinstance(key, RenditionKey) else EditionContent
    return digest_of(model.model_validate(_content(session, (key.guide, _language_of(key), key.number))))


def _content(session: Reading, key: tuple[str, str, int]) -> dict[str, Any]:
    guide, language, number = key
    row = session.execute(_CONTENT, {"guide": guide, "language": language, "number": number}).one_or_none()
    if row is None:
        raise NoSuchEdition
    content: dict[str, Any] = row.details | row.words
    return content


def read_lists(session: Session, *, guide: str, part: str) -> dict[int, dict[str, Any]]:
    """Return, by edition number, the items of the section `part` by id, in order."""
    rows = session.execute(_lists(part), {"guide": guide})
    return {number: {each["id"]: each for each in entries or ()} for number, entries in rows}


@cache
def _lists(part: str) -> Select[Any]:
    found = select_columns(_EDITIONS.c.number, _EDITIONS.c.words[part])
    return found.where(IS_EDITION, _EDITIONS.c.guide == bindparam("guide")).order_by(_EDITIONS.c.number)


def _language_of(key: AnyKey) -> str:
    return key.language if isinstance(key, RenditionKey) else OWN_WORDS


def _insert(session: Session, row: SQLModel, taken: type[Exception]) -> None:
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise taken from None
    session.connection().info[GENERATION_RAISED] = True


def _rendition(
    row: Any, stored: dict[str, Any], withdrawn_at: dt.datetime | None = None, reason: str | None = None
) -> StoredRendition:
    key = RenditionKey(row.guide, row.language, row.number)
    return StoredRendition(key, row.edition, row.published_at, row.digest, stored, withdrawn_at, reason)


def status_of(head: EditionHead, history: Sequence[EditionHead]) -> EditionStatus:
    """Return the status of `head`, which is one of the objects of `history`, most recent first."""
    if head.withdrawn_at is not None:
        return EditionStatus.WITHDRAWN
    return EditionStatus.CURRENT if head is current_of(history) else EditionStatus.SUPERSEDED


def withdrawal_of(found: EditionHead | StoredRendition) -> Withdrawal | None:
    if found.withdrawn_at is None or found.reason is None:
        return None
    return Withdrawal(withdrawn_at=found.withdrawn_at, reason=found.reason)


class Contents:
    """Reads editions through a cache of those most recently used. It is never out of date: editions never change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._cached: OrderedDict[EditionKey, EditionContent] = OrderedDict()

    def __call__(self, key: EditionKey, session: Reading | None = None) -> EditionContent:
        """Raise `NoSuchEdition`. A caller that has a session passes it: no second connection is needed."""
        found = self.cached(key)
        if found is not None:
            return found
        with Session(self._engine) if session is None else nullcontext(session) as reading:
            found = read_content(reading, key)
        with self._lock:
            self._cached[key] = found
            while len(self._cached) > MAX_CACHED_EDITIONS:
                self._cached.popitem(last=False)
        return found

    def cached(self, key: EditionKey) -> EditionContent | None:
        """Return None if the content is not in the cache."""
        with self._lock:
            found = self._cached.get(key)
            if found is not None:
                self._cached.move_to_end(key)
        return found
