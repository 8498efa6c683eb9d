"""Cards: short summaries of concerns and additions, sealed beside the texts, by which a worker recognises a child.

Everything on a card is also in the text: names, dates of birth, schools, addresses, vehicles, numbers, and the
beginning of the account. Padding hides its length, and each sealing draws new keys, so equal cards look different.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection

from app.age.keys import Sealer
from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.base import format_utc
from app.models.concerns.card_rows import OF_THE_CONCERN, CardRow
from app.services.concerns.sealing import LEAST_CARD, pad

MAX_EXCERPT_LENGTH = 120
MAX_LINE = 100
"""Limit for a value, in characters. Longer values are cut."""
CARD = "card"
_NEW_CARD = fixed_insert(table_of(CardRow))


def card_of_concern(submission: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of `submission` (JSON as sent).

    What is missing or of another type is left out; long values are cut.
    """
    people = (
        *_people("parent", submission.get("parents_and_carers")),
        *_people("other", submission.get("others")),
        *_people_of_concern(submission),
    )
    reporter = _object(submission.get("reporter"))
    agencies = [
        {"names": _lines(each.get("name"), each.get("worker")), "phones": _lines(each.get("phone"))}
        for each in _objects(submission.get("agencies"))
    ]
    children = [*_objects(submission.get("children"))]
    return {
        "children": [_child(each) for each in children],
        "people": people,
        **_filled(agencies=agencies, **_things(submission, [each.get("where_now") for each in children])),
        "reporter": _known(kind=_line(reporter.get("kind")), name=_line(reporter.get("name")))
        | {"phones": _lines(reporter.get("phone"))},
        "words": _words(submission),
    }


def card_of_addition(addition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of `addition` (JSON as sent), which has no children's names."""
    of_addition = _filled(**_things(addition, []))
    return {"children": [], "people": [*_people_of_concern(addition)], **of_addition, "words": _words(addition)}


def seal_card(sealer: Sealer, card: Mapping[str, Any], reference: str, *, at: dt.datetime | None) -> bytes:
    """Pad and encrypt a card. `at` is the time of receipt, or None if the sender's program encrypts the card."""
    received = {} if at is None else {"received_at": format_utc(at)}
    return sealer.seal(pad(orjson.dumps({"reference": reference, **received, CARD: card}), LEAST_CARD))


def has_all_of(card: object, made: object) -> bool:
    """Return True if `card` has each field and entry of `made`, with any values: browsers may add more."""
    if isinstance(made, dict):
        return isinstance(card, dict) and all(has_all_of(card.get(name), each) for name, each in made.items() if each)
    if isinstance(made, list | tuple):
        return isinstance(card, list) and len(card) >= len(made) and all(map(has_all_of, card, made))
    return card is not None


def number_of_card(place: EntryPlace | None) -> int | None:
    """Return `OF_THE_CONCERN`, the number of an addition, or None for a text that has no card."""
    if place is None:
        return OF_THE_CONCERN
    return place.number if place.kind is EntryKind.ADDITION else None


def insert_cards(connection: Connection, cards: Iterable[tuple[str, int, bytes]]) -> None:
    """Insert cards that are recorded already.

    Each is a reference, a number of an addition or `OF_THE_CONCERN`, and the sealed card.
    """
    rows = [{"reference": reference, "addition": addition, "sealed": sealed} for reference, addition, sealed in cards]
    _NEW_CARD.run(connection, *rows)


def _child(child: Mapping[str, Any]) -> dict[str, Any]:
    age = child.get("estimated_age")
    numbers = [each.get("value") for each in _objects(child.get("identifiers"))]
    names = {
        "names": _lines(child.get("given_names"), child.get("family_name")),
        "other_names": _lines(*_list(child.get("other_names"))),
    }
    return names | _known(
        born=_line(child.get("date_of_birth")),
        age=age if type(age) is int else None,
        age_described=_line(child.get("age_described")),
        school=_line(child.get("school_or_setting")),
        council=_line(child.get("home_council")),
        **_place(child.get("home_address")),
        **_filled(numbers=_lines(*numbers)),
    )


def _things(content: Mapping[str, Any], where: Sequence[object]) -> dict[str, Any]:
    concern = _object(content.get("concern"))
    plates = [each for each in _objects(concern.get("things_that_exist")) if each.get("kind") == "number_plate"]
    vehicles = [
        _known(registration=_line(each.get("registration")), described=_line(each.get("described")))
        for each in (*_objects(concern.get("vehicles_of_concern")), *plates)
    ]
    places = [
        _known(name=_line(each.get("name")), described=_line(each.get("described"))) | _place(each.get("address"))
        for each in _objects(concern.get("places_of_concern"))
    ]
    return {
        "vehicles": vehicles,
        "places": [*places, *({"address": line} for line in _lines(*where))],
        "accounts": _lines(_object(concern.get("online")).get("apps_and_accounts")),
    }


def _place(address: object) -> dict[str, Any]:
    known = _object(address)
    return _known(address=_line(known.get("text")), postcode=_line(known.get("postcode")))


def _filled(**lists: Sequence[Any]) -> dict[str, Any]:
    kept = {name: [each for each in some if each] for name, some in lists.items()}
    return {name: some for name, some in kept.items() if some}


def _people(relation: str, people: object) -> Iterator[dict[str, Any]]:
    for each in _objects(people):
        names = _lines(each.get("name"), *_list(each.get("other_names")))
        phones = _lines(each.get("phone"), each.get("phones_and_accounts"))
        more = _known(born=_line(each.get("date_of_birth"))) | _place(each.get("address"))
        if names or phones or more:
            yield {"relation": relation, "names": names, **more, "phones": phones}


def _people_of_concern(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return _people("of_concern", _object(content.get("concern")).get("people_of_concern"))


def _words(content: Mapping[str, Any]) -> str:
    narrative = _object(content.get("concern")).get("narrative")
    return " ".join(narrative.split())[:MAX_EXCERPT_LENGTH] if isinstance(narrative, str) else ""


def _known(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _line(value: object) -> str | None:
    return (" ".join(value.split())[:MAX_LINE] or None) if isinstance(value, str) else None


def _lines(*values: object) -> list[str]:
    return [line for line in map(_line, values) if line is not None]


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in _list(value) if isinstance(each, dict))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
