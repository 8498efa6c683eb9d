"""The code lists, signposts and legal statements of the seed folder, and a cache of the contacts in an emergency."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import SEED_DIR
from app.errors import FaultCode, FieldError, NoSuchCodeList
from app.logs import Log
from app.models.coded_values import coded_values
from app.models.concerns.concern import Concern
from app.models.guides.code_lists import SUBJECTS, CodeList
from app.models.guides.contacts import Contact
from app.models.guides.editions import EditionContent, Publisher
from app.models.guides.legal_statements import LegalStatement, LegalStatementList
from app.models.guides.seed_files import read_seed_file
from app.models.guides.signposts import Signpost, SignpostList, SignpostScope, WhoToCall
from app.models.guides.words import SIGNPOST, SUBJECT, WordList, WordsLine
from app.services.guides.editions import default_guide, get_current, read_content
from app.services.guides.words import Words

log = Log(__name__)
COUNCILS = "council"
ELSEWHERE = "elsewhere"
"""Code for every council area that has no code of its own."""
NIGHT_TEAM: dict[str, Any] = {
    "id": "out-of-hours-team",
    "name": "Out-of-hours team",
    "description": "Social workers who answer when the council’s duty team is closed.",
    "kind": "telephone",
    "when": "At night, at weekends and on bank holidays",
    "scope": "local",
}
"""The fields of the signpost of a council's out-of-hours team, without its number."""
_GENERIC_WORDS = frozenset({"council", "city", "county", "borough", "district", "metropolitan", "the", "of"})


@dataclass(frozen=True)
class ReferenceData:
    """The code lists by name, the signposts (emergencies first), the legal statements, and the neighbouring councils.

    `council` is the configured name of the council, or None. `all_signposts` may include signposts of other councils:
    callers must show only those that `signposts_of` returns.
    """

    code_lists: dict[str, CodeList]
    all_signposts: tuple[Signpost, ...]
    statements: tuple[LegalStatement, ...]
    neighbours: tuple[Signpost, ...]
    council: str | None = None
    word_list: WordList = field(default_factory=WordList)

    def who_to_call(self, content: EditionContent) -> WhoToCall:
        """Return the contacts of the edition `content`, and the signposts to show beside them."""
        return WhoToCall(content.contacts, self.signposts_of(content.publisher, content.contacts))

    def signposts_of(self, publisher: Publisher | None, contacts: Iterable[Contact]) -> tuple[Signpost, ...]:
        """Return all national signposts, and the local ones of the council.

        The council is the configured one, otherwise `publisher` of the edition. A local signpost that names no council
        is included. One that is reached through the duty team has its number from `contacts`, and is left out if they
        have none.
        """
        foreign = self.foreign_signposts(publisher)
        duty = {"phones": next((each.phones[:1] for each in contacts if each.phones), ())}
        shown = (each for each in self.all_signposts if each not in foreign)
        found = (each.model_copy(update=duty) if each.through_duty_team else each for each in shown)
        return tuple(each for each in found if each.phones or not each.through_duty_team)

    def foreign_signposts(self, publisher: Publisher | None) -> tuple[Signpost, ...]:
        """Return the local signposts of councils other than the configured one or, if none is set, `publisher`."""
        return tuple(
            each
            for each in self.all_signposts
            if each.scope is SignpostScope.LOCAL and each.council and not self._is_council(each.council, publisher)
        )

    def _is_council(self, code: str, publisher: Publisher | None) -> bool:
        """Return True if `code` is the code of the configured council or, if none is set, of `publisher`."""
        if self.council is None and publisher is not None and publisher.gss_code is not None:
            return publisher.gss_code == code
        name = self.council or (publisher.name if publisher is not None else "")
        return is_same_council(self.label_of(code), name)

    def label_of(self, code: str) -> str:
        """Return the name of the council with the code `code`, or `code` itself if the list of councils lacks it."""
        codes = self.code_lists[COUNCILS].codes if COUNCILS in self.code_lists else ()
        return next((each.label for each in codes if each.code == code), code)

    def get_code_list(self, name: str) -> CodeList:
        """Return the code list `name`. Raise `NoSuchCodeList` if there is none."""
        try:
            return self.code_lists[name]
        except KeyError:
            raise NoSuchCodeList from None

    def faults_in_codes(self, parsed: BaseModel) -> list[FieldError]:
        """Return an error for each code in `parsed` that is not in the code list of its field."""
        return [
            FieldError(
                at,
                f"This is not a code of the list {name}. GET /v1/code-lists/{name} gives the codes.",
                FaultCode.UNKNOWN_CODE,
            )
            for at, name, value in coded_values(parsed)
            if value not in self._codes.get(name, ())
        ]

    def also_call(self, concern: Concern, signposts: Iterable[Signpost]) -> tuple[Signpost, ...]:
        """Return whom the reporter should call besides the duty team.

        First come the neighbouring councils of children of the concern, then, if a person of the concern works with
        children, the contacts of the designated officer among `signposts`.
        """
        areas = {child.home_council for child in concern.children}
        officers = [each for each in signposts if each.allegations] if concern.concern.names_a_worker else []
        return (*(each for each in self.neighbours if each.council in areas), *officers)

    @cached_property
    def words(self) -> Words:
        """Return the list of words, with the synonyms of subjects and the names and words of signposts."""
        subjects = self.code_lists[SUBJECTS].codes if SUBJECTS in self.code_lists else ()
        more = [(each.synonyms, SUBJECT + each.code) for each in subjects]
        more += [((each.name, *each.words), SIGNPOST + each.id) for each in self.all_signposts]
        lines = [WordsLine(phrases=said, leads_to=(lead,), source="The seed folder.") for said, lead in more if said]
        return Words(self.word_list.model_copy(update={"lines": (*self.word_list.lines, *lines)}))

    @cached_property
    def law(self) -> dict[str, LegalStatement]:
        """The legal statements, by id."""
        return {each.id: each for each in self.statements}

    @cached_property
    def _codes(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(code.code for code in found.codes) for name, found in self.code_lists.items()}


