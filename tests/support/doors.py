"""A door with some of its steps before a route of the test."""

from typing import Any

from starlette.types import ASGIApp

from app.http.door import Door
from app.http.exchange import Step
from app.http.log_requests import RequestRecords
from app.http.metrics import Metrics


def door_of(route: ASGIApp, *steps: Step, service: Any = None) -> Door:
    """A refusal that names whom to call needs the service."""
    return Door(service, route, steps, RequestRecords(Metrics()))


def owner_of(service: Any, step: str) -> Any:
    """What a step of that name keeps between requests."""
    return next(each for each in service.door.steps if each.__name__ == step).__self__
