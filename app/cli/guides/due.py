"""`guidance due`: lists guides to review, and legal statements to compare with the law."""

import datetime as dt
from typing import Annotated

import typer

from app.cli.open_database import open_editions
from app.cli.options import AsJson, SettingsOptions, echo_result
from app.clock import utc_now
from app.models.base import counted
from app.models.guides.legal_statements import LegalStatement
from app.services.guides.editions import NOTICE, CurrentEdition
from app.services.guides.guides import list_guides_by_review
from app.services.guides.reference_data import read_reference_data


def due(
    settings: SettingsOptions,
    days: Annotated[
        int, typer.Option("--within", help="Also list reviews due within this many days.", min=0)
    ] = NOTICE.days,
    as_json: AsJson = False,
) -> None:
    """List guides due for review: first those without a review date, then by date.

    Shows the team responsible for each guide. Then shows the legal statements to compare with the law.
    """
    today, within = utc_now().date(), dt.timedelta(days=days)
    statements = [
        each for each in read_reference_data(settings.seed_dir).statements if each.is_due(today, within=within)
    ]
    with open_editions(settings) as session:
        reviews = list_guides_by_review(session)
    due_now = [each for each in reviews if each.is_due(today, within=within)]
    lines = ["\t".join(_words(each, today)) for each in due_now]
    lines += ["\t".join(_words_of_statement(each, today)) for each in statements]
    echo_result(lines, [*map(_describe, due_now), *map(_describe_statement, statements)], as_json=as_json)
    if not (due_now or as_json):
        typer.echo(f"No guide is due for review within {counted(days, 'day')}.", err=True)


def _describe(edition: CurrentEdition) -> dict[str, str | int | None]:
    details = edition.details.model_dump(mode="json", include={"review_by", "owner"})
    return {"guide": edition.guide, "edition": edition.number, **details}


def _describe_statement(statement: LegalStatement) -> dict[str, str | int | None]:
    described = statement.model_dump(mode="json", include={"verified_on", "recheck_by"})
    return {"statement": statement.id, **described, "source": statement.source.title}


def _words_of_statement(statement: LegalStatement, today: dt.date) -> tuple[str, ...]:
    state = f"{'overdue since' if statement.recheck_by < today else 'compare by'} {statement.recheck_by}"
    if statement.verified_on is None:
        state = "never compared"
    return f"statement {statement.id}", statement.source.version, state, statement.source.title


def _words(edition: CurrentEdition, today: dt.date) -> tuple[str, ...]:
    day, owner = edition.details.review_by, edition.details.owner or "no owner"
    state = "no day set" if day is None else f"{'overdue since' if day < today else 'due by'} {day}"
    return edition.guide, f"edition {edition.number}", state, owner
