"""Ambiguous requests through a real nginx and a real HAProxy with one kept connection: nobody gets another's answer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.framing import BODIES, CLEAR, HEADS, HIDDEN
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.proxies import BEHIND_A_PROXY, free_port, need, running
from tests.support.publishing import GUIDE
from tests.support.wire import Address, connected, everything_from

pytestmark = [pytest.mark.nightly, pytest.mark.slow]

NGINX = """
{user}
pid {work}/pid;
error_log {work}/error.log;
worker_processes 1;
events {{ }}
http {{
    access_log off;
    {scratch}
    upstream node {{ server {node}; keepalive 1; }}
    server {{
        listen 127.0.0.1:{port};
        client_body_timeout 1s;
        client_header_timeout 1s;
        location / {{
            proxy_pass http://node;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
        }}
    }}
}}
"""
HAPROXY = """
global
    nbthread 1
defaults
    mode http
    timeout client 1s
    timeout server 30s
    timeout connect 30s
    http-reuse always
frontend outside
    bind 127.0.0.1:{port}
    default_backend nodes
backend nodes
    server node {node} maxconn 1 pool-max-conn 1
"""
SCRATCH = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def proxy(name: str, work: Path, node: str) -> Iterator[Address]:
    """Run the proxy before the node, which it has one connection to."""
    program, port = need(name), free_port()
    work.mkdir()
    scratch = "".join(f"{kind}_temp_path {work}/{kind};\n" for kind in SCRATCH)
    user = "user root;" if os.getuid() == 0 else ""
    sample, name_of_file = (NGINX, "nginx.conf") if name == "nginx" else (HAPROXY, "haproxy.cfg")
    configuration = work / name_of_file
    configuration.write_text(sample.format(user=user, work=work, scratch=scratch, node=node, port=port))
    command = {
        "nginx": [program, "-p", str(work), "-c", str(configuration), "-e", f"{work}/error.log", "-g", "daemon off;"],
        "haproxy": [program, "-db", "-f", str(configuration)],
    }[name]
    with running(command, work, port):
        yield "127.0.0.1", port


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("node") / "data", deliver="false", **BEHIND_A_PROXY) as server:
        yield server


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def outside(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node: LiveServer
) -> Iterator[Address]:
    folder = tmp_path_factory.mktemp("proxy")
    with proxy(request.param, folder / request.param, node.url.removeprefix("http://")) as address:
        yield address


@pytest.fixture(scope="module")
def items(node: LiveServer) -> list[str]:
    """The paths of reads whose answers name what was asked for."""
    with node.client() as client:
        factors = client.get(f"{GUIDE}/factors").json()["factors"]
    return [f"{GUIDE}/factors/{each['id']}" for each in factors[:3]]


def sent(address: Address, data: bytes) -> bytes:
    """All that comes back for the data, until the proxy closes, at the latest when it has waited long for the rest."""
    with connected(address) as connection:
        connection.sendall(data)
        try:
            return everything_from(connection)
        except ConnectionResetError:
            return b""


@for_each("ambiguous", [*HEADS.values(), *BODIES.values()])
def test_the_next_caller_gets_its_own_answer(outside: Address, items: list[str], ambiguous: bytes) -> None:
    sent(outside, ambiguous + HIDDEN)

    for path in items:
        assert f'"id":"{path.rpartition("/")[2]}"' in _get(outside, path)


@for_each(
    "clear", [each for name, each in CLEAR.items() if "with blanks around" not in name]
)  # nginx takes no tab there
def test_what_has_one_meaning_goes_through(outside: Address, clear: bytes) -> None:
    answer = sent(outside, clear + HIDDEN)

    assert [int(each[:3]) for each in answer.split(b"HTTP/1.1 ")[1:]] in ([415, 404], [422, 404])


def test_the_node_had_no_error(outside: Address, node: LiveServer) -> None:
    assert outside
    lines = node.log.read_text()
    assert '"level":"error"' not in lines
    assert '"status":5' not in lines


def _get(address: Address, path: str) -> str:
    return httpx.get(f"http://{address[0]}:{address[1]}{path}", timeout=30, trust_env=False).text
