"""A real nginx, HAProxy, Caddy or Varnish, with the sample of `deploy/`: only addresses are changed."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import pytest

from tests.support.command import ROOT, guidance
from tests.support.live import LiveServer
from tests.support.waiting import eventually

DEPLOY = ROOT / "deploy"
HOST = "guidance.example"
BEHIND_A_PROXY: dict[str, Any] = {"trusted_proxies": "127.0.0.1", "public_url": f"https://{HOST}", "drain_seconds": "2"}


class Upstream(Protocol):
    """What a proxy stands before."""

    url: str


def need(program: str) -> str:
    """Return the path of the program. Skip the test without it; in continuous integration, fail."""
    found = shutil.which(program)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"{program} is not installed, and continuous integration must have it")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def free_port() -> int:
    """Return a port that was free a moment ago."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return as many ports that were free a moment ago, each once."""
    with ExitStack() as stack:
        listening = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in listening]


class Site(NamedTuple):
    """A proxy before two nodes, which has its files in `work`."""

    client: httpx.Client
    nodes: tuple[LiveServer, LiveServer]
    work: Path


@contextmanager
def site_behind(proxy: Callable[..., AbstractContextManager[httpx.Client]], folder: Path) -> Iterator[Site]:
    """Run that proxy before two nodes on one database, which keep their ports, and beside the static export of it."""
    data_dir, ports = folder / "data", free_ports(2)
    with (
        LiveServer(data_dir, port=ports[0], **BEHIND_A_PROXY) as first,
        LiveServer(data_dir, port=ports[1], **BEHIND_A_PROXY) as second,
    ):
        ended = guidance("export", folder / "export", "--data-dir", data_dir)
        assert ended.returncode == 0, ended.stderr
        with proxy(folder / "proxy", (first, second), folder / "export") as client:
            yield Site(client, (first, second), folder / "proxy")


def _changed(sample: Path, changes: Mapping[str, str]) -> str:
    """Return the sample with each of those texts changed. A text that is not in it is a fault of the test."""
    text = sample.read_text(encoding="utf-8")
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


@contextmanager
def nginx(work: Path, nodes: tuple[Upstream, Upstream], export: Path, *, rate: str = "10r/s") -> Iterator[httpx.Client]:
    """Run nginx with TLS before the nodes, and yield a client that knows its certificate. One address has that rate."""
    program, (https, http) = need("nginx"), free_ports(2)
    work.mkdir()
    certificate, key = _certificate(work)
    as_root = "user root;\n" if os.getuid() == 0 else ""
    scratch = "".join(
        f"{kind}_temp_path {work}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "/etc/ssl/guidance/fullchain.pem": str(certificate),
        "/etc/ssl/guidance/key.pem": str(key),
        "/var/www/guidance": str(export),
        "/var/cache/nginx/guidance": str(work / "cache"),
        "/var/log/nginx": str(work),
        "/run/nginx.pid": str(work / "pid"),
        "10.0.0.11:8000": nodes[0].url.removeprefix("http://"),
        "10.0.0.12:8000": nodes[1].url.removeprefix("http://"),
        "rate=10r/s": f"rate={rate}",
        "    server_tokens off;": scratch + "    server_tokens off;",
    }
    configuration = work / "nginx.conf"
    configuration.write_text(as_root + _changed(DEPLOY / "nginx.conf", changes))
    command = [program, "-p", str(work), "-c", str(configuration), "-e", str(work / "error.log"), "-g", "daemon off;"]
    with _running(command, work, https, certificate) as client:
        yield client


@contextmanager
def haproxy(work: Path, nodes: tuple[Upstream, Upstream], _export: Path | None = None) -> Iterator[httpx.Client]:
    """Run HAProxy with TLS before the nodes, and yield a client that knows its certificate. It has no export."""
    program, (https, http) = need("haproxy"), free_ports(2)
    work.mkdir()
    certificate, key = _certificate(work)
    both = work / "guidance.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    changes = {
        "bind :443": f"bind 127.0.0.1:{https}",
        "bind :80": f"bind 127.0.0.1:{http}",
        "/etc/haproxy/guidance.pem": str(both),
        "/etc/haproxy/guidance-away.http": f'"{DEPLOY / "guidance-away.http"}"',  # the folder may have a space
        "10.0.0.11:8000": nodes[0].url.removeprefix("http://"),
        "10.0.0.12:8000": nodes[1].url.removeprefix("http://"),
    }
    (work / "haproxy.cfg").write_text(_changed(DEPLOY / "haproxy.cfg", changes))
    with _running([program, "-db", "-f", str(work / "haproxy.cfg")], work, https, certificate) as client:
        yield client


