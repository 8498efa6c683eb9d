"""A quick reading of YAML 1.2 for files that can be read in one way only.

libyaml takes a twentieth of the time of a reader that knows YAML 1.2 whole. It follows YAML 1.1, so whatever the two
versions might read differently is refused here, and left to the careful reader.
"""

import re
from collections.abc import Iterator

import yaml

WORDS = re.compile(r"[^0-9+.~<=-].*|[0-9]{4}-[0-9]{2}-[0-9]{2}", re.DOTALL)
GLUED_COMMENT = re.compile(r"[|>][0-9+-]*#")  # libyaml takes it for one
WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]*")
ENDS = [yaml.DocumentEndEvent, yaml.StreamEndEvent]  # and no second document
MEANINGS = {"null": None, "true": True, "false": False}
QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML's own wheels have it


class NotPlain(ValueError):
    """The text is no YAML, or it might be read in more ways than one."""


def read_plain_yaml(text: str) -> object:
    """The group of keys that the text stands for. Raises `NotPlain`."""
    if GLUED_COMMENT.search(text) or not text.replace("\n", "").isprintable():
        raise NotPlain  # tabs, and what only YAML 1.1 takes for the end of a line
    try:
        events = list(yaml.parse(text, Loader=QUICK))
    except yaml.YAMLError:
        raise NotPlain from None
    match events:
        case [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False), yaml.MappingStartEvent() as first, *_]:
            rest = iter(events[3:])
            value = _value(first, rest)
            if [type(event) for event in rest] == ENDS:
                return value
    raise NotPlain


def _value(event: yaml.Event, events: Iterator[yaml.Event]) -> object:
    """The value that begins with the event."""
    if event.anchor or getattr(event, "tag", None):
        raise NotPlain
    if isinstance(event, yaml.ScalarEvent):
        return _meaning(event.value) if event.implicit[0] else event.value
    is_list = isinstance(event, yaml.SequenceStartEvent)
    values = []
    while not isinstance(inner := next(events), yaml.CollectionEndEvent):
        values.append(_value(inner, events))
    return values if is_list else _mapping(values[::2], values[1::2])


def _mapping(keys: list[object], values: list[object]) -> dict[str, object]:
    mapping = {key: value for key, value in zip(keys, values, strict=True) if isinstance(key, str)}
    if len(mapping) < len(keys):  # one stands twice, or is no text
        raise NotPlain
    return mapping


def _meaning(written: str) -> object:
    """What a scalar without quotes stands for."""
    if written in MEANINGS:
        return MEANINGS[written]
    if WHOLE_NUMBER.fullmatch(written):
        return int(written)
    if not WORDS.fullmatch(written) or written.lower() in MEANINGS:
        raise NotPlain
    return written
