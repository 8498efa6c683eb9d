"""Names that can stand on the record: of clients, and of people."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.faults import CodedValueError, FaultCode

MAX_NAME_LENGTH = 96  # with a prefix and a slash, two of them fit the 200 characters by which the record is searched


def is_recordable(name: object) -> bool:
    """Whether the name can stand on the record: it prints, and nothing has to be cut off."""
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name == name.strip()


def _check_name(name: str) -> str:
    if not is_recordable(name):
        raise CodedValueError(FaultCode.WRONG_FORM, "must print, without spaces around it")
    return name


PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_check_name),
    Field(description="A person, as the record names people.", examples=["Robin Example"]),
]
