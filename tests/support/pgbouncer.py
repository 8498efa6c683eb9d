"""A real PgBouncer in transaction mode, with the sample of `deploy/` as its configuration."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.command import ROOT
from tests.support.databases import postgresql
from tests.support.proxies import free_port, need
from tests.support.waiting import eventually

SERVER_CONNECTIONS = 4
"""Fewer than two nodes open, so that they share them."""


@contextmanager
def pgbouncer(work: Path, database: str) -> Iterator[str]:
    """Run PgBouncer before that database of the tests' server, and yield the address of the database through it."""
    program, port = need("pgbouncer"), free_port()
    folder = postgresql().folder / "data"
    changes = {
        "host=127.0.0.1 port=5432 dbname=guidance": f"host={folder} dbname={database} user=postgres",
        "guidance = ": f"{database} = ",
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        "default_pool_size = 20": f"default_pool_size = {SERVER_CONNECTIONS}",
    }
    text = (ROOT / "deploy" / "pgbouncer.ini").read_text(encoding="utf-8")
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    work.mkdir()
    configuration = work / "pgbouncer.ini"
    configuration.write_text(text)
    owner = pwd.getpwuid(folder.stat().st_uid).pw_name  # the server lets its own user in
    as_owner = ["-u", owner] if os.getuid() == 0 else []  # it refuses to run as root
    with (work / "log").open("wb") as log:
        process = subprocess.Popen([program, *as_owner, str(configuration)], stdout=log, stderr=log)
    address = f"postgresql+psycopg://postgres@127.0.0.1:{port}/{database}"
    try:
        assert eventually(lambda: _answers(address) or process.poll() is not None)
        assert process.poll() is None, (work / "log").read_text()
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with psycopg.connect(address.replace("+psycopg", ""), connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
