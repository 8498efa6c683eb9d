"""The only package that the wheel puts into an environment. The packages `app` and `seed` are inside it.

So they collide with no `app` of another program, and no other program imports them by accident. In a clone they are
beside this folder instead.
"""

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Run the `guidance` command. If `app` is inside this package, import it from there, before any other `app`."""
    if (FOLDER / "app").is_dir():
        sys.path.insert(0, str(FOLDER))
    import_module("app.cli").main()
