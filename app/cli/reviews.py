"""`guidance due`."""

import datetime as dt
from typing import Annotated

import typer

from app.cli.options import AsJson, DataDir, EnvFile, read_settings
from app.cli.published_guides import open_published
from app.cli.terminal import echo_json
from app.main import utc_now
from app.services.guidance.reviews import NOTICE, Review, list_reviews


def due(
    days: Annotated[
        int, typer.Option("--within", help="Also list what is due within so many days.", min=0)
    ] = NOTICE.days,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """List the guides that are due for review: first those without a day, then by their days.

    Each is listed with the team that looks after it.
    """
    today = utc_now().date()
    with open_published(read_settings(data_dir, env_file)) as session:
        reviews = list_reviews(session) if session is not None else []
    due_now = [each for each in reviews if each.is_due(today, within=dt.timedelta(days=days))]
    if as_json:
        echo_json([_describe(each) for each in due_now])
        return
    for each in due_now:
        typer.echo(
            "\t".join((each.key.guide, f"edition {each.key.number}", _state(each, today), each.owner or "no owner"))
        )
    if not due_now:
        typer.echo(f"No guide is due for review within {days} days.", err=True)


def _describe(review: Review) -> dict[str, str | int | None]:
    day = review.review_by.isoformat() if review.review_by is not None else None
    return {"guide": review.key.guide, "edition": review.key.number, "review_by": day, "owner": review.owner}


def _state(review: Review, today: dt.date) -> str:
    if review.review_by is None:
        return "no day set"
    return f"{'overdue since' if review.review_by < today else 'due by'} {review.review_by}"
