"""A resolver that finds the edition of a guide that a concern is about, and checks the item ids in the concern."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import FaultCode, FieldError, InvalidConcern, NoSuchEdition
from app.models.concerns.concern import Concern, ConcernDetail
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.items import Identified
from app.models.guides.sections import DOCUMENTED, Section
from app.services.concerns.receipts import PinnedEdition
from app.services.guides.catalogue import find_guides
from app.services.guides.editions import Contents, current_of, default_guide, find_history
from app.services.guides.reference_data import ReferenceData

NAMED_IN_CONCERNS = {section.key: section for section in DOCUMENTED if section.key in ConcernDetail.model_fields}
"""Sections whose items a concern may name."""
NO_SUCH_GUIDE = "There is no guide with this name. GET /v1/guides lists the guides."


@dataclass
class EditionResolver:
    """`invalidate` clears the cache, also of reads that have begun.

    If the concern names no guide, the default is `preferred_guide`, otherwise the first published guide. If that lacks
    the edition or a named item, the result is the guide published first whose current edition has all.
    """

    engine: Engine
    reference_data: ReferenceData
    contents: Contents
    preferred_guide: str | None = None
    _found: dict[tuple[str | None, int | None], PinnedEdition] = field(default_factory=dict)

    def invalidate(self) -> None:
        self._found = {}

    def cached(self, concern: Concern) -> PinnedEdition | None:
        """Return the edition, or None if the database must be read."""
        found = self._found.get((concern.guide, concern.edition))
        lacks_items = found is not None and concern.guide is None and unknown_ids(concern.concern, found.content)
        return None if lacks_items else found

    def resolve(self, concern: Concern, cached: PinnedEdition | None = None) -> PinnedEdition:
        """Return the edition that `concern` is about. Raise `InvalidConcern` with every unknown name and code.

        A withdrawn edition is accepted if named: the reporter was shown it. If all are withdrawn, it is the last one.
        """
        faults = self.reference_data.faults_in_codes(concern)
        found = cached or self.cached(concern) or self._find(concern)
        if isinstance(found, FieldError):
            raise InvalidConcern([found, *faults])
        faults += unknown_ids(concern.concern, found.content)
        if faults:
            raise InvalidConcern(faults)
        return found

    def _find(self, concern: Concern) -> PinnedEdition | FieldError:
        found = self._find_in(concern.guide, concern.edition)
        if concern.guide is None and (isinstance(found, FieldError) or unknown_ids(concern.concern, found.content)):
            named = {(key, item.id) for key in NAMED_IN_CONCERNS for item in getattr(concern.concern, key)}
            with Session(self.engine) as session:
                others = find_guides(session, named)
            found = self._find_in(others[0], concern.edition) if others else found
        return found if isinstance(found, FieldError) else found._replace(guide_named=concern.guide is not None)

    def pin(self, key: EditionKey) -> PinnedEdition:
        """Return the edition with the numbers to call now. Raise `NoSuchEdition`."""
        found = self._found.get(key) or self._find_in(*key)
        if isinstance(found, FieldError):  # not expected, because a published edition is never deleted
            raise NoSuchEdition
        return found

    def _find_in(self, guide: str | None, number: int | None) -> PinnedEdition | FieldError:
        memory = self._found
        with Session(self.engine) as session:  # returns its connection before `contents` takes another connection
            default = default_guide(session, self.preferred_guide)
            name = guide or default
            history = find_history(session, guide=name) if name is not None else []
            current = current_of(history) or (current_of(find_history(session, guide=default)) if default else None)
        if name is None or not history:
            return FieldError(("guide",), NO_SUCH_GUIDE, FaultCode.UNKNOWN_GUIDE)
        if number is not None and number > len(history):
            return FieldError(("edition",), "The guide has no edition with this number.", FaultCode.UNKNOWN_EDITION)
        key = EditionKey(name, number or (current_of(history) or history[0]).number)
        content = self.contents(key)
        who = self.reference_data.who_to_call(self.contents(current.key) if current is not None else content)
        memory[key] = PinnedEdition(key, content, who, guide_named=True)
        found = memory[guide, number] = memory[key]._replace(guide_named=guide is not None)
        return found


def unknown_ids(detail: ConcernDetail, content: EditionContent) -> list[FieldError]:
    return [
        fault
        for key, section in NAMED_IN_CONCERNS.items()
        if (named := getattr(detail, key))
        for fault in _unknown(section, named, getattr(content, key))
    ]


def _unknown(section: Section, named: Iterable[Identified], known: Iterable[Identified]) -> list[FieldError]:
    ids = {item.id for item in known}
    message = f"The edition has no item with this id among its {section.words}."
    return [
        FieldError(("concern", section.key, place, "id"), message, FaultCode.UNKNOWN_ITEM)
        for place, item in enumerate(named)
        if item.id not in ids
    ]
