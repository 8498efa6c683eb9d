"""`guidance import`: makes a draft from a document."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import visible
from app.errors import ExtraMissing
from app.extensions.editing.services.uploads import reads_documents
from app.models.guides.edition_files import file_text
from app.models.guides.proposed_ids import propose_id
from app.services.guides.validation import write_draft

REMARKS = "A draft made from {name}. Compare it with the document: every sentence is here or in these comments."


def import_document(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="A document: Word (.docx), Markdown (.md) or text (.txt).")
    ],
    guide: Annotated[
        str | None, typer.Argument(metavar="GUIDE", help="Name in URLs. Default: made from the title.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder in which the guide's folder is created.")] = Path(),
    number: Annotated[int, typer.Option(help="The number of the edition.", min=1)] = 1,
) -> None:
    """Make a draft from a document. Text that does not fit is listed here and at the top of the draft."""
    if not reads_documents():
        raise ExtraMissing("`guidance import`", "documents")
    from app.extensions.editing.services.importing import draft_of  # noqa: PLC0415  # an extra

    draft = draft_of(path)
    listed = [f"{passage} ({origin})" if origin else passage for passage, origin in draft.unplaced.items()]
    remarks = "\n".join([REMARKS.format(name=path.name), *(f"NOT PLACED: {each}" for each in listed)])
    slug = guide or propose_id(draft.content["title"])
    written = write_draft(folder, slug, file_text(draft.content, remarks), number)
    typer.echo(f"{written}: a draft of {path.name}")
    for each in listed:
        typer.echo(visible(f"Not placed: {each}"))
    typer.echo(f"Then: guidance check {written}")
