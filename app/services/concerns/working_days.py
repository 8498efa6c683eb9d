"""Working days: those of England, without weekends and bank holidays, in London's local time."""

import datetime as dt
from collections.abc import Container
from functools import cached_property
from zoneinfo import ZoneInfo

from holidays import country_holidays

LONDON = ZoneInfo("Europe/London")
SATURDAY = 5


class WorkingDays:
    """England's working days. The `holidays` package computes the bank holidays, offline."""

    @cached_property
    def _bank_holidays(self) -> Container[dt.date]:
        return country_holidays("GB", subdiv="ENG")

    def is_working_day(self, day: dt.date) -> bool:
        """Return whether the day is a working day."""
        return day.weekday() < SATURDAY and day not in self._bank_holidays

    def one_working_day_after(self, moment: dt.datetime) -> dt.datetime:
        """Return the time one working day after the moment, in UTC.

        That is the same time of day on the next working day; or, if the moment is not on a working day, the end
        (midnight) of the next working day. 'Working Together to Safeguard Children' requires an acknowledgement within
        one working day of the receipt of a referral.
        """
        local = moment.astimezone(LONDON)
        following = self._next(local.date())
        if self.is_working_day(local.date()):
            due = dt.datetime.combine(following, local.time(), tzinfo=LONDON)
        else:
            due = dt.datetime.combine(following + dt.timedelta(days=1), dt.time.min, tzinfo=LONDON)
        return due.astimezone(dt.UTC)

    def _next(self, day: dt.date) -> dt.date:
        following = day + dt.timedelta(days=1)
        while not self.is_working_day(following):
            following += dt.timedelta(days=1)
        return following
