"""Names on the record: of clients, and of people who act through them."""

from dataclasses import dataclass

from app.errors import SetupError
from app.models.recordable_names import MAX_NAME_LENGTH, is_recordable


def check_person(name: str) -> str:
    """Return the name of a person. Raises `SetupError` if it cannot stand on the record."""
    if not is_recordable(name):
        raise SetupError(f"a person's name is 1 to {MAX_NAME_LENGTH} characters that print, without spaces around it")
    return name


@dataclass(frozen=True)
class Principal:
    """The client that a request acts for, its scopes, and the person that acts through it, if one is known.

    Whatever a client `for_tests` sends is a test.
    """

    name: str
    scopes: frozenset[str]
    person: str | None = None
    for_tests: bool = False

    @property
    def name_on_record(self) -> str:
        """The client and, after the first slash, the person. A slash in the client's own name is escaped."""
        client = self.name.replace("%", "%25").replace("/", "%2F")
        return client if self.person is None else f"{client}/{self.person}"
