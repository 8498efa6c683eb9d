"""Chromium, to open pages as a person does. It may use every processor, because a phone has several.

The process that makes the load is otherwise bound to one processor.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

FLAGS = ("--no-sandbox", "--disable-gpu")


def is_browser_installed() -> bool:
    """Return True if Chromium is installed."""
    return shutil.which("chromium") is not None


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium, yield it, and stop it when the context ends."""
    with _every_processor(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def _every_processor() -> Iterator[None]:
    """Let this process and its children use every processor until the context ends."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)
