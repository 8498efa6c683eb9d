"""The checkpoints that a second party has stored, as files for `guidance verify`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.config import Settings
from app.errors import CheckpointNotGenuine, SetupError
from app.services.access.key_files import RECEIPT_KEY, load_retired_keys
from app.services.desk.checkpoints import Checkpoint, Verifier, open_checkpoint, parse_verifier_key


def read_checkpoints(paths: Sequence[Path], settings: Settings, key: str | None) -> list[tuple[str, Checkpoint]]:
    """Return the checkpoint of each file, checked with the key, or the keys of this service. Raises `SetupError`."""
    if not paths:
        return []
    verifiers = [parse_verifier_key(key)] if key is not None else _own_verifiers(settings)
    checkpoints = []
    for path in paths:
        try:
            checkpoints.append((str(path), open_checkpoint(read_note(path), verifiers)))
        except CheckpointNotGenuine:
            raise SetupError(f"{path} is no checkpoint that one of the keys has signed") from None
    return checkpoints


def read_note(path: Path) -> str:
    """Return the signed note in the file: the note itself, or the JSON of an event or an answer with a `checkpoint`."""
    try:
        text = path.read_bytes().decode()
        if not text.lstrip().startswith("{"):
            return text
        document: dict[str, Any] = json.loads(text)
        return str(document.get("data", document)["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SetupError(f"{path} cannot be read as a checkpoint") from None


def _own_verifiers(settings: Settings) -> list[Verifier]:
    own = settings.receipt_key_file or settings.data_dir / RECEIPT_KEY
    return [Verifier(key) for key in load_retired_keys([own, *settings.retired_receipt_keys])]
