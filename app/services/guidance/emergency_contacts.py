"""The emergency contacts, available also when the database does not answer."""

from sqlalchemy import Engine
from sqlmodel import Session

from app.logs import Log
from app.models.guidance.contacts import Contact
from app.store.editions import default_guide, get_current, read_content

log = Log(__name__)


class EmergencyContacts:
    """The contacts of the default guide, cached in case they cannot be read."""

    def __init__(self, engine: Engine, preferred_guide: str | None = None) -> None:
        self._engine = engine
        self._preferred_guide = preferred_guide
        self._cached: tuple[Contact, ...] = ()

    def current(self) -> tuple[Contact, ...]:
        """Return the contacts as they are now, or as they last were."""
        try:
            with Session(self._engine) as session:
                guide = default_guide(session, self._preferred_guide)
                if guide is not None:
                    self._cached = read_content(session, get_current(session, guide=guide).key).contacts
        except Exception as failure:  # whatever fails here, the response that says 999 must be sent
            log.warning("cached_contacts_used", error=type(failure).__name__)
        return self._cached
