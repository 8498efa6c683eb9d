"""The `guidance` command."""

import gc
import re
import sys

from app.cli.commands import app
from app.errors import GuidanceError

A_WORD = re.compile("[a-z]+(?:'s)? ")
"""The pattern of the beginning of a sentence. A path or the name of a setting does not match."""


def main() -> None:
    """Run the command. Print an expected error as one sentence, without a traceback, and exit with status 1.

    Expected errors are instances of `GuidanceError` and `OSError`, for example for a file that cannot be read.
    """
    gc.disable()  # imported objects are never garbage: collecting them would take a fifth of the start-up time
    try:
        app(prog_name="guidance")
    except GuidanceError as error:
        sys.stderr.write(f"{in_one_style(str(error) or str(type(error).__doc__))}\n")
        sys.exit(1)
    except OSError as failure:  # a folder or file that cannot be read or written
        sys.stderr.write(f"{failure.strerror}: {failure.filename}\n" if failure.filename else f"{failure.strerror}\n")
        sys.exit(1)
    finally:
        gc.enable()


def in_one_style(message: str) -> str:
    """Return `message` as a sentence, with a capital letter and a full stop.

    Add no full stop after a question mark, an exclamation mark or a closing bracket. Return a message of several lines
    unchanged, and also a message that begins with a path or the name of a setting.
    """
    if "\n" in message or not (A_WORD.match(message) or message[:1].isupper()) or message.startswith("GUIDANCE_"):
        return message
    sentence = message[:1].upper() + message[1:]
    return sentence if sentence.endswith((".", "?", "!", ")")) else f"{sentence}."
