"""No text that a stranger sends makes a regular expression of the service slow."""

import re
import time
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import StringConstraints, TypeAdapter, ValidationError

from tests.support.patterns import Found, Sources, patterns_of_the_service
from tests.support.repeats import attacks_on, faults_of

pytestmark = pytest.mark.any_database

SECONDS = {500: 0.1, 2_000: 0.15, 8_000: 0.2, 64_000: 1.6}
"""The processor's time for so many characters: a hundred times what a linear pattern needs. Short texts come first."""
SLOW = (
    (r"\s+$", "search"),
    (r"[\w.+-]+@[\w-]+", "search"),
    (r"<(/[^>]*)>", "findall"),
    (r"[\t ]*([^\r]*?)[\t ]*(?=\r)", "match"),
    (r"(a+)+", "fullmatch"),
    (r"(?:a|b|ab)+c*a*", "fullmatch"),
    (r"\d+\d+x", "match"),
    (r"a.*b.*c", "match"),
    (r"(\w+_)?PORT_\w+", "fullmatch"),
    (r",(?![^()]*\))", "split"),
)
LINEAR = (
    (r"\s+$", "match"),
    (r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "search"),
    (r"[a-z0-9]+(?:-[a-z0-9]+)*", "fullmatch"),
    (r"(?:[a-z]+:[\t\x20-\x7e]*\r\n)*\r\n", "fullmatch"),
    (r"[0-9a-f]{64}\.[0-9a-f]{64}", "search"),
    (r"\w+ .*", "match"),
)


@pytest.mark.parametrize(("pattern", "method"), SLOW)
def test_a_pattern_with_repeats_that_overlap_is_named(pattern: str, method: str) -> None:
    assert list(faults_of(re.compile(pattern), frozenset({method})))


@pytest.mark.parametrize(("pattern", "method"), LINEAR)
def test_a_linear_pattern_is_not_named(pattern: str, method: str) -> None:
    assert list(faults_of(re.compile(pattern), frozenset({method}))) == []


@pytest.fixture(scope="module")
def patterns() -> Sources:
    return patterns_of_the_service()


@pytest.mark.slow
@pytest.mark.nightly  # `make check` names a pattern that is hidden
def test_every_pattern_of_the_service_is_seen(patterns: Sources) -> None:
    assert len(patterns.found) > 140
    assert patterns.hidden == []


@pytest.mark.slow
@pytest.mark.nightly  # `make check` looks at them too
def test_no_pattern_of_the_service_has_repeats_that_overlap(patterns: Sources) -> None:
    named = {
        (each.place, fault)
        for each in patterns.found
        if not each.is_rust
        for fault in faults_of(each.pattern, each.methods)
    }

    assert named == set()


def uses_of(found: Found) -> list[Callable[[str], object]]:
    """The ways in which the service uses the pattern, each as a function of a text."""
    if found.is_rust:
        return [_accepts(TypeAdapter(Annotated[str, StringConstraints(pattern=found.pattern.pattern)]))]
    return [_use(found.pattern, method) for method in sorted(found.methods)]


def _accepts(adapter: TypeAdapter[str]) -> Callable[[str], object]:
    def use(text: str) -> object:
        try:
            return adapter.validate_python(text)
        except ValidationError:
            return None

    return use


def _use(pattern: re.Pattern[Any], method: str) -> Callable[[str], object]:
    def use(text: str) -> object:
        given: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
        if method in ("sub", "subn"):
            return getattr(pattern, method)(given[:0], given)
        found = getattr(pattern, method)(given)
        return list(found) if method == "finditer" else found

    return use


def seconds_of(use: Callable[[str], object], attack: tuple[str, str, str], size: int) -> float:
    """The processor's time for a text of that size: what leads to a repeat, what is repeated, and what ends the run."""
    leading, pump, end = attack
    text = leading + pump * (size // len(pump)) + end
    began = time.process_time()
    use(text)
    return time.process_time() - began


@pytest.mark.slow
@pytest.mark.nightly
def test_each_class_of_character_takes_linear_time(patterns: Sources) -> None:
    slow = (
        (found.place, attack, size)
        for found in patterns.found
        for use in uses_of(found)
        for attack in sorted(attacks_on(found.pattern))
        for size, bound in SECONDS.items()
        if seconds_of(use, attack, size) > bound
    )

    assert next(slow, None) is None
