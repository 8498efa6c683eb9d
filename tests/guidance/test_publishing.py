"""Publishing: one door, one winner, nothing half, and nothing twice."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from app.config import SEED_DIR
from app.errors import EditionAlreadyPublished, EditionOutOfOrder, GuidanceError, InvalidEdition
from app.models.digest import digest_of
from app.models.guidance.editions import EditionContent
from app.services.guidance.publishing import Published, publish_edition
from app.services.guidance.reference_data import read_reference_data
from app.store import contents
from app.store.contents import Contents, read_content
from app.store.database import open_database
from app.store.editions import EditionKey, get_history
from app.store.schema import prepare_schema
from app.store.writer import Writer
from tests.support.clock import A_TUESDAY
from tests.support.publishing import SLUG, an_edition

REFERENCE_DATA = read_reference_data(SEED_DIR)
ROUNDS = range(1, 11)

Publisher = Callable[..., Published]


@contextmanager
def a_publisher(data_dir: Path) -> Iterator[Publisher]:
    """A publisher with a writer and connections of its own, as each process has."""
    engine = open_database(data_dir)
    prepare_schema(engine, data_dir)
    writer = Writer(engine, queue_size=10, wait_seconds=30)
    writer.start()

    def publish(
        number: int, *, guide: str = SLUG, at: dt.datetime = A_TUESDAY, content: EditionContent | None = None
    ) -> Published:
        words = content or an_edition()
        return writer.keep(
            lambda connection: publish_edition(
                connection, EditionKey(guide, number), content=words, at=at, reference_data=REFERENCE_DATA
            )
        )

    yield publish
    writer.stop()
    engine.dispose()


@pytest.fixture
def publish(tmp_path: Path) -> Iterator[Publisher]:
    with a_publisher(tmp_path) as publish:
        yield publish


def published(data_dir: Path, number: int) -> EditionContent:
    """The edition as it can be read; its digest is that of its words."""
    engine = open_database(data_dir)
    with Session(engine) as session:
        content = read_content(session, EditionKey(SLUG, number))
        (head,) = (head for head in get_history(session, guide=SLUG) if head.number == number)
    engine.dispose()
    assert head.digest == digest_of(content)
    return content


def test_the_editions_read_last_are_remembered_and_no_more(
    publish: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "REMEMBERED", 2)
    for number in (1, 2, 3):
        publish(number, content=an_edition(change_note=f"Edition {number}."))
    engine = open_database(tmp_path)
    remembering = Contents(engine)
    keys = [EditionKey(SLUG, number) for number in (1, 2, 3)]

    read = [remembering(key) for key in (keys[0], keys[1], keys[0], keys[2])]

    assert [content.change_note for content in read] == ["Edition 1.", "Edition 2.", "Edition 1.", "Edition 3."]
    assert [remembering.remembered(key) is not None for key in keys] == [True, False, True]
    engine.dispose()


def count_of_rows(data_dir: Path) -> dict[str, int | None]:
    engine = open_database(data_dir)
    with engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        counts = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in tables}
    engine.dispose()
    return counts


def with_code(code: str, part: str) -> EditionContent:
    """The edition, with that code on the guide itself, or on the first item of a part."""
    words = an_edition().model_dump()
    bearer = words if part == "guide" else words[part][0]
    bearer["related_codes"] = [{"scheme": "dfe-assessment-factors", "code": code, "basis": "project_inference"}]
    return EditionContent.model_validate(words)


def test_what_is_read_is_what_was_published(publish: Publisher, tmp_path: Path) -> None:
    told = publish(1)

    assert told == Published(EditionKey(SLUG, 1), digest_of(an_edition()), A_TUESDAY, is_new=True)
    assert published(tmp_path, 1) == an_edition()


def test_the_same_words_again_change_nothing(publish: Publisher, tmp_path: Path) -> None:
    first = publish(1)
    before = count_of_rows(tmp_path)

    again = publish(1, at=A_TUESDAY + dt.timedelta(days=1))

    assert (again.digest, again.published_at, again.is_new) == (first.digest, A_TUESDAY, False)
    assert count_of_rows(tmp_path) == before


def test_other_words_under_a_published_number_are_refused(publish: Publisher, tmp_path: Path) -> None:
    publish(1)

    with pytest.raises(EditionAlreadyPublished):
        publish(1, content=an_edition(change_note="A made-up change."))

    assert published(tmp_path, 1) == an_edition()


@pytest.mark.parametrize(("standing", "number"), [([], 0), ([], 2), ([1], 3), ([1, 2], 4), ([1], -1)])
def test_a_number_out_of_order_is_refused_and_leaves_nothing(
    publish: Publisher, tmp_path: Path, standing: list[int], number: int
) -> None:
    for earlier in standing:
        publish(earlier)
    before = count_of_rows(tmp_path)

    with pytest.raises(EditionOutOfOrder):
        publish(number)

    assert count_of_rows(tmp_path) == before


@pytest.mark.parametrize("part", ["guide", "factors", "indicators", "linked_risks"])
def test_a_related_code_that_is_in_no_list_is_refused_wherever_it_stands(
    publish: Publisher, tmp_path: Path, part: str
) -> None:
    before = count_of_rows(tmp_path)

    with pytest.raises(InvalidEdition) as refused:
        publish(1, content=with_code("99Z", part))

    place: tuple[Any, ...] = () if part == "guide" else (part, 0)
    assert [fault.at for fault in refused.value.faults] == [(*place, "related_codes", 0, "code")]
    assert "99Z" not in refused.value.faults[0].detail
    assert count_of_rows(tmp_path) == before


def race(data_dir: Path, contents: tuple[EditionContent, EditionContent], number: int) -> list[Published | Exception]:
    """What two publishers are told that begin at the same moment, each on connections of its own."""
    start = Barrier(2)
    with ExitStack() as stack:
        publishers = [stack.enter_context(a_publisher(data_dir)) for _ in contents]
        threads = stack.enter_context(ThreadPoolExecutor(2))

        def run(publish: Publisher, content: EditionContent) -> Published | Exception:
            start.wait()
            try:
                return publish(number, content=content)
            except GuidanceError as refusal:
                return refusal

        return list(threads.map(run, publishers, contents))


def test_of_two_publishers_with_other_words_one_wins_whole(tmp_path: Path) -> None:
    for number in ROUNDS:
        ours = an_edition(change_note=f"A made-up change by one publisher, {number}.")
        theirs = an_edition(change_note=f"A made-up change by another, {number}.", linked_risks=[], responsibilities=[])

        outcomes = race(tmp_path, (ours, theirs), number)

        won = [content for content, told in zip((ours, theirs), outcomes, strict=True) if isinstance(told, Published)]
        assert [type(told) for told in outcomes if isinstance(told, Exception)] == [EditionAlreadyPublished]
        assert [published(tmp_path, number)] == won


def test_of_two_publishers_with_the_same_words_both_are_told_that_they_stand(tmp_path: Path) -> None:
    for number in ROUNDS:
        words = an_edition(change_note=f"A made-up change, {number}.")

        outcomes = race(tmp_path, (words, words), number)

        assert sorted(told.is_new for told in outcomes if isinstance(told, Published)) == [False, True]
        assert published(tmp_path, number) == words
