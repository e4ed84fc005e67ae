"""What is found when a farm that met a damaged file has ended: facts for `benchmarks.verdicts`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from random import Random

import av
import numpy as np
from PIL import Image

from benchmarks.farmyard import CODE, Farmyard
from benchmarks.films import decoded, digest, digest_of_file
from benchmarks.harms import Case, Moment, owner
from benchmarks.inspection import store_is_sound
from benchmarks.verdicts import TRACEBACK, Condition, Found, Standing
from jobs.workspace.files import PART

STATUS_SECONDS = 60.0
OURS = ("jobs.", "render.", "multitrain.")  # modules of errors
CHAINED = ("The above exception was the direct cause", "During handling of the above exception")
PICTURES = (".png", ".jpg")

Shown = tuple[tuple[Fraction, str], ...]


@dataclass(frozen=True)
class Example:
    """What a night that nobody disturbed has made, below `root`."""

    root: Path

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """Digests of the files in `renders`, manifests left out, by their path in the workspace."""
        return {each: digest_of_file(self.root / each) for each in _outputs(self.root)}

    def condition(self, root: Path, output: str) -> Condition:
        """How an output of another workspace is; other bytes may show the same."""
        path = root / output
        if not path.exists():
            return Condition.MISSING
        if digest_of_file(path) == self.outputs[output] or shown(path) == self._shown(output):
            return Condition.EQUAL
        return Condition.DIFFERS

    def _shown(self, output: str) -> Shown:
        return shown(self.root / output)


def shown(path: Path) -> Shown:
    """What a video or picture shows, and when; of a broken one, as far as it can be read."""
    film = []
    try:
        if path.suffix in PICTURES:
            with Image.open(path) as picture:
                return ((Fraction(), digest(np.asarray(picture.convert("RGBA")))),)
        for time, frame in decoded(path):
            film.append((time, digest(frame)))
    except (av.FFmpegError, OSError, ValueError, SyntaxError):  # what Pillow and PyAV raise
        film.append((Fraction(-1), "broken"))
    return tuple(film)


def _outputs(root: Path) -> Iterator[str]:
    for path in sorted((root / "renders").rglob("*")):
        if path.is_file() and path.suffix not in (".json", PART):
            yield str(path.relative_to(root))


@dataclass(frozen=True)
class Before:
    """What was so when the harm came."""

    published: frozenset[str]  # outputs that were there, whole
    was_done: bool  # the job that the file belongs to

    @classmethod
    def of(cls, yard: Farmyard, example: Example, case: Case) -> Before:
        """To be asked just before the harm."""
        root, mine = yard.workspace.root, owner(case.file)
        whole: frozenset[str] = frozenset()
        if case.moment is not Moment.AT_WORK:  # else whatever is published is still to come
            whole = frozenset(
                each
                for each in example.outputs
                if each != case.file and example.condition(root, each) is Condition.EQUAL
            )
        return cls(whole, mine is not None and yard.workspace.job(mine).manifest.exists())


@dataclass(frozen=True)
class Harmed:
    """A file as the harm has left it; no digest where it was removed."""

    digest: str | None

    @classmethod
    def by(cls, case: Case, root: Path, random: Random) -> Harmed | None:
        """The file after the harm was inflicted on it; None where that was impossible."""
        if not case.harm.inflict(root / case.file, random):
            return None
        return cls(_digest(root / case.file))

    def standing(self, path: Path) -> Standing:
        """How the file is now."""
        now = _digest(path)
        if now == self.digest:
            return Standing.AS_HARMED
        return Standing.GONE if now is None else Standing.ANOTHER


def _digest(path: Path) -> str | None:
    return digest_of_file(path) if path.exists() else None


def look(
    yard: Farmyard, example: Example, case: Case, before: Before, harmed: Harmed, code: int | None
) -> Found:
    """All that is to be known of a farm that has ended with `code`; None: it was given up."""
    orphans = 0 if code is None else len(yard.left_behind())
    yard.kill_all()
    root, mine = yard.workspace.root, owner(case.file)
    outputs = {each: example.condition(root, each) for each in example.outputs}
    for job in yard.jobs():
        manifest = yard.workspace.job(job.spec.name).manifest
        outputs[str(manifest.relative_to(root))] = _condition(manifest, case)
    told = _digests(yard.workspace.job(mine).manifest) if mine else {}
    now = _sha256(root / case.file)
    vouched = now is not None and told.get(Path(case.file).name) == now
    late = case.moment is Moment.AT_WORK and told.get(Path(case.file).name, now) != now
    status = _status(yard)
    return Found(
        exit_code=code,
        said=yard.said.read_text(errors="replace"),
        status_code=status.returncode,
        status_said=status.stdout + status.stderr,
        states=_states(yard, status.stdout),
        outputs=outputs,
        published=before.published,
        standing=harmed.standing(root / case.file),
        was_done=before.was_done or late,
        vouched=vouched and outputs.get(case.file) is Condition.DIFFERS,
        tracebacks=sum(len(unexpected(text)) for text in _logs(yard)),
        orphans=orphans,
        half_made=tuple(str(each.relative_to(root)) for each in root.rglob(f"*{PART}")),
        store_is_sound=store_is_sound(yard.workspace.store),
    )


def _condition(manifest: Path, case: Case) -> Condition:
    """Whether it can be read, and vouches for the files that are there.

    Not for one that was harmed: what it tells of that is `Found.vouched`.
    """
    if not manifest.exists():
        return Condition.MISSING
    told = _digests(manifest)
    here = {name: _sha256(manifest.parent / name) for name in told}
    here = {name: digest for name, digest in here.items() if digest}
    strange = {name for name, digest in here.items() if told[name] != digest}
    return Condition.EQUAL if told and strange <= {Path(case.file).name} else Condition.DIFFERS


def _digests(manifest: Path) -> dict[str, str]:
    """SHA-256 of each file that it tells of, by name; nothing where it cannot be read."""
    try:
        told = json.loads(manifest.read_bytes())
        every = [*told["films"], *told["timecuts"], *told["made_of_the_film"]]
        return {each["file"]: each["sha256"] for each in every if "sha256" in each}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return {}


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _status(yard: Farmyard) -> subprocess.CompletedProcess[str]:
    """What `multitrain status` says; one that hangs is one that has failed."""
    command = [sys.executable, "-m", "multitrain", "status", "--json"]
    try:
        return subprocess.run(
            command,
            cwd=yard.workspace.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": str(CODE)},
            timeout=STATUS_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, "", "it hangs")


def _states(yard: Farmyard, told: str) -> dict[str, tuple[str, str]]:
    """State and reason of each job of the sheet; empty texts where none are told."""
    try:
        rows = {row["name"]: (row["state"], row["error"]) for row in json.loads(told)}
    except (ValueError, TypeError, LookupError):
        rows = {}
    return {job.spec.name: rows.get(job.spec.name, ("", "")) for job in yard.jobs()}


def unexpected(log: str) -> list[str]:
    """Errors that a log tells with a traceback and that are none of our own, by their first line.

    Trainers log how they came to an error that is told in a sentence, too: that is no fault.
    """
    errors = []
    for text in log.split(f"{TRACEBACK}:")[1:]:
        lines = [line for line in text.splitlines() if line and not line.startswith(" ")]
        is_cause = any(line.startswith(CHAINED) for line in lines)
        if lines and not is_cause and not lines[0].startswith(OURS):
            errors.append(lines[0])
    return errors


def _logs(yard: Farmyard) -> Iterator[str]:
    runs = yard.workspace.runs
    for path in (*runs.glob("*/log.txt"), *runs.glob("*.log")):
        yield path.read_text(errors="replace")
