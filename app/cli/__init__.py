"""The `guidance` command."""

import gc
import re
import sys

from app.errors import GuidanceError

A_WORD = re.compile("[a-z]+(?:'s)? ")
"""Start of a sentence, not a path or the name of a setting."""


def main() -> None:
    """Print an expected error (`GuidanceError`, `OSError`) as one sentence, and exit with status 1."""
    gc.disable()  # imported objects are never garbage: collecting them would take a fifth of the start-up time
    try:
        from app.cli.commands import app  # noqa: PLC0415  # GUIDANCE_EXTENSIONS, which says what there is, may be wrong

        app(prog_name="guidance")
    except GuidanceError as error:
        sys.stderr.write(f"{_in_one_style(str(error) or str(type(error).__doc__))}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)
    finally:
        gc.enable()


def _in_one_style(message: str) -> str:
    """Add a capital letter and a full stop. Several lines, a path or a setting are unchanged."""
    if "\n" in message or not (A_WORD.match(message) or message[:1].isupper()) or message.startswith("GUIDANCE_"):
        return message
    sentence = message[:1].upper() + message[1:]
    return sentence if sentence.endswith((".", "?", "!", ")")) else f"{sentence}."
