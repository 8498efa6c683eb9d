"""Pinning a concern to one edition, and checking the ids and codes that it names."""

from collections.abc import Iterable

from sqlalchemy import Connection, Engine

from app.errors import ConcernRefused, Fault
from app.models.concern import Concern
from app.models.concern_detail import ConcernDetail
from app.models.editions import EditionContent, Identified
from app.services.reference_data import ReferenceData
from app.store.editions import Contents, EditionKey, current_of, find_history, known_guides, list_current


def pin_concern(engine: Engine, concern: Concern, reference_data: ReferenceData, contents: Contents) -> EditionKey:
    """The edition that the concern is about; raises `ConcernRefused` with every fault that was found.

    A withdrawn edition is accepted where the concern names it: the person answered what they were shown.
    """
    faults = reference_data.faults_in_codes(concern)
    with engine.connect() as connection:  # given back first: many that hold one and ask for another stand still
        pinned = _find_edition(connection, concern)
    if isinstance(pinned, Fault):
        raise ConcernRefused([pinned, *faults])
    faults += unknown_ids(concern.concern, contents(pinned))
    if faults:
        raise ConcernRefused(faults)
    return pinned


def _find_edition(connection: Connection, concern: Concern) -> EditionKey | Fault:
    guide = concern.guide
    if guide is None:
        guides = [head.guide for head in list_current(connection, limit=2)] or known_guides(connection, limit=2)
        if len(guides) != 1:
            return Fault(("guide",), "Name the guide that this concern is about. GET /v1/guides lists them.")
        guide = guides[0]
    history = find_history(connection, guide=guide)
    if not history:
        return Fault(("guide",), "There is no guide of this name. GET /v1/guides lists them.")
    if concern.edition is None:
        return (current_of(history) or history[0]).key
    if concern.edition > len(history):
        return Fault(("edition",), "The guide has no edition of this number.")
    return EditionKey(guide, concern.edition)


def unknown_ids(told: ConcernDetail, content: EditionContent) -> list[Fault]:
    """Every indicator, factor and linked risk that was named and is not in the edition."""
    return [
        *_unknown("indicators", told.indicators, content.indicators),
        *_unknown("factors", told.factors, content.factors),
        *_unknown("linked_risks", told.linked_risks, content.linked_risks),
    ]


def _unknown(section: str, seen: Iterable[Identified] | None, known: Iterable[Identified]) -> list[Fault]:
    ids = {item.id for item in known}
    told = f"The edition has nothing of this id among its {section.replace('_', ' ')}."
    return [
        Fault(("concern", section, place, "id"), told) for place, item in enumerate(seen or ()) if item.id not in ids
    ]
