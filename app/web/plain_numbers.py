"""Integers in paths and queries are plain digits only: `1.0`, `+1` and `01` are not other names for `1`."""

import re
from typing import Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

PLAIN = re.compile("0|[1-9][0-9]*")


def _check_plain_digits(value: Any) -> Any:
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not in plain digits")
    return value


IN_PLAIN_DIGITS = BeforeValidator(_check_plain_digits)
"""Put it last in a parameter's annotations: bounds after it would be missing from the JSON Schema."""
