"""The HTTP client of the desk commands, which calls the service with a client key."""

import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.age.keys import AGE_MEDIA_TYPE
from app.cli.option_groups import OptionGroup
from app.cli.options import echo_result
from app.errors import DeskRequestFailed, DeskUnreachable, KeysNotKnown
from app.models.links import DESK_RECIPIENTS
from app.models.references import find_reference
from app.services.concerns.sealing import make_sealer

ANSWER_MEDIA_TYPE = "application/json"
FETCH_TIMEOUT_SECONDS = 30
WAITS = (1, 3)
"""Seconds before the second and the third attempt, if a request gets no response."""
Url = Annotated[str, typer.Option(help="The address of the service.", envvar="GUIDANCE_DESK_URL")]
KeyOption = Annotated[
    str | None,
    typer.Option(
        help="Your client key. Other users of this computer can see command lines (`ps`): use the environment variable "
        "or --key-file.",
        envvar="GUIDANCE_DESK_KEY",
    ),
]
KeyFileOption = Annotated[typer.FileText | None, typer.Option(help="File with your client key. `-` is standard input.")]
SealTo = Annotated[
    str | None,
    typer.Option(
        help="Trusted age recipients, as given to you by the desk lead, separated by commas or spaces. If the service "
        "offers another, nothing is sent.",
        envvar="GUIDANCE_SEAL_TO",
    ),
]
Identity = Annotated[Path, typer.Option(help="Your age identity. It stays on this computer.", exists=True)]
AnswerAsJson = Annotated[bool, typer.Option("--json", help="Print the response as JSON.")]


def require_new(path: Path) -> None:
    """Raise `typer.BadParameter` if `path` exists."""
    if path.exists():
        raise typer.BadParameter("the file exists; choose another name")


def parse_reference(typed: str) -> str:
    """Return the standard form of a reference. Raise `typer.BadParameter`."""
    reference = find_reference(typed)
    if reference is None:
        raise typer.BadParameter("not a valid reference: check it for mistakes")
    return reference


Reference = Annotated[str, typer.Argument(help="The concern's reference.", parser=parse_reference, metavar="REFERENCE")]


@dataclass(frozen=True)
class DeskClient:
    """A client of the desk's API, whose errors have the service's message."""

    http: httpx.Client
    as_json: bool = False

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON of a response.

        Raise `DeskRequestFailed` if it is refused or no JSON, `DeskUnreachable` without one.
        """
        given = {"Accept": ANSWER_MEDIA_TYPE, **(headers or {})}
        response = self._request(method, path, given, query=query, body=body)
        if not response.is_success or not response.headers.get("content-type", "").startswith(ANSWER_MEDIA_TYPE):
            raise _failure(response)
        return response.json()

    def send_once(self, path: str, body: Any) -> Any:
        """Post `body`, and repeat it with one idempotency key if there is no response. Raise as `call`."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        for seconds in WAITS:
            try:
                return self.call("POST", path, body=body, headers=headers)
            except DeskUnreachable:
                time.sleep(seconds)  # noqa: TID251  # a pause of the program, not of a test
        return self.call("POST", path, body=body, headers=headers)

    def show(self, document: Any, lines: Sequence[str] | None = None, notice: str = "") -> None:
        """Print `lines` for people, or JSON if there are none. `notice` goes to standard error, outside the result."""
        echo_result(lines or (), document, as_json=self.as_json or lines is None)
        if notice and not self.as_json:
            typer.echo(notice, err=True)

    def find_sealed(self, path: str) -> bytes | None:
        """Return None if the service has no such file. Raise as `fetch`."""
        response = self._request("GET", path, {"Accept": AGE_MEDIA_TYPE})
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return _require_media_type(response, AGE_MEDIA_TYPE).content

    def fetch(self, path: str, media_type: str = AGE_MEDIA_TYPE) -> httpx.Response:
        """Return a file of `media_type`. Raise `DeskRequestFailed` or `DeskUnreachable`."""
        return _require_media_type(self._request("GET", path, {"Accept": media_type}), media_type)

    def _request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> httpx.Response:
        sent = {} if body is None else {"json": body}
        try:
            return self.http.request(method, path, params=query, headers=headers, **sent)
        except httpx.HTTPError:
            raise DeskUnreachable("The service is not responding at that address.") from None


def fetch_recipients(service: DeskClient, seal_to: str | None, not_sent: str) -> list[str]:
    """Raise `KeysNotKnown` if one is not in `seal_to` (separated by commas or spaces), if given.

    `not_sent` ends that error's message: it says what was not sent. Raise `SetupError` if `seal_to` has an invalid one.
    """
    given = re.findall(r"[^\s,]+", seal_to or "")
    known = set(map(str, make_sealer(tuple(given)).recipients)) if given else set()
    recipients: list[str] = service.call("GET", DESK_RECIPIENTS)["recipients"]
    if known and not known.issuperset(recipients):
        raise KeysNotKnown(f"The service offers a key that is not in --seal-to. {not_sent}")
    return recipients


@contextmanager
def connect(
    url: Url, key: KeyOption = None, key_file: KeyFileOption = None, as_json: AnswerAsJson = False
) -> Iterator[DeskClient]:
    """Return the client. Raise `typer.BadParameter` if there is no key."""
    secret = key_file.read().strip() if key_file is not None else key
    if not secret:
        raise typer.BadParameter("a client key is required: set GUIDANCE_DESK_KEY, --key-file or --key")
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, timeout=FETCH_TIMEOUT_SECONDS, trust_env=False) as http:
        yield DeskClient(http, as_json)


DeskOptions = Annotated[DeskClient, OptionGroup(connect)]


def _require_media_type(response: httpx.Response, media_type: str) -> httpx.Response:
    if not response.headers.get("content-type", "").startswith(media_type):
        raise _failure(response)
    return response


def _failure(response: httpx.Response) -> DeskRequestFailed:
    try:
        problem = response.json()
        faults = [str(each["detail"]) for each in problem.get("errors") or []]
        detail = " ".join([str(problem.get("detail", "")), *faults])
    except (ValueError, AttributeError, KeyError, TypeError):
        detail = ""
    return DeskRequestFailed(f"The service returned {response.status_code}. {detail}".strip())
