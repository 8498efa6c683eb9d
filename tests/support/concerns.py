"""The type of the fixture `a_concern`."""

from collections.abc import Callable
from typing import Any

Concern = Callable[..., dict[str, Any]]