class EmergencyContacts:
    """The contacts to show in a response without a guide: those of the default guide, and the signposts.

    The contacts last read from the database are kept, in case the database cannot be read. Until the first read there
    are only signposts.
    """

    def __init__(self, engine: Engine, reference_data: ReferenceData, preferred_guide: str | None = None) -> None:
        self._engine = engine
        self._reference_data = reference_data
        self._preferred_guide = preferred_guide
        self._newest = object()
        self._read: object | None = None
        self._keep((), None)

    def invalidate(self) -> None:
        """Make the next use read the contacts again, because an edition was published or withdrawn."""
        self._newest = object()

    def current(self) -> WhoToCall:
        """Read the contacts at the first call and after `invalidate`, until a read succeeds.

        Otherwise return those last read, also if the database cannot be read, or no guide has a current edition.
        """
        self._refresh()
        return self._who

    def left_out(self) -> tuple[Signpost, ...]:
        """Return the local signposts that `current` leaves out, because they belong to other councils."""
        self._refresh()
        return self._left_out

    def _refresh(self) -> None:
        newest = self._newest
        if self._read is newest:
            return
        try:
            with Session(self._engine) as session:
                guide = default_guide(session, self._preferred_guide)
                if guide is not None:
                    content = read_content(session, get_current(session, guide=guide).key)
                    self._keep(content.contacts, content.publisher)
            self._read = newest
        except Exception as failure:  # whatever fails here, the response that says 999 must be sent
            log.warning("cached_contacts_used", error=type(failure).__name__)

    def use(self, contacts: tuple[Contact, ...], publisher: Publisher | None) -> None:
        """Return these contacts, without a read, until `invalidate`."""
        self._keep(contacts, publisher)
        self._read = self._newest

    def _keep(self, contacts: tuple[Contact, ...], publisher: Publisher | None) -> None:
        self.kept = contacts, publisher
        self._who = WhoToCall(contacts, self._reference_data.signposts_of(publisher, contacts))
        self._left_out = self._reference_data.foreign_signposts(publisher)


def is_same_council(*names: str) -> bool:
    """The names have the same distinctive words."""
    words = (re.findall(r"\w+", name.casefold().replace("&", " and ")) for name in names)
    return len({tuple(word for word in of if word not in _GENERIC_WORDS) for of in words}) == 1


def lives_elsewhere(concern: Concern, neighbours: Iterable[Signpost]) -> bool:
    """Return True if a child lives in the area of `neighbours`, or of a council that the form does not name."""
    others = {each.council for each in neighbours} | {ELSEWHERE}
    return any(child.home_council in others for child in concern.children)


def read_reference_data(seed_dir: Path, council: str | None = None, night: str | None = None) -> ReferenceData:
    """Return the code lists, signposts and legal statements in the folder `seed_dir`, for the configured `council`.

    `night` is the configured phone number of the out-of-hours team; if the folder has the same number, a person checked
    it on the day that the folder says. Raise `SeedFileError` with file, line and reason if
    a file is invalid.
    """
    lists = [read_seed_file(path, CodeList) for path in sorted((seed_dir / "code-lists").glob("*.yaml"))]
    found = read_seed_file(seed_dir / "signposts.yaml", SignpostList)
    statements = read_seed_file(seed_dir / "legal-statements.yaml", LegalStatementList).statements
    signposts = [each for each in found.signposts if night is None or each.id != NIGHT_TEAM["id"]]
    if night is not None:
        phone = {"number": f"+44{night.replace(' ', '')[1:]}", "display": night}
        same = (each for each in found.signposts if each.id == NIGHT_TEAM["id"])
        checked = {number.number: each.verified_on for each in same for number in each.phones}
        own = NIGHT_TEAM | {"phones": [phone], "source": "The council's setting GUIDANCE_OUT_OF_HOURS_PHONE."}
        own["verified_on"] = checked.get(phone["number"])
        signposts.append(Signpost.model_validate_json(to_json(own)))
    lists_by_name = {each.name: each for each in lists}
    words = read_seed_file(words_path(seed_dir), WordList)
    return ReferenceData(lists_by_name, tuple(signposts), statements, found.neighbours, council, words)


def words_path(seed_dir: Path) -> Path:
    """Return the path of the list of words. An older seed folder gets the list that comes with the program."""
    own = seed_dir / "words.yaml"
    return own if own.is_file() else SEED_DIR / own.name
