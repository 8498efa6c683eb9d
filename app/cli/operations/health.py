"""`guidance health`: a probe for containers and monitors.

This module imports few modules, because the command runs twice a minute.
"""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

HTTP_OK = 200


def health(
    url: Annotated[str, typer.Option(help="Address of the service: scheme, host and port.")] = (
        "http://127.0.0.1:8000"
    ),
    live: Annotated[bool, typer.Option("--live", help="Check only that the process responds.")] = (False),
    seconds: Annotated[float, typer.Option(help="Timeout in seconds.", min=0.1)] = 4.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the response as JSON.")] = False,
) -> None:
    """Check that a running service is ready, and print failing checks. Exit status 0 if ready, otherwise 1."""
    status, answer = _call(url, "/health/live" if live else "/health/ready", seconds)
    checks: dict[str, str] = answer.get("checks", {})
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    elif status == HTTP_OK:
        typer.echo("ok")
    else:
        failing = [f"{name}: {state}" for name, state in checks.items() if state != "ok"]
        typer.echo("\n".join(failing or [str(answer["status"])]))
    raise typer.Exit(status != HTTP_OK)


def _call(url: str, path: str, seconds: float) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of a GET; the status 0 and a description if there is no response or no JSON.

    `seconds` bound each step. Proxies of the environment are ignored. Raise `typer.BadParameter` for another scheme.
    """
    target = urlsplit(url)
    if target.scheme not in ("http", "https") or not target.hostname:
        raise typer.BadParameter("must be an address such as http://127.0.0.1:8000")
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    try:
        with closing(kind(target.hostname, target.port, timeout=seconds)) as connection:
            connection.request("GET", path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as failure:
        return 0, {"status": f"no response ({type(failure).__name__})", "checks": {}}
    return response.status, answer if isinstance(answer, dict) and "status" in answer else {"status": "no answer"}
