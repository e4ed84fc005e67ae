"""What is claimed of speed, measured: `python -m benchmarks [NAME...]`.

Prints one table; ends with code 1 where a figure misses its limit or cannot be had.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import cast

from benchmarks import ending, reports
from benchmarks.figures import Benchmark, Effort, Figure, table
from jobs.errors import MultitrainError


@dataclass(frozen=True)
class About:
    """What a benchmark tells, and how long it takes: on two cores that do nothing else."""

    once: float  # minutes, whatever the number of rounds
    each: float  # minutes of each round
    what: str
    only_named: bool = False  # it is not among those that run where none is named

    def minutes(self, repetitions: int) -> float:
        return self.once + self.each * repetitions

    def told(self, repetitions: int) -> str:
        return told(self.minutes(repetitions))


BENCHMARKS = {
    "training": About(
        1.5, 1.0, "frames per second beside PyTorch, and beside the rate of matrix products"
    ),
    "snapshots": About(0.5, 0.2, "what frames cost beyond the generator passes that they need"),
    "reading_ahead": About(0.5, 0.2, "pictures read while it computes beside pictures in place"),
    "overhead": About(0.5, 1.6, "a whole farm with its encoders beside the bare training loop"),
    "frame_path": About(0.8, 1.5, "raw batches to a film beside ffmpeg alone and beside PNG files"),
    "walk": About(0.5, 0.5, "a walk through latents beside drawing alone and encoding alone"),
    "apply": About(0.4, 0.7, "a video made of another one beside the network alone"),
    "enlarging": About(
        0.6,
        0.5,
        "frames made larger by our networks beside PyTorch's; where named",
        only_named=True,
    ),
    "merging": About(0.4, 0.1, "joining timecuts beside copying them"),
    "extraction": About(0.8, 2.5, "pictures out of a video beside a call of ffmpeg for each"),
    "gaps": About(0.2, 0.4, "from one job's last step on a slot to the next one's first"),
    "scheduling": About(0.1, 0.1, "a thousand jobs through the scheduler"),
    "large_sheets": About(0.6, 0.1, "sheets and workspaces of thousands of jobs"),
    "many_jobs": About(2.0, 0.0, "the first jobs of a sheet of 2,000 beside its last ones"),
    "serving_load": About(0.2, 0.6, "20 open pages on a night of 200 jobs beside none"),
    "picture_cache": About(0.4, 0.2, "the second start on a data set, and what it takes of memory"),
    "memory_growth": About(0.9, 0.0, "a trainer's memory after thousands of steps"),
}
USUAL = [name for name, about in BENCHMARKS.items() if not about.only_named]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is named; the exit code."""
    given = _parse(arguments)
    if given.list:
        for name, about in BENCHMARKS.items():
            print(f"{name:<14} {about.told(given.repetitions):<13} {about.what}")
        print(f"{'all of them':<14} {told(minutes(USUAL, given.repetitions))}")
        return 0
    effort = Effort(1 if given.quick else given.repetitions, given.quick, given.family)
    names = given.names or USUAL
    if not given.quick:
        print(f"{told(minutes(names, effort.repetitions))} in all", file=sys.stderr, flush=True)
    start = time.monotonic()
    figures: dict[str, list[Figure]] = {}
    for name in names:
        measured = measure(name, effort)
        if measured is not None:
            figures[name] = [without_limit(each) for each in measured] if given.quick else measured
        seconds = round(time.monotonic() - start)
        if given.json:  # what was measured is kept, whatever becomes of the rest
            save(given.json, effort, seconds, figures)
    every = [figure for measured in figures.values() for figure in measured]
    if every:
        print(table(every))
    print(f"\n{_effort(effort)}, {seconds} s; {reports.machine()}")
    complete = len(figures) == len(set(names))
    return 0 if complete and all(each.held for each in every) else 1


def minutes(names: Iterable[str], repetitions: int) -> float:
    """What these take together, about."""
    return sum(BENCHMARKS[name].minutes(repetitions) for name in names)


def told(minutes: float) -> str:
    """For people."""
    return f"about {max(1, round(minutes))} min"


def measure(name: str, effort: Effort) -> list[Figure] | None:
    """The figures of one benchmark; None, and why on stderr, where it cannot be had."""
    expected = "" if effort.quick else f" ({BENCHMARKS[name].told(effort.repetitions)})"
    print(f"{name} …{expected}", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        found = cast(Benchmark, import_module(f"benchmarks.{name}")).measure(effort)
        print(
            f"{name}: took {(time.monotonic() - start) / 60:.1f} min", file=sys.stderr, flush=True
        )
        return found
    except Exception as error:  # of one benchmark, which must not cost the others
        if ending.is_stopped():  # it comes of the processes that were ended
            raise
        print(f"{name}: {_reason(error)}", file=sys.stderr, flush=True)
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, MultitrainError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return ending.missing(error.name)
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


def save(file: Path, effort: Effort, seconds: int, figures: Mapping[str, list[Figure]]) -> None:
    """Write what is there so far as JSON."""
    all_of = {name: [each.for_machines() for each in of] for name, of in figures.items()}
    facts = {"machine": reports.machine(), "repetitions": effort.repetitions}
    reports.save(file, {**facts, "quick": effort.quick, "seconds": seconds, "figures": all_of})


def without_limit(figure: Figure) -> Figure:
    """What a quick run measures says nothing."""
    return replace(figure, limit=None)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them where none is named")
    parser.add_argument("--repetitions", type=_count, default=Effort.repetitions, metavar="N",
                        help="rounds; medians are told")  # fmt: skip
    parser.add_argument("--quick", action="store_true",
                        help="tiny sizes and no limits: only whether it runs")  # fmt: skip
    families = ("dcgan", "fastgan", "pix2pix", "cyclegan", "superres", "autoencoder")
    parser.add_argument("--family", choices=families, default=Effort.family,
                        help="what training trains")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="the results for machines")
    parser.add_argument(
        "--list", action="store_true", help="what there is, and how long it takes about"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return given


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


def _effort(effort: Effort) -> str:
    return "quick: no figure counts" if effort.quick else f"{effort.repetitions} rounds"


if __name__ == "__main__":
    sys.exit(main())
