"""The tree of errors. Each knows the exit code of the command that meets it.

    MultitrainError          1   something failed; the message says what, where and what to do
    ├── UsageError           2   the call is wrong; nothing was started
    │   ├── SheetError       2   the sheet is wrong; carries every mistake
    │   ├── WorkspaceBusy    2   another farm holds this workspace
    │   └── NewerVersion     2   a file that a later version of this program has written
    ├── DatasetError         1   pictures that cannot be used
    ├── DamagedStore         1   the file of job states cannot be understood any more
    ├── ProgramFailed        1   a child program (ffmpeg) failed; keeps the end of what it said
    │   └── ProgramHangs     1   a child program did not end in time
    └── TrainingFailed       1   a job that cannot go on
        ├── OutOfMemory      1   too little memory; the message gives advice
        ├── Diverged         1   NaN or infinite losses, also after going back to a checkpoint
        ├── FramesLost       1   files of a job were removed by hand
        ├── PicturesChanged  1   the data set is not the one that the training began with
        ├── PicturesDamaged  1   the file of decoded pictures is damaged; they are decoded anew
        ├── CheckpointUnfit  1   a checkpoint of another family, engine or version of this program
        ├── OriginUnfit      1   networks that a job is to start from are missing or of other shapes
        └── DeviceFailed     1   a GPU that cannot be worked on

Rooms add their own where only they raise and catch them (`multitrain.slots.gpus.DriverError`).

Messages are one or two sentences for a person. A traceback shown to a user is a bug.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.secrets import hidden


def how_to_install(extra: str) -> str:
    """The command that installs an extra, typed where `run.sh` lies."""
    return f".venv/bin/pip install -c constraints.txt -e '.[{extra}]'"


class ExitCode(enum.IntEnum):
    """What every command of the project ends with."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DISK_FULL = 74  # EX_IOERR of sysexits.h: a trainer found no room; the farm starts it again
    DRAINED = 75  # EX_TEMPFAIL: run again to go on


class MultitrainError(Exception):
    """Root of the tree."""

    exit_code = ExitCode.FAILED


class NothingComes(MultitrainError):
    """A stream that is live has stopped; what came of it does not come again."""


class UsageError(MultitrainError):
    """The call is wrong; nothing was started."""

    exit_code = ExitCode.USAGE


NO_LINE = 0  # the line of a mistake about a file that cannot be opened


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing wrong in a sheet: `line` counts from 1 in the file, as an editor shows it."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:" if self.line != NO_LINE else f"{self.file}:"
        text = f"{self.column}: {self.reason}" if self.column else self.reason
        return f"{place} {hidden(text)}"


class SheetError(UsageError):
    """Every mistake of a sheet at once, in the order of their lines."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line))
        super().__init__("\n".join(map(str, self.mistakes)))


class WorkspaceBusy(UsageError):
    """Another farm holds this workspace."""


class NewerVersion(UsageError):
    """A file that a later version of this program has written: it is left as it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was written by a newer version of multitrain than this one; "
            "update multitrain, and go on with that"
        )


class DatasetError(MultitrainError):
    """Pictures that cannot be used."""


class DamagedStore(MultitrainError):
    """The file of job states cannot be understood any more: `reason`, in one clause, says why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{path} is damaged ({reason}); `multitrain run SHEET` sets it aside and makes it anew "
            "from the jobs' folders"
        )


class ProgramFailed(MultitrainError):
    """A child program that ended badly: its command, exit code and the end of what it said."""

    def __init__(self, command: Sequence[str], returncode: int | None, said: str) -> None:
        self.command = tuple(command)
        self.returncode = returncode
        self.said = said.strip()
        ending = "did not start" if returncode is None else f"ended with code {returncode}"
        last = self.said.splitlines()[-1] if self.said else "it said nothing"
        super().__init__(f"{Path(command[0]).name} {ending}: {last}")

    def full_report(self) -> str:
        """Several lines for a log: the command as one could paste it, and all that is known."""
        return f"{self}\ncommand: {shlex.join(self.command)}\n{self.said}"


class ProgramHangs(ProgramFailed):
    """A child program that did not end in time and was killed."""


class TrainingFailed(MultitrainError):
    """A job that cannot go on."""


class OutOfMemory(TrainingFailed):
    """The device or the machine has too little memory for this job."""


class Diverged(TrainingFailed):
    """Losses became NaN or infinite and stayed so after going back to a checkpoint."""


class FramesLost(TrainingFailed):
    """Frames that were made are missing, and no checkpoint would make them again."""


class PicturesChanged(TrainingFailed):
    """The pictures differ from those that the checkpoint was trained on."""


class PicturesDamaged(TrainingFailed):
    """The file of decoded pictures that a training began with has changed."""


class CheckpointUnfit(TrainingFailed):
    """The job's own checkpoint is of another family, engine or version of this program."""


class OriginUnfit(TrainingFailed):
    """The weights that the job's networks are to start from are missing or do not fit them."""


class DeviceFailed(TrainingFailed):
    """The GPU does not work: it is lost, broken, or the framework does not see it."""
