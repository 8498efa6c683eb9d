"""Reads, beside the baselines: from the response cache, not modified, by search, and for the first time.

Each search has a word that was not searched for before, so that the response cache does not answer.
"""

import json
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench.content import (
    FIRST_EDITION,
    GUIDE,
    fill_with_editions,
    fill_with_guides,
    guide_of_many,
    made_up_guide,
    naive_server,
)
from bench.load import Measured, read, read_each, with_cpu
from bench.rounds import Results, Say, Task
from bench.servers import Server, baseline, free_port, guidance, running

CONNECTIONS = 16
COLD_READS = 240  # enough reads to measure the processor time, which is counted in hundredths of a second
EDITIONS = 300  # of one guide: each round reads others for the first time
SECTION = f"/v1/guides/{GUIDE}/indicators"
IDENTITY = {"Accept-Encoding": "identity"}


def measure_reads(results: Results, work: Path, rounds: int, seconds: float, say: Say) -> None:
    """Measure every kind of read, on the service and on the baselines. Add the rounds to `results`."""
    with ExitStack() as stack:
        fill_with_guides(
            work / "reads", COLD_READS * (rounds + 1), lambda what, done, of: say(f"{what}: {done} of {of}")
        )
        say(f"{EDITIONS} editions each of {rounds + 1} guides")
        fill_with_editions(work / "reads", rounds + 1, EDITIONS)
        service = stack.enter_context(guidance("service", work / "reads"))
        service.wait_until_at_rest()
        answer = httpx.get(service.url + SECTION, headers=IDENTITY, trust_env=False)
        answer_file = work / "answer.json"
        answer_file.write_text(
            json.dumps({"headers": answer.headers.multi_items(), "body": answer.text}), encoding="utf-8"
        )
        known = {"If-None-Match": answer.headers["etag"]}
        bare = stack.enter_context(baseline("bare", "bench.bare:app", "/", BENCH_ANSWER=str(answer_file)))
        naive = stack.enter_context(naive_server(work))
        few_guides = stack.enter_context(guidance("few guides", work / "few guides"))  # those of the seed
        few_guides.wait_until_at_rest()
        words = sorted(set(re.findall("[a-z]+", FIRST_EDITION.read_text(encoding="utf-8").lower())))

        def reading(server: Server, path: str, headers: dict[str, str] | None = None) -> Task:
            url = server.url + path
            return lambda _number: with_cpu(
                server, lambda: read(url, connections=CONNECTIONS, seconds=seconds, headers=headers)
            )

        def cold(number: int) -> Measured:
            places = range(number * COLD_READS, (number + 1) * COLD_READS)
            urls = [f"{service.url}/v1/guides/{made_up_guide(place)}/editions/1" for place in places]
            return with_cpu(service, lambda: read_each(urls))

        def cold_of_many(number: int) -> Measured:
            editions = range(EDITIONS - COLD_READS + 1, EDITIONS + 1)
            urls = [f"{service.url}/v1/guides/{guide_of_many(number)}/editions/{each}" for each in editions]
            return with_cpu(service, lambda: read_each(urls))

        def searching(server: Server, path: str) -> Task:
            def search(number: int) -> Measured:
                urls = [f"{server.url}{path}{word}" for word in words[number :: rounds + 1]]
                return with_cpu(server, lambda: read_each(urls))

            return search

        tasks: dict[str, Task] = {
            "bare": reading(bare, "/"),
            "section": reading(service, SECTION),
            "304": reading(service, SECTION, known),
            "edition": reading(service, f"/v1/guides/{GUIDE}"),
            "search": searching(few_guides, "/v1/search?q="),
            "cold miss": cold,
            "cold miss of many": cold_of_many,
            "naive section": reading(naive, f"/guides/{GUIDE}/indicators"),
            "naive edition": reading(naive, f"/guides/{GUIDE}"),
            "naive edition, one by one": lambda _number: with_cpu(
                naive, lambda: read_each([f"{naive.url}/guides/{GUIDE}"] * COLD_READS)
            ),
            "naive search": searching(naive, "/search?q="),
        }
        if results.wanted is None:
            _add_nginx(results, tasks, stack, work, answer.content, reading)
        results.run(tasks, rounds, say)


def _add_nginx(
    results: Results,
    tasks: dict[str, Task],
    stack: ExitStack,
    work: Path,
    body: bytes,
    reading: Callable[[Server, str], Task],
) -> None:
    """Add a task that reads a static file with the same bytes from nginx, if nginx is installed."""
    if not shutil.which("nginx"):
        results.skipped["nginx"] = "it is not installed"
        return
    root = work / "nginx"
    root.mkdir()
    (root / "answer.json").write_bytes(body)
    port = free_port()
    paths = " ".join(
        f"{name}_temp_path {root}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (root / "nginx.conf").write_text(
        f"user root; worker_processes 1; daemon off; master_process off; pid {root}/pid; error_log /dev/null;"
        f"events {{}} http {{ access_log off; open_file_cache max=100; open_file_cache_valid 600s;"
        f" keepalive_requests 100000000; {paths}"
        f"server {{ listen 127.0.0.1:{port}; root {root}; }} }}",
        encoding="utf-8",
    )
    command = ["nginx", "-p", str(root), "-c", str(root / "nginx.conf")]
    server = stack.enter_context(running("nginx", command, "/answer.json", port=port))
    tasks["nginx"] = reading(server, "/answer.json")
