"""The council's own seed folder, with its numbers and a first guide in place of those that come with the program."""

import datetime as dt
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import SetupError
from app.models.guides.edition_files import as_yaml, file_text
from app.models.guides.signposts import Signpost, SignpostScope
from app.services.clock.working_hours import read_hours
from app.services.guides.reference_data import (
    COUNCILS,
    ELSEWHERE,
    NIGHT_TEAM,
    ReferenceData,
    read_reference_data,
    words_path,
)
from app.services.guides.written_phones import phones_in

OWN_FOLDER = "council"
LAW_FILE = "legal-statements.yaml"
FIRST_GUIDE = "worried-about-a-child"
OWN_CODE = "this_council"
CHECKED_AGAIN = dt.timedelta(days=365)
NOT_A_NUMBER = "{what}: give a phone number, such as 01632 960001"
RECHECK_BY = re.compile(r"^( +recheck_by:) .*$", re.MULTILINE)
VERIFIED_ON = re.compile(r"^( +verified_on:) .*$", re.MULTILINE)
REMARK = "# The council's own signposts. Numbers change: call each once a year, and write the day into verified_on.\n"


@dataclass(frozen=True)
class Numbers:
    """Numbers of the duty team, the team at night, and the designated officer (LADO), and the hours of the first."""

    duty: str
    night: str = ""
    officer: str = ""
    hours: str = ""


def has_own_numbers(seed_dir: Path, council: str) -> bool:
    """Return True if there are local signposts, all of `council`. Raise `SeedFileError`."""
    known = read_reference_data(seed_dir, council)
    return any(each.scope is SignpostScope.LOCAL for each in known.all_signposts) and not known.foreign_signposts(None)


def numbers_to_check(seed_dir: Path, numbers: Numbers | None) -> list[str]:
    """Return a line for each number that `write_own_seed` keeps: all, or with `numbers` national ones.

    Raise `SeedFileError`.
    """
    kept = _kept(read_reference_data(seed_dir), numbers)
    return [f"{each.name}: {', '.join(phone.display for phone in each.phones) or each.url}" for each in kept]


def write_own_seed(target: Path, source: Path, council: str, numbers: Numbers | None, *, today: dt.date) -> None:
    """Write a seed folder for `council`, with the day on which a person checked every number.

    Without `numbers`, those in `source` are its own, and all is copied. Otherwise the guides, of another council, are
    left out, and a first guide says whom to call. Raise `SetupError` if `target` exists or a number is invalid, or
    `SeedFileError`.
    """
    if target.exists():
        raise SetupError(f"{target} exists: set GUIDANCE_SEED_DIR to it, or give it another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as place:
        draft = Path(place) / target.name
        if numbers is None:
            shutil.copytree(source, draft)
            for path in (draft / "signposts.yaml", *draft.glob("guides/*/*.yaml")):
                _replace_days(path, VERIFIED_ON, today)
        else:
            shutil.copytree(source / "code-lists", draft / "code-lists")
            shutil.copy(source / LAW_FILE, draft)
            shutil.copy(words_path(source), draft)
            _write_signposts(draft, read_reference_data(source), numbers, council, today)
            _write_guide(draft, council, numbers, today)
        draft.chmod(0o755)
        draft.rename(target)


def mark_law_as_compared(seed_dir: Path, *, today: dt.date) -> None:
    """Also set the next comparison to `CHECKED_AGAIN` later."""
    path = seed_dir / LAW_FILE
    _replace_days(path, VERIFIED_ON, today)
    _replace_days(path, RECHECK_BY, today + CHECKED_AGAIN)


def _kept(known: ReferenceData, numbers: Numbers | None) -> list[Signpost]:
    return [each for each in known.all_signposts if numbers is None or each.scope is SignpostScope.NATIONAL]


def _replace_days(path: Path, key: re.Pattern[str], day: dt.date) -> None:
    """`key` matches a line; its first group is what stands before the day."""
    text = path.read_text(encoding="utf-8")
    path.write_text(key.sub(rf"\g<1> {day}", text), encoding="utf-8")


def _write_signposts(draft: Path, known: ReferenceData, numbers: Numbers, council: str, today: dt.date) -> None:
    kept = [
        each.model_dump(mode="json", exclude_defaults=True)
        | ({"words": list(each.words)} if each.words else {})
        | {"verified_on": str(today)}
        for each in _kept(known, numbers)
    ]
    own = [
        NIGHT_TEAM | _local(NIGHT_TEAM["id"], NIGHT_TEAM["name"], numbers.night, today),
        _local("designated-officer", "Designated officer (LADO)", numbers.officer, today)
        | {"description": "For a concern about an adult who works or volunteers with children.", "allegations": True},
    ]
    duty = _phones("Duty team", numbers.duty)
    own = [
        each | {"through_duty_team": True, "phones": []} if each["phones"] and each["phones"][0] in duty else each
        for each in own
    ]
    signposts = [*kept, *(each for each in own if each["phones"] or "through_duty_team" in each)]
    (draft / "signposts.yaml").write_text(REMARK + as_yaml({"signposts": signposts}), encoding="utf-8")
    path = draft / "code-lists" / f"{COUNCILS}.yaml"
    codes = known.get_code_list(COUNCILS).model_dump(mode="json", exclude_defaults=True)
    labels = [(OWN_CODE, council), (ELSEWHERE, "Somewhere else"), ("not_known", "Not known")]
    path.write_text(as_yaml(codes | {"codes": [{"code": code, "label": label} for code, label in labels]}), "utf-8")


def _local(name: str, title: str, number: str, today: dt.date) -> dict[str, Any]:
    return {
        "id": name,
        "council": OWN_CODE,
        "name": title,
        "kind": "telephone",
        "phones": _phones(title, number) if number else [],
        "scope": "local",
        "source": "The council itself.",
        "verified_on": str(today),
    }


def _write_guide(draft: Path, council: str, numbers: Numbers, today: dt.date) -> None:
    path = draft / "guides" / FIRST_GUIDE / "1.yaml"
    path.parent.mkdir(parents=True)
    duty: dict[str, Any] = {
        "id": "duty-team",
        "name": "Duty team",
        "kind": "telephone",
        "phones": _phones("Duty team", numbers.duty),
        "verified_on": str(today),
    }
    if hours := read_hours(numbers.hours):
        duty["opening_hours"] = [each.model_dump(mode="json") for each in hours]
    elif numbers.hours:
        duty["when"] = numbers.hours
    content = {
        "title": "Worried about a child",
        "publisher": {"name": council, "kind": "council"},
        "change_note": "First edition: whom to call.",
        "review_by": str(today + CHECKED_AGAIN),
        "contacts": [duty],
    }
    path.write_text(file_text(content, "The first guide. `guidance new` writes a guide with signs and more."), "utf-8")


def _phones(what: str, number: str) -> list[dict[str, Any]]:
    found = phones_in(number)
    if not found:
        raise SetupError(NOT_A_NUMBER.format(what=what))
    return found