@dataclass
class Varnish:
    """A Varnish that runs."""

    url: str


@contextmanager
def varnish(work: Path, node: Upstream) -> Iterator[Varnish]:
    """Run Varnish with the sample before the node."""
    program, port = need("varnishd"), free_port()
    work.mkdir()
    changes = {"10.0.0.11": "127.0.0.1", '"8000"': f'"{node.url.rpartition(":")[2]}"'}
    (work / "varnish.vcl").write_text(_changed(DEPLOY / "varnish.vcl", changes))
    listen, store = ["-a", f"127.0.0.1:{port}"], ["-s", "malloc,64m"]
    command = [program, "-F", "-j", "none", "-n", str(work / "run"), "-f", str(work / "varnish.vcl"), *listen, *store]
    with running(command, work, port):
        yield Varnish(f"http://127.0.0.1:{port}")


@contextmanager
def caddy(work: Path, nodes: tuple[Upstream, Upstream], export: Path) -> Iterator[httpx.Client]:
    """Run Caddy with TLS before the nodes, and yield a client that knows its certificate."""
    program, (https, unready) = need("caddy"), free_ports(2)
    work.mkdir()
    certificate, key = _certificate(work)
    changes = {
        "{\n\t# It writes": "{\n\tadmin off\n\tauto_https off\n\tskip_install_trust\n\t# It writes",
        "\n{$SITE:guidance.example} {": f"\n{{$SITE}} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}",
        "/var/www/guidance": str(export),
    }
    (work / "Caddyfile").write_text(_changed(DEPLOY / "Caddyfile", changes))
    command = [program, "run", "--adapter", "caddyfile", "--config", str(work / "Caddyfile")]
    settings = {
        "SITE": f"https://{HOST}:{https}",
        "NODES": " ".join(node.url.removeprefix("http://") for node in nodes),
        "UNREADY": str(unready),
    }
    with _running(command, work, https, certificate, settings) as client:
        yield client


@contextmanager
def caddy_of_the_inside(work: Path, nodes: Sequence[str], https: int, host: str = "localhost") -> Iterator[Path]:
    """Run Caddy before the nodes at that host. Yield the certificate of the authority that it makes in `work`."""
    work.mkdir()
    changes = {
        "{\n\t# It writes": "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\t# It writes",
        "\n{$SITE:guidance.example} {": "\n{$SITE} {\n\tbind 127.0.0.1\n\ttls internal",
    }
    (work / "Caddyfile").write_text(_changed(DEPLOY / "Caddyfile", changes))
    command = [need("caddy"), "run", "--adapter", "caddyfile", "--config", str(work / "Caddyfile")]
    home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(work))
    addresses = " ".join(url.removeprefix("http://") for url in nodes)
    places = {"SITE": f"https://{host}:{https}", "NODES": addresses, "UNREADY": str(free_port())}
    with running(command, work, https, places | home):
        root = work / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        assert eventually(root.is_file)
        yield root


@contextmanager
def _running(
    command: list[str], work: Path, port: int, certificate: Path, settings: Mapping[str, str] | None = None
) -> Iterator[httpx.Client]:
    home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(work))
    with running(command, work, port, {**(settings or {}), **home}), client_of(port, certificate) as client:
        yield client


@contextmanager
def running(command: list[str], work: Path, port: int, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run the program until it listens at the port, and stop it afterwards."""
    with (work / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(settings or {})})
    try:
        assert eventually(lambda: _listens(port) or process.poll() is not None, patience_seconds=60)
        assert process.poll() is None, (work / "output.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def client_of(port: int, certificate: Path) -> httpx.Client:
    """Return a client that finds the host of the sample on this machine, and accepts that certificate alone."""
    headers, extensions = {"Host": HOST}, {"sni_hostname": HOST}
    client = httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        verify=ssl.create_default_context(cafile=certificate),
        headers=headers,
        timeout=30,
        trust_env=False,
    )
    client.event_hooks["request"] = [lambda request: request.extensions.update(extensions)]
    return client


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _certificate(work: Path) -> tuple[Path, Path]:
    certificate, key = work / "fullchain.pem", work / "key.pem"
    request = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={HOST} -days 2"
    names = ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([need("openssl"), *request.split(), *names], check=True, capture_output=True)
    return certificate, key
