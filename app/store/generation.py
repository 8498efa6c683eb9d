"""The generation: one number, which the database raises whenever an edition is published or withdrawn."""

from sqlalchemy import Connection, Engine
from sqlmodel import Session, select

from app.models.guidance.guide_tables import GenerationRow

RAISED = "generation raised"


def read_generation(engine: Engine) -> int:
    """The number as it stands."""
    with Session(engine) as session:
        return session.exec(select(GenerationRow.number)).one()


def mark_raised(session: Session) -> None:
    """Mark that this transaction raises it, so that the writer announces it as soon as it is committed."""
    session.connection().info[RAISED] = True


def take_mark(connection: Connection) -> bool:
    """Return whether the connection was marked since the last call."""
    return bool(connection.info.pop(RAISED, False))
