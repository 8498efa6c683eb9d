"""Resolving the edition that a concern is about, and checking the ids and codes that the concern names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import FaultCode, FieldError, InvalidConcern
from app.models.concerns import Concern, ConcernDetail
from app.models.editions import EditionContent
from app.models.items import Identified
from app.models.sections import DOCUMENTED, Section
from app.services.catalogue import find_guides
from app.services.editions import Contents, EditionKey, current_of, default_guide, find_history
from app.services.reference_data import ReferenceData

NAMED_IN_CONCERNS = {section.key: section for section in DOCUMENTED if section.key in ConcernDetail.model_fields}
"""The sections of which a concern may name items, by key."""


class PinnedEdition(NamedTuple):
    """The edition that a concern is about."""

    key: EditionKey
    content: EditionContent
    guide_named: bool
    """Whether the concern names the guide."""


@dataclass(frozen=True)
class _GuideSummary:
    """Cached per guide: number of editions, and the default edition for a concern."""

    guide: str
    editions: int
    default: int


class _Named(NamedTuple):
    """What stands in for an item that an unparsed body names."""

    id: str


class EditionResolver:
    """Resolves the edition that a concern is about, and caches what it read until it is invalidated.

    A concern that names no guide is about the default guide. If it names items that the default guide lacks, it is
    about the guide whose current edition has them all: of several, the first published.
    A read that started before the invalidation writes to the former cache, which is no longer used.
    """

    def __init__(
        self, engine: Engine, reference_data: ReferenceData, contents: Contents, preferred_guide: str | None = None
    ) -> None:
        self._engine = engine
        self._reference_data = reference_data
        self._contents = contents
        self._preferred_guide = preferred_guide
        self.invalidate()

    def invalidate(self) -> None:
        """Drop the cache: an edition was published or withdrawn."""
        self._summaries: dict[str | None, _GuideSummary] = {}  # None: the default guide

    def cached(self, concern: Concern) -> PinnedEdition | None:
        """Return the edition if the cache is enough to resolve it; else None."""
        summary = self._summaries.get(concern.guide)
        if summary is None:
            return None
        key = EditionKey(summary.guide, concern.edition or summary.default)
        content = self._contents.cached(key)
        if content is None or (concern.guide is None and unknown_ids(concern.concern, content)):
            return None
        return PinnedEdition(key, content, guide_named=concern.guide is not None)

    def resolve(self, concern: Concern, cached: PinnedEdition | None = None) -> PinnedEdition:
        """Return the edition, `cached` if the caller found it; raises `InvalidConcern` with every fault that was found.

        A withdrawn edition is accepted if the concern names it: it is the edition that the reporter was shown.
        """
        faults = self._reference_data.faults_in_codes(concern)
        found = cached or self.cached(concern) or self._find(concern)
        if isinstance(found, FieldError):
            raise InvalidConcern([found, *faults])
        faults += unknown_ids(concern.concern, found.content)
        if faults:
            raise InvalidConcern(faults)
        return found

    def unknown_ids_in(self, body: Mapping[str, Any]) -> list[FieldError]:
        """Return the same faults in ids, in guide and edition, for a body that was meant as a concern."""
        guide, edition = body.get("guide"), body.get("edition")
        if not isinstance(guide, str | None) or not (edition is None or (isinstance(edition, int) and edition > 0)):
            return []
        fields: dict[str, Any] = {"guide": guide, "edition": edition, "concern": detail_in(body)}
        concern = Concern.model_construct(**fields)
        found = self._find(concern)
        return [found] if isinstance(found, FieldError) else unknown_ids(concern.concern, found.content)

    def _find(self, concern: Concern) -> PinnedEdition | FieldError:
        found = self._find_in(concern.guide, concern.edition)
        if concern.guide is None and (isinstance(found, FieldError) or unknown_ids(concern.concern, found.content)):
            with Session(self._engine) as session:
                others = find_guides(session, named_items(concern.concern))
            found = self._find_in(others[0], concern.edition) if others else found
        return found if isinstance(found, FieldError) else found._replace(guide_named=concern.guide is not None)

    def _find_in(self, guide: str | None, number: int | None) -> PinnedEdition | FieldError:
        summaries = self._summaries
        summary = summaries.get(guide)
        if summary is None:
            with Session(self._engine) as session:  # its connection is returned before another is taken
                found = _summary_of(session, guide or default_guide(session, self._preferred_guide))
            if isinstance(found, FieldError):
                return found
            summary = summaries[guide] = found
        if number is not None and number > summary.editions:
            return FieldError(("edition",), "The guide has no edition of this number.", FaultCode.UNKNOWN_EDITION)
        key = EditionKey(summary.guide, number or summary.default)
        return PinnedEdition(key, self._contents(key), guide_named=guide is not None)


def _summary_of(session: Session, guide: str | None) -> _GuideSummary | FieldError:
    history = find_history(session, guide=guide) if guide is not None else []
    if guide is None or not history:
        return FieldError(
            ("guide",), "There is no guide of this name. GET /v1/guides lists them.", FaultCode.UNKNOWN_GUIDE
        )
    return _GuideSummary(guide, len(history), (current_of(history) or history[0]).number)


def named_items(detail: ConcernDetail) -> set[tuple[str, str]]:
    """Return every item that the concern names, as section key and id."""
    return {(key, item.id) for key in NAMED_IN_CONCERNS for item in getattr(detail, key)}


def unknown_ids(detail: ConcernDetail, content: EditionContent) -> list[FieldError]:
    """Return a fault for every indicator, factor and linked risk that the concern names and the edition lacks."""
    return [
        fault
        for key, section in NAMED_IN_CONCERNS.items()
        if (named := getattr(detail, key))
        for fault in _unknown(section, named, getattr(content, key))
    ]


def detail_in(body: Mapping[str, Any]) -> ConcernDetail:
    """Return the items that the body names, for a body that was meant as a concern or an addition."""
    named: dict[str, Any] = {key: _named_in(body.get("concern"), key) for key in NAMED_IN_CONCERNS}
    return ConcernDetail.model_construct(**named)


def _named_in(detail: object, key: str) -> list[_Named]:
    """Return what a JSON value names of that section. An entry without an id keeps its place, with an empty one."""
    named = detail.get(key) if isinstance(detail, dict) else None
    ids = [entry.get("id") if isinstance(entry, dict) else None for entry in named] if isinstance(named, list) else []
    return [_Named(each if isinstance(each, str) else "") for each in ids]


def _unknown(section: Section, named: Iterable[Identified], known: Iterable[Identified]) -> list[FieldError]:
    ids = {item.id for item in known}
    message = f"The edition has nothing of this id among its {section.words}."
    return [
        FieldError(("concern", section.key, place, "id"), message, FaultCode.UNKNOWN_ITEM)
        for place, item in enumerate(named)
        if item.id not in ids
    ]
