"""`guidance import`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from app.errors import SetupError
from app.main import utc_now
from app.models.guidance.edition_yaml import file_text
from app.models.guidance.editions import EditionContent
from app.models.guidance.proposed_ids import propose_id
from app.presenters.markdown import edition_markdown
from app.services.guidance.drafting import write_draft
from app.store.editions import EditionHead

LIBRARIES = ("docx", "markdown_it")
REMARKS = "A draft, made from {name}. Read it beside the document: every sentence is here, or in these remarks."


def import_document(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A Word document (.docx) or Markdown (.md).")],
    guide: Annotated[str | None, typer.Argument(metavar="GUIDE", help="Its name; without it, from the title.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the guide's own folder is made.")] = Path(),
    number: Annotated[int, typer.Option(help="The number of the edition.", min=1)] = 1,
) -> None:
    """Make a draft from a document. What has no place in it is listed, here and at the top of the draft."""
    if not all(map(find_spec, LIBRARIES)):
        raise SetupError("`guidance import` needs the extra `documents`: pip install 'one-minute-guide[documents]'")
    from app.services.importing import draft_of  # noqa: PLC0415  # an extra

    draft = draft_of(path, draft_page)
    remarks = "\n".join([REMARKS.format(name=path.name), *(f"NOT PLACED: {each}" for each in draft.not_placed)])
    slug = guide or propose_id(draft.content["title"])
    written = write_draft(folder, slug, file_text(draft.content, remarks), number)
    typer.echo(f"{written}: a draft of {path.name}")
    for sentence in draft.not_placed:
        typer.echo(f"Not placed: {sentence}")
    typer.echo(f"Then: guidance check {written}")


def draft_page(content: EditionContent) -> str:
    """Return the content as Markdown. The facts of the edition itself are not compared, so any do."""
    head = EditionHead("draft", 1, utc_now(), "", content.title, content.change_note, None, None)
    return edition_markdown(head, content, (), "").decode()
