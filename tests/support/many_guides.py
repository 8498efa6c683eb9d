"""Guides beside the seed's: the examples of the repository, and as many invented ones as a test wants."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from sqlmodel import Session

from app.http.context import AppContext
from app.models.base import digest_of
from app.models.edition_files import read_edition_file
from app.services.publishing import NewEdition, insert_next_edition, publish_edition
from tests.support.clock import A_TUESDAY
from tests.support.publishing import an_edition

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "guides").glob("*/1.yaml"))
SUBJECTS = ("neglect", "going_missing", "physical_abuse", "harm_online")
AT_ONCE = 25


def publish_examples(service: FastAPI) -> None:
    """Publish the guides of `examples/guides`."""
    context: AppContext = service.state.context
    for path in EXAMPLES:
        publish_edition(
            context.writer,
            context.reference_data,
            NewEdition(path.parent.name, read_edition_file(path).content),
            at=A_TUESDAY,
        )


def publish_invented(service: FastAPI, number: int) -> None:
    """Publish so many short guides more, with titles from A to Z."""
    context: AppContext = service.state.context

    def write(session: Session, first: int) -> None:
        for place in range(first, min(first + AT_ONCE, number)):
            letter = chr(ord("a") + place % 26)
            content = an_edition(
                title=f"One minute guide to {letter}xample {place}",
                subjects=[SUBJECTS[place % len(SUBJECTS)]],
                factors=[],
                indicators=[],
                definitions=[],
                linked_risks=[],
                responsibilities=[],
                cautions=[],
                introductions={},
            )
            guide = f"{letter}xample-{place}"
            insert_next_edition(session, (), guide, content, digest=digest_of(content), at=A_TUESDAY)

    for first in range(0, number, AT_ONCE):
        context.writer.run(partial(write, first=first))
