"""The command line of benchmarks that break things, round by round, and count what was wrong."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import ending, reports


def conduct(
    name: str,
    described: str | None,
    begin: Callable[..., Any],
    report: Callable[[Any], str],
    arguments: Sequence[str] | None,
    rounds: tuple[int | None, str],
    switches: Mapping[str, str] | None = None,
) -> int:
    """`python -m benchmarks.NAME`; its exit code, 1 where anything was wrong.

    `begin` makes a campaign, of a folder, a seed and whether each of the `switches` was given, by
    name. `rounds` are how many it runs by default, and what is said of them. The folder stays
    where anything was found wrong.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=described)
    parser.add_argument("--rounds", type=int, default=rounds[0], metavar="N", help=rounds[1])
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results for machines")
    for switch, told in (switches or {}).items():
        parser.add_argument(f"--{switch}", action="store_true", help=told)
    given = parser.parse_args(arguments)
    start = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    chosen = {each: getattr(given, each) for each in switches or {}}
    is_wrong = False
    try:
        campaign = begin(folder, given.seed, **chosen)
        with suppress(KeyboardInterrupt):  # what was found until then is told
            campaign.run(given.rounds)
        results = campaign.results
        is_wrong = not results.clean
    finally:
        if not is_wrong:
            shutil.rmtree(folder)
    code = reports.conclude(report(results), results, results.told, given.seed, start, given.json)
    if ending.is_stopped():
        raise KeyboardInterrupt
    return code
