"""The code lists, signposts and legal statements of the seed folder, and the contacts to name without the database."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import FaultCode, FieldError, Location, NoSuchCodeList
from app.logs import Log
from app.models.code_lists import CodeList, Signpost, SignpostList
from app.models.concerns import Concern
from app.models.contacts import Contact
from app.models.fields import YesNo, coded_values
from app.models.legal_statements import LegalStatement, LegalStatementList
from app.models.seed_files import read_seed_file
from app.services.editions import default_guide, get_current, read_content

log = Log(__name__)


class EmergencyContacts:
    """The contacts of the default guide, in memory: an answer that says whom to call waits for no database."""

    def __init__(self, engine: Engine, preferred_guide: str | None = None) -> None:
        self._engine = engine
        self._preferred_guide = preferred_guide
        self._known: tuple[Contact, ...] = ()
        self._wanted, self._read = 1, 0
        """How often they may have changed, and which of those changes the known ones have."""

    def invalidate(self) -> None:
        """Have them read again: an edition was published or withdrawn."""
        self._wanted += 1

    def current(self) -> tuple[Contact, ...]:
        """Return the contacts, read again if they may have changed; as they last were if they cannot be read."""
        wanted = self._wanted
        if self._read == wanted:
            return self._known
        try:
            with Session(self._engine) as session:
                guide = default_guide(session, self._preferred_guide)
                if guide is not None:
                    self._known = read_content(session, get_current(session, guide=guide).key).contacts
            self._read = wanted
        except Exception as failure:  # whatever fails here, the response that says 999 must be sent
            log.warning("cached_contacts_used", error=type(failure).__name__)
        return self._known


@dataclass(frozen=True)
class ReferenceData:
    """The code lists by name, the signposts, 999 first, what pages say of the law, and neighbouring councils."""

    code_lists: dict[str, CodeList]
    signposts: tuple[Signpost, ...]
    statements: tuple[LegalStatement, ...]
    neighbours: tuple[Signpost, ...]

    def get_code_list(self, name: str) -> CodeList:
        """Return the list of that name; raises `NoSuchCodeList`."""
        try:
            return self.code_lists[name]
        except KeyError:
            raise NoSuchCodeList from None

    def faults_in_codes(self, parsed: BaseModel) -> list[FieldError]:
        """Return a fault for every code in the model that is not in its list."""
        return self.faults_in(coded_values(parsed))

    def faults_in(self, coded: Iterable[tuple[Location, str, str]]) -> list[FieldError]:
        """Return a fault for every code (with its place and the name of its list) that is not in its list."""
        return [
            FieldError(
                at,
                f"This is not a code of the list {name}. GET /v1/code-lists/{name} gives the codes.",
                FaultCode.UNKNOWN_CODE,
            )
            for at, name, value in coded
            if value not in self._codes.get(name, ())
        ]

    def also_call(self, concern: Concern) -> tuple[Signpost, ...]:
        """Return whom the reporter can call too: the councils where children live, and the designated officer."""
        areas = {child.home_council for child in concern.children}
        officers = [each for each in self.signposts if each.allegations] if names_a_worker(concern) else []
        return (*(each for each in self.neighbours if each.council in areas), *officers)

    @cached_property
    def law(self) -> dict[str, LegalStatement]:
        """The legal statements by their ids."""
        return {each.id: each for each in self.statements}

    @cached_property
    def _codes(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(code.code for code in found.codes) for name, found in self.code_lists.items()}


ELSEWHERE = "elsewhere"
"""The code of the list `council` for an area that has no code there."""


def lives_elsewhere(concern: Concern, neighbours: Iterable[Signpost]) -> bool:
    """Return whether a child lives in the area of another council, by what the reporter says."""
    others = {each.council for each in neighbours} | {ELSEWHERE}
    return any(child.home_council in others for child in concern.children)


def names_a_worker(concern: Concern) -> bool:
    """Return whether somebody who may be a risk to a child works or volunteers with children."""
    return any(each.works_with_children is YesNo.YES for each in concern.concern.people_of_concern)


def read_reference_data(seed_dir: Path) -> ReferenceData:
    """Read and check the files; raises `SeedFileError` with file, line and reason."""
    lists = [read_seed_file(path, CodeList) for path in sorted((seed_dir / "code-lists").glob("*.yaml"))]
    found = read_seed_file(seed_dir / "signposts.yaml", SignpostList)
    statements = read_seed_file(seed_dir / "legal-statements.yaml", LegalStatementList).statements
    return ReferenceData({each.name: each for each in lists}, found.signposts, statements, found.neighbours)
