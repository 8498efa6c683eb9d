"""The file with the settings of the service.

`guidance setup` writes the file. Systemd, containers and the option `--env-file` read the file.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from app.age.keys import NotAKey, Sealer
from app.config import PREFIX, SettingsRefused, parse_settings
from app.errors import SetupError
from app.services.clock.working_hours import read_hours
from app.services.key_files import write_key_file

NOT_LITERAL = re.compile(r"[\\\r\n]|^[\"'\s]|\s#|\s$")
"""Text that systemd, container engines and `--env-file` would not all read as written."""
NO_HOURS = "not opening hours, such as Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm"
NO_KEY = "not the public keys of age, such as age1..., with a comma between them"
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
        if value and (fault := _fault_in(name, value)):
            return f"{variable}: {fault}"
    return None


def _fault_in(name: str, value: str) -> str | None:
    """What a start would refuse, or pages could not use."""
    if name == "duty_hours" and not read_hours(value):
        return NO_HOURS
    with suppress(NotAKey):
        Sealer.to(*(value.replace(",", " ").split() if name == "seal_to" else ()))
        return None
    return NO_KEY


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
