"""The commands call the service at the address that the tests of the desk use."""

from tests.desk.conftest import url

__all__ = ["url"]
