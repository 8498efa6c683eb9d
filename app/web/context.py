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
from app.services.access.clients import Authenticator
from app.services.concerns.submission import Intake
from app.services.concerns.unsealing import Unsealer
from app.services.guidance.emergency_contacts import EmergencyContacts
from app.services.guidance.reference_data import ReferenceData
from app.web.allowed_hosts import AllowedHosts
from app.web.cache.cache import ResponseCache
from app.web.metrics import Metrics

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class AppContext:
    """The parts that `create_app` joined."""

    settings: Settings
    engine: Engine
    reference_data: ReferenceData
    intake: Intake
    opener: Unsealer
    helpline: EmergencyContacts
    doorkeeper: Authenticator
    metrics: Metrics
    shelf: ResponseCache
    forget: Callable[[], None]
    """Forgets whatever is remembered of what is published: it has changed."""
    known_hosts: AllowedHosts
    clock: Clock
    draining: Event = field(default_factory=Event)
    """Set once the process was asked to stop: it finishes what it accepted, and refuses what is new."""


async def get_context(request: Request) -> AppContext:
    """The parts of the running service. What does not wait is `async`: any other takes a thread to itself."""
    parts: AppContext = request.app.state.parts
    return parts


ContextDep = Annotated[AppContext, Depends(get_context)]


async def _open_session(request: Request) -> Session:
    parts: AppContext = request.app.state.parts
    return Session(parts.engine)  # it reaches the database when it is first used, in the route's own thread


async def _now(request: Request) -> dt.datetime:
    parts: AppContext = request.app.state.parts
    return parts.clock()


SessionDep = Annotated[Session, Depends(_open_session)]
"""A session, which `Routes` closes when the route's function ends. A route takes it under the name of `session`."""
NowDep = Annotated[dt.datetime, Depends(_now)]
