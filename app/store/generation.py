"""The generation: one number, which the database raises whenever an edition is published or withdrawn."""

from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from app.models.guidance.guide_tables import GenerationRow

RAISED = "generation raised"


def read_generation(engine: Engine) -> int:
    """The number as it stands."""
    with engine.connect() as connection:
        return connection.execute(select(col(GenerationRow.number))).scalar_one()


def mark_raised(connection: Connection) -> None:
    """Say that this transaction raises it, so that the writer tells of it as soon as it is committed."""
    connection.info[RAISED] = True


def take_mark(connection: Connection) -> bool:
    """Whether that was said, since this was last asked."""
    return bool(connection.info.pop(RAISED, False))
