"""What a farm made of a damaged file, judged: pure, from what was found when it had ended."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from benchmarks.harms import Case, Moment, kind, owner
from jobs.errors import ExitCode
from jobs.workspace.states import State

TRACEBACK = "Traceback (most recent call last)"

# Where frames stand, or what they are made of: only these may cost a job its film, with a reason.
OF_FRAMES = {
    "checkpoint", "raw batch", "unfinished batch", "segment", "marker of PNG frames", "PNG frame",
    "timecut", "film", "picture of a data set",
}  # fmt: skip

FILMS = {"film", "timecut", "PNG frame"}

# Their user may have moved them away, which is no reason to make them again.
MOVABLE = {"timecut", "loop", "export", "poster"}

# What says that a job is done: a run that finds it damaged and says nothing calls it whole.
LOOKED_AT = {"film", "manifest"}


class Outcome(enum.StrEnum):
    """What became of it, for one case."""

    MADE_AGAIN = "made again"  # also: done without, and cleared away as ever
    TOLD = "told or refused"
    FAILED = "job failed with a reason"
    UNAFFECTED = "unaffected"  # the file is as the harm left it, and nobody needs it
    NOT_LOOKED_AT = "not looked at"  # an output of a job that was done before
    WRONG = "WRONG"


class Fault(enum.StrEnum):
    """What must not be, by the words of a report."""

    HANGS = "hangs"
    STRANGE_END = "ends by a signal or a code of its own"
    WRONG_FILM = "films, timecuts or frames wrong and called done"
    WRONG_EXTRA = "manifests, loops, exports or posters wrong and called done"
    LOST = "published files lost or changed"
    OTHERS_HARMED = "other jobs harmed"
    ALL_REFUSED = "whole sheets refused for a file of one job"
    GIVEN_UP = "jobs failed for a file without frames"
    NO_REASON = "jobs failed without a reason"
    TRACEBACK = "tracebacks shown"
    LOGGED = "tracebacks of unexpected errors in logs"
    ORPHANS = "orphans"
    HALF_MADE = "half-made files left"
    STORE = "stores damaged in the end"
    STATUS = "statuses that tell otherwise"


class Condition(enum.StrEnum):
    """How an output is, beside that of a night that nobody disturbed."""

    EQUAL = "equal"
    MISSING = "missing"
    DIFFERS = "differs"


class Standing(enum.StrEnum):
    """How the damaged file is, after all."""

    AS_HARMED = "as harmed"
    GONE = "gone"  # by the farm, which needs it no more
    ANOTHER = "another"


@dataclass(frozen=True)
class Found:
    """What one farm has left.

    `exit_code` is None where it had to be killed. `outputs` tells of every output that the sheet
    asks for (also those of other jobs), relative to the workspace; `published` names those that
    were there, whole and unharmed, before the farm was started. `states` are those that
    `multitrain status` tells, by job, with their reasons. `vouched`: the job's manifest tells the
    digest of the file as the harm left it. `was_done`: the job was done when the harm came.
    """

    exit_code: int | None
    said: str
    status_code: int
    status_said: str
    states: Mapping[str, tuple[str, str]]
    outputs: Mapping[str, Condition]
    published: frozenset[str]
    standing: Standing
    was_done: bool = False
    vouched: bool = False
    tracebacks: int = 0  # in logs, of errors that nobody expected
    orphans: int = 0
    half_made: tuple[str, ...] = ()
    store_is_sound: bool = True

    @property
    def is_refusal(self) -> bool:
        """Whether nothing was started: the farm has failed, and none of its jobs."""
        some_failed = any(state == State.FAILED for state, _ in self.states.values())
        return self.exit_code == ExitCode.USAGE or (
            self.exit_code == ExitCode.FAILED and not some_failed
        )


@dataclass(frozen=True)
class Verdict:
    """`faults` are empty unless the outcome is WRONG."""

    outcome: Outcome
    faults: tuple[Fault, ...] = ()


def judge(case: Case, found: Found) -> Verdict:
    """The verdict on one case; WRONG, and why, where anything is as it must not be."""
    faults = tuple(dict.fromkeys(_faults(case, found)))
    if faults:
        return Verdict(Outcome.WRONG, faults)
    if found.is_refusal:
        return Verdict(Outcome.TOLD)
    if found.exit_code == ExitCode.FAILED:
        return Verdict(Outcome.FAILED)
    condition = found.outputs.get(case.file, Condition.EQUAL)
    if found.standing is not Standing.AS_HARMED and condition is Condition.EQUAL:
        return Verdict(Outcome.MADE_AGAIN)
    if is_told(case, found):
        return Verdict(Outcome.TOLD)
    return Verdict(Outcome.UNAFFECTED if condition is Condition.EQUAL else Outcome.NOT_LOOKED_AT)


def is_told(case: Case, found: Found) -> bool:
    """Whether the farm or the status names the file, other than as one that was published."""
    name = PurePosixPath(case.file).name
    lines = [*found.said.splitlines(), *found.status_said.splitlines()]
    return any(name in line and ": published " not in line for line in lines)


def _faults(case: Case, found: Found) -> Iterator[Fault]:
    if found.orphans:
        yield Fault.ORPHANS
    if TRACEBACK in found.said + found.status_said:
        yield Fault.TRACEBACK
    if found.tracebacks:
        yield Fault.LOGGED
    if found.exit_code is None:
        yield Fault.HANGS
    elif found.is_refusal:
        if owner(case.file):
            yield Fault.ALL_REFUSED
        if not found.said.strip():
            yield Fault.NO_REASON
    elif found.exit_code in (ExitCode.DONE, ExitCode.FAILED):
        yield from _faults_of_states(case, found)
        if any(not _is_gone_on_with(each, found) for each in found.half_made):
            yield Fault.HALF_MADE
        if not found.store_is_sound:
            yield Fault.STORE
    else:
        yield Fault.STRANGE_END
    if any(found.outputs[each] is not Condition.EQUAL for each in found.published):
        yield Fault.LOST


def _is_gone_on_with(half_made: str, found: Found) -> bool:
    """Whether the file is for the next try of a job that has failed: it may hold frames."""
    in_runs = half_made.startswith("runs/")
    return in_runs and found.states.get(owner(half_made) or "", ("", ""))[0] == State.FAILED


def _faults_of_states(case: Case, found: Found) -> Iterator[Fault]:
    """Of a farm that has ended by itself, with all jobs done or some of them failed."""
    failed = {job for job, (state, _) in found.states.items() if state == State.FAILED}
    done = {job for job, (state, _) in found.states.items() if state == State.DONE}
    if found.status_code != 0 or done | failed != found.states.keys() or not found.states:
        yield Fault.STATUS
    if failed and found.exit_code == ExitCode.DONE:
        yield Fault.STATUS
    mine = owner(case.file)
    if mine and failed - {mine}:
        yield Fault.OTHERS_HARMED
    if failed and kind(case.file) not in OF_FRAMES:
        yield Fault.GIVEN_UP
    if any(not found.states[job][1] for job in failed):
        yield Fault.NO_REASON
    yield from _faults_of_outputs(case, found, done)


def _faults_of_outputs(case: Case, found: Found, done: Collection[str]) -> Iterator[Fault]:
    """Outputs of jobs that are called done."""
    for output, condition in found.outputs.items():
        if owner(output) not in done or condition is Condition.EQUAL:
            continue
        if output != case.file or not may_stay(case, found, condition):
            yield Fault.WRONG_FILM if kind(output) in FILMS else Fault.WRONG_EXTRA


def may_stay(case: Case, found: Found, condition: Condition) -> bool:
    """Whether a job may be called done while the output that was harmed is still like that."""
    if is_told(case, found):
        return True
    if found.vouched:
        return False
    if condition is Condition.MISSING and kind(case.file) in MOVABLE:
        return True
    seen_too_late = case.moment is Moment.AT_WORK  # it was whole when it was looked at
    return found.was_done and (seen_too_late or kind(case.file) not in LOOKED_AT)
