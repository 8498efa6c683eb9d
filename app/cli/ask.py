"""`guidance desk ask`: send the reporter of a concern a message that only the holder of the code can read."""

import base64
from typing import Annotated

import typer

from app.cli.desk_client import AnswerAsJson, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.terminal import echo_result
from app.main import utc_now
from app.models.desk.messages import Message
from app.models.links import desk_messages_path
from app.services.concerns.sealing import seal_message

MAX_CHARACTERS = 4000


def desk_ask(
    *,
    reference: Reference,
    message_file: Annotated[
        typer.FileText, typer.Option("--message-file", help="File with the words; `-` is the standard input.")
    ],
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Send the reporter a message. It is sealed on this machine, so that the service never has the words.

    The words come from a file or the standard input: every user of this machine can read a command line.
    """
    text = message_file.read().strip()
    if not 0 < len(text) <= MAX_CHARACTERS:
        raise typer.BadParameter(f"a message has between 1 and {MAX_CHARACTERS} characters")
    path = desk_messages_path(reference)
    with connect(url, key, key_file) as service:
        recipient = service.call("GET", path)["recipient"]
        sealed = base64.b64encode(seal_message(text, reference, recipient, at=utc_now())).decode()
        body = Message(sealed=sealed).model_dump(exclude_unset=True)
        sent = service.send_once(path, body)
    echo_result([f"{reference}: message {sent['number']} sent"], sent, as_json=as_json)
