"""The settings of the service, and how they are read."""

from app.config.reading import SettingsRefused, built_commit, parse_settings
from app.config.settings import SEED_DIR, Settings

__all__ = ["SEED_DIR", "Settings", "SettingsRefused", "built_commit", "parse_settings"]
