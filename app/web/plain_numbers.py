"""Whole numbers of paths and queries, in plain digits: `1.0`, `+1` and `01` are no second names for what is at `1`."""

import re
from typing import Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

PLAIN = re.compile("0|[1-9][0-9]*")


def _in_plain_digits(given: Any) -> Any:
    if isinstance(given, str) and not PLAIN.fullmatch(given):
        raise PydanticCustomError("int_parsing", "not in plain digits")
    return given


IN_PLAIN_DIGITS = BeforeValidator(_in_plain_digits)
"""The last of a parameter's annotations: behind it, the bounds of the number would be lost from its JSON Schema."""
