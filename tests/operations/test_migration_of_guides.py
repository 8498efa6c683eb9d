"""The guide of a database from before guides that were never printed: after the migration it is as it was published."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, Table
from sqlmodel import Session

from app.models.digest import digest_of
from app.models.guidance.sections import ITEM_LISTS
from app.services.operations.verification import verify_editions
from app.store.contents import read_content
from app.store.database import for_writing
from app.store.editions import EditionKey
from app.store.schema import find_schema_faults, migrate_schema, run_revisions
from tests.support.clock import A_TUESDAY
from tests.support.publishing import SLUG, an_edition
from tests.support.schema import an_empty

BEFORE = "0006"
pytestmark = pytest.mark.slow  # a migration


@pytest.fixture(params=["sqlite", "postgresql"])
def former(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the schema before, with the seed's edition in it."""
    engine = an_empty(request.param, "former", tmp_path)
    content = an_edition().model_dump(mode="json")
    with for_writing(engine).begin() as connection:
        run_revisions(connection, BEFORE)
        tables = MetaData()
        tables.reflect(
            connection, only=["guides", "editions", *(str(entry.row.__tablename__) for entry in ITEM_LISTS.values())]
        )

        def insert(table: Table, values: dict[str, object]) -> None:
            connection.execute(table.insert(), {name: value for name, value in values.items() if name in table.c})

        insert(tables.tables["guides"], {"slug": SLUG, "first_published_at": A_TUESDAY})
        for name, entry in ITEM_LISTS.items():
            for place, item in enumerate(content.pop(name), start=1):
                row = {"guide": SLUG, "edition": 1, "position": place} | item
                insert(tables.tables[str(entry.row.__tablename__)], row)
        head = {"guide": SLUG, "number": 1, "published_at": A_TUESDAY, "digest": digest_of(an_edition())}
        insert(tables.tables["editions"], head | content)
    yield engine
    engine.dispose()


def test_a_published_guide_has_the_same_words_and_the_same_digest_after_the_migration(
    former: Engine, tmp_path: Path
) -> None:
    migrate_schema(former, tmp_path)

    with Session(former) as session:
        assert read_content(session, EditionKey(SLUG, 1)) == an_edition()
        assert find_schema_faults(session.connection()) == []
    assert [fault for _, fault in verify_editions(former)] == [None]
