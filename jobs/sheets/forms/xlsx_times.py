"""Lengths in workbooks: `0:30` becomes a time of day when it is typed, and still looks like `0:30`.

Spreadsheets save such a cell as a share of a day, and a number format (ECMA-376-1, 18.8.31) that
says how it looks. Whoever typed `0:30` for half a minute has saved half an hour: what counts is
what they see.
"""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from jobs.settings.lengths import seconds_of

TIMES = (datetime.date, datetime.time, datetime.timedelta)

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<sign>[: ])|\[\$[^\]]*-(?!F)[0-9A-F]*\]'
    r"|\[(?P<total>h+|m+|s+)\]|(?P<part>hh?|mm?|ss?)|\.(?P<digits>0{1,3})",
    re.IGNORECASE,
)
_UNIT = {"h": 3_600_000, "m": 60_000, "s": 1000}  # in thousandths of a second
_OF_THE_NEXT = {"h": 24, "m": 60, "s": 60}
# Excel's own format of `0:39.5`, by its name in the standard, and as Excel shows it.
_AS_SHOWN = {"mmss.0": "mm:ss.0"}


class Time(NamedTuple):
    """A cell whose value openpyxl takes for a date, a time of day, or a length."""

    value: datetime.date | datetime.time | datetime.timedelta
    number_format: str

    @property
    def length(self) -> str | None:
        """How it looks: `0:30`, `1:02:03`, `00:39.5`. None where that is no length, but a date."""
        value = self.value
        if isinstance(value, datetime.time):
            value = datetime.datetime.combine(datetime.datetime.min, value) - datetime.datetime.min
        if not isinstance(value, datetime.timedelta) or value < datetime.timedelta(0):
            return None
        text = _shown(value, _AS_SHOWN.get(self.number_format, self.number_format))
        return text if text and seconds_of(text) is not None else None


def _shown(value: datetime.timedelta, number_format: str) -> str | None:
    """`value` as the format shows it; None where that has something else, as days or AM and PM."""
    tokens, at = [], 0
    first = number_format.partition(";")[0]  # the others are of negative numbers and of texts
    while at < len(first):
        if not (token := _TOKEN.match(first, at)):
            return None
        tokens.append(token)
        at = token.end()
    digits = max((len(token["digits"] or "") for token in tokens), default=0)
    has_seconds = any(_unit_of(token) == "s" for token in tokens)
    step = 10 ** (3 - digits) if has_seconds else 1  # minutes are never rounded up
    left = round(value / datetime.timedelta(milliseconds=step)) * step
    return "".join(_token_shown(token, left) for token in tokens).strip()


def _token_shown(token: re.Match[str], thousandths: int) -> str:
    if unit := _unit_of(token):
        count = thousandths // _UNIT[unit]
        width = len(token["total"] or token["part"])
        return f"{count if token['total'] else count % _OF_THE_NEXT[unit]:0{width}}"
    if digits := token["digits"]:
        return "." + f"{thousandths % 1000:03}"[: len(digits)]
    return token["quoted"] or token["escaped"] or token["sign"] or ""


def _unit_of(token: re.Match[str]) -> str:
    return (token["total"] or token["part"] or "")[:1].casefold()
