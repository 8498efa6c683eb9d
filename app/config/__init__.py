"""The settings of the service, and how they are read."""

from app.config.reading import SettingsRefused, parse_settings
from app.config.settings import SEED_DIR, Settings

__all__ = ["SEED_DIR", "Settings", "SettingsRefused", "parse_settings"]
