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
