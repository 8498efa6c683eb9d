"""The generation: one number, which the database raises whenever an edition is published or withdrawn."""

from sqlalchemy import Connection, Engine
from sqlmodel import Session, select

from app.models.guidance.guide_tables import GenerationRow

RAISED = "generation raised"


def read_generation(engine: Engine) -> int:
    """Return the current number."""
    with Session(engine) as session:
        return session.exec(select(GenerationRow.number)).one()


def mark_raised(session: Session) -> None:
    """Mark that this transaction raises it, so that the writer announces it after the commit."""
    session.connection().info[RAISED] = True


def pop_raised_mark(connection: Connection) -> bool:
    """Return whether the connection was marked after the last call, and remove the mark."""
    return bool(connection.info.pop(RAISED, False))
