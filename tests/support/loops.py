"""Many cheap cases as one test, and of many dear cases some by day."""

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from itertools import product
from typing import Any

import pytest


def for_each(names: str | Sequence[str], values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run the test for each value, like `pytest.mark.parametrize`, in one case. The fixtures are the same for all.

    It is collected once, and every value that fails is reported.

    It is for tests that change nothing: a value meets what the values before it left.
    """
    wanted = (names,) if isinstance(names, str) else tuple(names)
    cases = [(value,) if isinstance(names, str) else tuple(value) for value in values]

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def loop(**fixtures: Any) -> None:
            failures: list[BaseException] = []
            for case in cases:
                try:
                    test(**fixtures, **dict(zip(wanted, case, strict=True)))
                except (Exception, pytest.fail.Exception) as failure:  # each is reported below
                    failure.add_note(f"for {case!r:.500}")
                    failures.append(failure)
            assert cases, "there is no case"
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(cases)} cases fail", failures)

        declared = inspect.signature(test)
        others = [each for name, each in declared.parameters.items() if name not in wanted]
        vars(loop)["__signature__"] = declared.replace(parameters=others)  # where pytest looks for fixtures
        return loop

    return decorate


def some_by_day(**columns: Iterable[Any]) -> pytest.MarkDecorator:
    """Run the test for every combination: by day for as many as hold each value of each column, at night for all."""
    values = [list(column) for column in columns.values()]
    by_day = {tuple(place % len(each) for each in values) for place in range(max(map(len, values)))}
    cases = [
        pytest.param(
            *(each[place] for each, place in zip(values, places, strict=True)),
            marks=() if places in by_day else pytest.mark.nightly,
        )
        for places in product(*(range(len(each)) for each in values))
    ]
    return pytest.mark.parametrize(",".join(columns), cases)


def first_by_day(values: Iterable[Any], most: int = 1) -> list[Any]:
    """Return the values for `pytest.mark.parametrize`: by day the test runs for the first `most`, at night for all."""
    every = list(values)
    return by_day(every, every[:most])


def by_day(values: Iterable[Any], chosen: Collection[Any]) -> list[Any]:
    """Return the values for `pytest.mark.parametrize`: by day the test runs for those in `chosen`, at night for all."""
    return [each if each in chosen else pytest.param(each, marks=pytest.mark.nightly) for each in values]
