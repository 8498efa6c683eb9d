"""The set-up that the doctor examines."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.services.operations.doctor.public_address import PublicAnswer, call_public_address
from app.store.editions import EditionHead, list_current

MANY_GUIDES = 1000


@dataclass(frozen=True)
class Patient:
    """The settings, the database (which is only read), and the time."""

    settings: Settings
    engine: Engine
    at: dt.datetime

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the file in the data folder."""
        return self.engine.dialect.name == "sqlite"

    @cached_property
    def public_answer(self) -> PublicAnswer:
        """What is answered at GUIDANCE_PUBLIC_URL: called once for all checks."""
        return call_public_address(self.settings.public_url)

    @cached_property
    def current_editions(self) -> list[EditionHead]:
        """The current edition of each guide."""
        with Session(self.engine) as session:
            return list_current(session, limit=MANY_GUIDES)
