"""New files for editors: of a new guide, or of the next edition of a published one."""

import datetime as dt
import re
from pathlib import Path

from sqlmodel import Session

from app.errors import SetupError
from app.models.base import SLUG_PATTERN
from app.models.guidance import edition_schema
from app.models.guidance.edition_files import edition_yaml
from app.services.guidance.checking import read_published

SKELETON = Path(edition_schema.__file__).with_name("new_guide.yaml")
REVIEWED_AFTER = dt.timedelta(days=365)
NEXT_EDITION = "Edition {number} of {guide}. Change the words, and say in `change_note` what you changed."


def write_new_file(folder: Path, slug: str, session: Session | None, *, today: dt.date) -> tuple[Path, bool]:
    """Write the file of the guide's next edition below the folder, and return it, and whether the guide is new.

    Of a published guide it has the words of the current edition; else it is a skeleton. Raises `SetupError` if the name
    is no slug, or the file exists.
    """
    published = read_published(session, slug) if session is not None else None
    if published is None or published.current is None:
        number = published.next_number if published else 1
        return write_draft(folder, slug, _skeleton(slug, today), number), not (published and published.history)
    number = published.next_number
    text = edition_yaml(published.current, NEXT_EDITION.format(number=number, guide=slug))
    return write_draft(folder, slug, text, number), False


def write_draft(folder: Path, slug: str, text: str, number: int = 1) -> Path:
    """Write `<slug>/<number>.yaml` below the folder, and the JSON Schema beside. Raise `SetupError`."""
    if not re.fullmatch(SLUG_PATTERN, slug):
        raise SetupError(
            "the name of a guide is lower-case words joined by hyphens, such as child-criminal-exploitation"
        )
    path = folder / slug / f"{number}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SetupError(f"{path} exists already; it is left as it is") from None
    (folder / edition_schema.SCHEMA_FILE).write_text(edition_schema.edition_schema_json(), encoding="utf-8")
    return path


def _skeleton(slug: str, today: dt.date) -> str:
    words = SKELETON.read_text(encoding="utf-8")
    filled = {"slug": slug, "title": slug.replace("-", " ").capitalize(), "review_by": today + REVIEWED_AFTER}
    for name, value in (filled | {"today": today}).items():
        words = words.replace(f"{{{name}}}", str(value))
    return f"{edition_schema.SCHEMA_LINE}\n{words}"
