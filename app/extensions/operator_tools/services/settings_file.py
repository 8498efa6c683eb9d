"""The file with the settings of the service.

`guidance setup` writes the file. Systemd, containers and the option `--env-file` read the file.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from app.config import PREFIX, SettingsRefused, parse_settings
from app.errors import SetupError
from app.services.key_files import write_key_file

NOT_LITERAL = re.compile(r"[\\\r\n]|^[\"'\s]|\s#|\s$")
"""Text that systemd, container engines and `--env-file` would not all read as written."""
HEAD = (
    "# Settings of the service, one a line. `guidance setup` adds lines; you can change them.\n"
    "# docs/reference/settings.md explains each. Only the owner can read this file: it may have secrets.\n"
)


def refusal_of(values: Mapping[str, str]) -> str | None:
    """Return the first reason why `values` cannot be written, each by itself."""
    for name, value in values.items():
        variable = f"{PREFIX}{name.upper()}"
        if NOT_LITERAL.search(value):
            return f"{variable}: must be plain text on one line, without backslashes, quotes in front or ` #`"
        try:
            parse_settings({variable: value})
        except SettingsRefused as refused:
            own = [line for line in str(refused).splitlines() if line.startswith(f"{variable}: ")]
            if own:
                return own[0]
    return None


def write_settings(path: Path, values: Mapping[str, str]) -> None:
    """Keep all other lines; only the owner can read the file. Raise `SetupError`, and change nothing.

    So if a value is refused, or all settings would not fit together.
    """
    if (refusal := refusal_of(values)) is not None:
        raise SetupError(refusal)
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    for name, value in values.items():
        line = f"{PREFIX}{name.upper()}="
        kept = [each for each in text.splitlines() if not each.removeprefix("export ").startswith(line)]
        text = "\n".join([*kept, f"{line}{value}"]) + "\n"
    draft = path.with_name(f".{path.name}.draft")
    write_key_file(draft, text.encode(), replace=True)
    try:
        parse_settings({}, file=draft)
    except SettingsRefused as refused:
        draft.unlink()
        raise SetupError(str(refused).replace(str(draft), str(path))) from None
    os.replace(draft, path)
