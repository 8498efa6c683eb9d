"""Working days in England, and deadlines counted in working days, in London's local time."""

import datetime as dt
from functools import cached_property, lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

LONDON = ZoneInfo("Europe/London")
ONE_DAY = dt.timedelta(days=1)


class WorkingDays:
    """England's working days, computed offline by the `holidays` package."""

    @cached_property
    def calendar(self) -> "HolidayBase":
        calendar: HolidayBase = _read_country("united_kingdom").UnitedKingdom(subdiv="ENG")
        return calendar

    def is_bank_holiday(self, day: dt.date) -> bool:
        return day in self.calendar

    def after(self, moment: dt.datetime, *, days: int) -> dt.datetime:
        """Return the same London time on the last of the working days, in UTC.

        If `moment` is not on a working day, return the end (midnight) of the last one. 'Working Together to Safeguard
        Children' requires an acknowledgement within one working day after a referral is received.
        """
        local = moment.astimezone(LONDON)
        is_working_day, following = self._look_up(local.date(), days)
        if is_working_day:
            due = dt.datetime.combine(following, local.time(), tzinfo=LONDON)
        else:
            due = dt.datetime.combine(following + ONE_DAY, dt.time.min, tzinfo=LONDON)
        return due.astimezone(dt.UTC)

    @lru_cache(maxsize=8)  # noqa: B019  # one instance for each process, and few days
    def _look_up(self, day: dt.date, days: int) -> tuple[bool, dt.date]:
        return self.calendar.is_working_day(day), self.calendar.get_nth_working_day(day, days)


def _read_country(name: str) -> Any:
    """Loading every country would take 0.2 s and 12 MB."""
    import holidays  # noqa: PLC0415  # 4 MB, needed only by a process that accepts concerns

    path = Path(holidays.__path__[0]) / "countries" / f"{name}.py"
    spec = spec_from_file_location(f"holidays_of_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deadline_of(moment: dt.datetime) -> tuple[dt.date, dt.time | None]:
    """Return day and time in London, to the minute.

    For midnight return the day before and None, because it is that day's end.
    """
    local = moment.astimezone(LONDON)
    time = local.time().replace(second=0, microsecond=0)
    return (local.date(), time) if time != dt.time.min else (local.date() - ONE_DAY, None)


@lru_cache(maxsize=64)
def deadline_in_words(minute: dt.datetime) -> str:
    """Return London time: `Tuesday 24 November 2026 at 09:30`, or `the end of Monday 30 November 2026` for midnight."""
    day, time = deadline_of(minute)
    words = day.strftime(f"%A {day.day} %B %Y")
    return f"the end of {words}" if time is None else f"{words} at {time:%H:%M}"
