"""Reading the settings: from the environment and a file, every fault at once, and nothing ignored."""

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.config.groups import PREFIX, faults_of_groups
from app.config.settings import Settings

OF_CALLERS = frozenset({"desk_url", "desk_key", "url", "key"})
"""Names that programs read which call the service: `guidance desk open`, and examples. They set nothing here."""
OF_KUBERNETES = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)")
ADDRESS_OF_KUBERNETES = re.compile(r"(tcp|udp|sctp)://.*")


def built_commit(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the commit that this program was built from, if its environment names one."""
    return environment.get(f"{PREFIX}COMMIT")


class SettingsRefused(Exception):
    """Settings cannot be used. The message has a line for each fault, and no value of a setting."""


def parse_settings(
    environment: Mapping[str, str], *, file: Path | None = None, data_dir: Path | None = None
) -> Settings:
    """Return the settings of the environment and, where that has none, of the file; `data_dir` comes before both.

    Raises `SettingsRefused` with every fault that was found.
    """
    faults: list[str] = []
    given: dict[str, Any] = {}
    if file is not None:
        given |= _collect(_read_file(file, faults), faults)
    given |= _collect(_in_environment(environment), faults)
    if data_dir is not None:
        given["data_dir"] = data_dir
    try:
        settings = Settings.model_validate(given)
    except ValidationError as refusal:
        of_fields = [_sentence(fault) for fault in refusal.errors(include_url=False, include_input=False)]
        faults += of_fields if not _is_of_groups(refusal) else []
        faults += faults_of_groups(given)
    if faults:
        raise SettingsRefused("\n".join(dict.fromkeys(faults)))
    return settings


def _is_of_groups(refusal: ValidationError) -> bool:
    """Whether every field is right, and only settings that belong together are apart."""
    return not refusal.errors()[0]["loc"]


def _in_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the settings of the environment, without what other programs put there under the same prefix."""
    for name, value in environment.items():
        if name.upper().startswith(PREFIX):
            short = name.upper().removeprefix(PREFIX)
            is_foreign = OF_KUBERNETES.fullmatch(short) or (
                short.endswith("PORT") and ADDRESS_OF_KUBERNETES.fullmatch(value)
            )
            if short.lower() not in OF_CALLERS and not is_foreign:
                yield short.lower(), value


def _read_file(file: Path, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the settings of the file. Values are as written: nothing is inserted into them."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            lines = list(parse_stream(stream))
    except (OSError, ValueError):
        faults.append(f"{file}: it cannot be read as a text file")
        return
    for line in lines:
        if line.error or (line.key is not None and line.value is None):
            faults.append(f"{file}, line {line.original.line}: it must be NAME=value")
        elif line.key is not None and not line.key.upper().startswith(PREFIX):
            faults.append(f"{file}, line {line.original.line}: the name of a setting starts with {PREFIX}")
        elif line.key is not None and line.value is not None:
            yield line.key.upper().removeprefix(PREFIX).lower(), line.value


def _collect(pairs: Iterator[tuple[str, str]], faults: list[str]) -> dict[str, str]:
    """Return the settings by name. One that is given twice in one place has no clear value."""
    collected: dict[str, str] = {}
    for name, value in pairs:
        if name in collected:
            faults.append(f"{PREFIX}{name.upper()}: it is given twice")
        collected[name] = value
    return collected


def _sentence(fault: ErrorDetails) -> str:
    """Return the fault after the whole name of its setting."""
    name = str(fault["loc"][0]) if fault["loc"] else ""
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(name, Settings.model_fields, n=1)
        message = "there is no such setting" + (f". Did you mean {PREFIX}{near[0].upper()}?" if near else "")
    return f"{PREFIX}{name.upper()}: {message}"
