"""A service in the process of a test."""

from typing import Any

from app.config import Settings
from app.main import GuidanceApp, create_app
from tests.support.clock import SettableClock


def a_service(**settings: Any) -> GuidanceApp:
    """A service of those settings, on a Tuesday. Nothing is pushed in the background unless `deliver` says so."""
    return create_app(Settings(**{"deliver": False, **settings}), SettableClock())
