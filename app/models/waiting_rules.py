"""Rules about several members of a model: pydantic leaves them out where one member has a fault of its own.

Here each is tried on what can be read, so that every fault of a value comes at once.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from app.faults import CodedValueError, Location

WaitingFault = tuple[Location, CodedValueError]
NOT_JUDGED = (TypeError, KeyError, AttributeError)
"""What a rule raises that needs a value that cannot be read."""


class _Unread:
    """A value that is there and cannot be read. A rule that compares it raises `TypeError`."""

    __hash__ = object.__hash__

    def __eq__(self, _other: object) -> bool:
        raise TypeError


def find_waiting(model: type[BaseModel], value: object, known: Iterable[Location]) -> list[WaitingFault]:
    """Return the faults of the rules that pydantic did not try on the JSON value, since it has faults at those places.

    A place that has a fault already gets no second one.
    """
    trial = _Trial(known)
    trial.read(model, value, ())
    return trial.found


@cache
def member_reader(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what reads this member of the model alone."""
    return TypeAdapter[Any](model.model_fields[name].rebuild_annotation())


def only_model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the only model in the annotation; None if there is none or more than one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = {model for part in get_args(annotation) if (model := only_model_in(part)) is not None}
    return found.pop() if len(found) == 1 else None


class _Trial:
    """The trial of every rule of a model and of those in it, on one value."""

    def __init__(self, known: Iterable[Location]) -> None:
        self.found: list[WaitingFault] = []
        self._known = set(known)
        self._faulty = {at[:length] for at in self._known for length in range(len(at) + 1)}

    def read(self, model: type[BaseModel], value: object, at: Location) -> Any:
        """Return the model with what can be read of the value, after its rules."""
        if not isinstance(value, dict):
            return _Unread()
        members = {name: self._member(model, name, value, at) for name in model.model_fields}
        made = model.model_construct(**members)
        for rule in model.__pydantic_decorators__.model_validators.values():
            if rule.info.mode == "after":
                self._try(rule.func, made, at)
        return made

    def _member(self, model: type[BaseModel], name: str, owner: Mapping[str, Any], at: Location) -> Any:
        field = model.model_fields[name]
        if name not in owner:
            misspelt = bool(get_close_matches(name, [each for each in owner if each not in model.model_fields], n=1))
            return _Unread() if misspelt or field.is_required() else field.get_default(call_default_factory=True)
        value = owner[name]
        if (*at, name) not in self._faulty:
            with suppress(ValidationError):
                return member_reader(model, name).validate_json(json.dumps(value))
        return self._faulty_member(model, name, field, value, (*at, name))

    def _faulty_member(self, model: type[BaseModel], name: str, field: FieldInfo, value: Any, at: Location) -> Any:
        inner = only_model_in(field.annotation)
        if inner is not None and value and isinstance(value, list):
            entries = tuple(self.read(inner, each, (*at, place)) for place, each in enumerate(value))
            for rule in model.__pydantic_decorators__.field_validators.values():
                if rule.info.mode == "after" and name in rule.info.fields:
                    self._try(rule.func, entries, at)
            return entries
        if inner is not None and isinstance(value, dict):
            return self.read(inner, value, at)
        return _Unread() if value else value

    def _try(self, rule: Callable[[Any], object], made: Any, at: Location) -> None:
        if at not in self._faulty:
            return
        try:
            rule(made)
        except CodedValueError as reason:
            self._note(at, reason)
        except ValidationError as refusal:
            for error in refusal.errors(include_url=False, include_input=False):
                self._note((*at, *error["loc"]), error["ctx"]["error"])
        except NOT_JUDGED:
            return

    def _note(self, at: Location, reason: CodedValueError) -> None:
        if at not in self._known:
            self._known.add(at)
            self.found.append((at, reason))
