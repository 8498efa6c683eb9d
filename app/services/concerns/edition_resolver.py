"""Pinning a concern to one edition, and checking the ids and codes that it names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from app.errors import FieldError, InvalidConcern
from app.models.concerns.concern import Concern
from app.models.concerns.detail import ConcernDetail
from app.models.guidance.editions import EditionContent
from app.models.items import Identified
from app.services.guidance.reference_data import ReferenceData
from app.store.contents import Contents
from app.store.editions import EditionKey, current_of, find_history, known_guides, list_current


class PinnedEdition(NamedTuple):
    """The edition that a concern is about."""

    key: EditionKey
    content: EditionContent


@dataclass(frozen=True)
class _GuideDefaults:
    """How a guide stands: how many editions it has, and which one a concern is about that names none."""

    guide: str
    editions: int
    current: int


class EditionResolver:
    """Finds the edition that a concern is about, and remembers what it read until something is published or withdrawn.

    Whoever is still reading when it is told to forget puts what they read where nobody looks any more.
    """

    def __init__(self, engine: Engine, reference_data: ReferenceData, contents: Contents) -> None:
        self._engine = engine
        self._reference_data = reference_data
        self._contents = contents
        self.forget()

    def forget(self) -> None:
        """Something was published or withdrawn."""
        self._standings: dict[str | None, _GuideDefaults] = {}  # None: where there is only one guide

    def remembered(self, concern: Concern) -> PinnedEdition | None:
        """The edition, where it can be told without reading from the database. Nothing is checked."""
        standing = self._standings.get(concern.guide)
        if standing is None:
            return None
        key = EditionKey(standing.guide, concern.edition or standing.current)
        content = self._contents.remembered(key)
        return None if content is None else PinnedEdition(key, content)

    def pin(self, concern: Concern) -> PinnedEdition:
        """The edition; raises `InvalidConcern` with every fault that was found.

        A withdrawn edition is accepted where the concern names it: the person answered what they were shown.
        """
        faults = self._reference_data.faults_in_codes(concern)
        found = self.remembered(concern) or self._find(concern)
        if isinstance(found, FieldError):
            raise InvalidConcern([found, *faults])
        faults += unknown_ids(concern.concern, found.content)
        if faults:
            raise InvalidConcern(faults)
        return found

    def _find(self, concern: Concern) -> PinnedEdition | FieldError:
        standings = self._standings
        standing = standings.get(concern.guide)
        if standing is None:
            with self._engine.connect() as connection:  # given back before another is asked for
                found = _standing_of(connection, concern.guide)
            if isinstance(found, FieldError):
                return found
            standing = standings[concern.guide] = found
        if concern.edition is not None and concern.edition > standing.editions:
            return FieldError(("edition",), "The guide has no edition of this number.")
        key = EditionKey(standing.guide, concern.edition or standing.current)
        return PinnedEdition(key, self._contents(key))


def _standing_of(connection: Connection, guide: str | None) -> _GuideDefaults | FieldError:
    if guide is None:
        guides = [head.guide for head in list_current(connection, limit=2)] or known_guides(connection, limit=2)
        if len(guides) != 1:
            return FieldError(("guide",), "Name the guide that this concern is about. GET /v1/guides lists them.")
        guide = guides[0]
    history = find_history(connection, guide=guide)
    if not history:
        return FieldError(("guide",), "There is no guide of this name. GET /v1/guides lists them.")
    return _GuideDefaults(guide, len(history), (current_of(history) or history[0]).number)


def unknown_ids(told: ConcernDetail, content: EditionContent) -> list[FieldError]:
    """Every indicator, factor and linked risk that was named and is not in the edition."""
    return [
        *_unknown("indicators", told.indicators, content.indicators),
        *_unknown("factors", told.factors, content.factors),
        *_unknown("linked_risks", told.linked_risks, content.linked_risks),
    ]


def _unknown(section: str, seen: Iterable[Identified] | None, known: Iterable[Identified]) -> list[FieldError]:
    if not seen:
        return []
    ids = {item.id for item in known}
    told = f"The edition has nothing of this id among its {section.replace('_', ' ')}."
    return [
        FieldError(("concern", section, place, "id"), told) for place, item in enumerate(seen) if item.id not in ids
    ]
