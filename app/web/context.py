"""What the routes are given: the parts of the service, and a session or the time for one request."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.web.allowed_hosts import KnownHosts
from app.web.metrics import Metrics
from app.web.cache.cache import Shelf
from app.services.access.clients import Doorkeeper
from app.services.guidance.emergency_contacts import Helpline
from app.services.concerns.unsealing import Opener
from app.services.guidance.reference_data import ReferenceData
from app.services.concerns.submission import Intake

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class Parts:
    """The parts that `create_app` joined."""

    settings: Settings
    engine: Engine
    reference_data: ReferenceData
    intake: Intake
    opener: Opener
    helpline: Helpline
    doorkeeper: Doorkeeper
    metrics: Metrics
    shelf: Shelf
    forget: Callable[[], None]
    """Forgets whatever is remembered of what is published: it has changed."""
    known_hosts: KnownHosts
    clock: Clock
    draining: Event = field(default_factory=Event)
    """Set once the process was asked to stop: it finishes what it accepted, and refuses what is new."""


async def the_parts(request: Request) -> Parts:
    """The parts of the running service. What does not wait is `async`: any other takes a thread to itself."""
    parts: Parts = request.app.state.parts
    return parts


TheParts = Annotated[Parts, Depends(the_parts)]


async def _open_session(request: Request) -> Session:
    parts: Parts = request.app.state.parts
    return Session(parts.engine)  # it reaches the database when it is first used, in the route's own thread


async def _now(request: Request) -> dt.datetime:
    parts: Parts = request.app.state.parts
    return parts.clock()


OpenSession = Annotated[Session, Depends(_open_session)]
"""A session, which `Routes` closes when the route's function ends. A route takes it under the name of `session`."""
Now = Annotated[dt.datetime, Depends(_now)]
