"""A service in the process of a test."""

from typing import Any

from app.config import Settings
from app.main import GuidanceApp, create_app
from tests.support.clock import SettableClock
from tests.support.prepared import copy_prepared


def a_service(**settings: Any) -> GuidanceApp:
    """A service of those settings, on a Tuesday. Nothing is pushed in the background unless `deliver` says so.

    In a folder that is not there yet the seed is published already, unless it is another seed.
    """
    chosen = Settings(**{"deliver": False, **settings})
    if "seed_dir" not in settings:
        copy_prepared(chosen.data_dir)
    return create_app(chosen, SettableClock())
