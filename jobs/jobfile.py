"""`runs/<job>/job.yaml`: what the trainer and the render worker need to know of a job."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import cached_property

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt

from jobs.errors import MultitrainError
from jobs.kinds import Resolution, Size
from jobs.paths import JobPaths, flush_to_disk, write_text
from jobs.plan import FramePlan
from jobs.preprocess import Step
from jobs.spec import JobSpec

# The same in C, ten times as fast, where the machine's PyYAML has it.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CUT_OFF = "\0"  # an empty file, or one of these alone, is what a power cut leaves of a new one


class JobFile(BaseModel):
    """A job as submitted: its spec and the size of its pictures, in pixels.

    `image_width` x `image_height` is what networks see and make; `loaded` is the size that pictures
    are decoded to, where random parts of that size are cut out of larger ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: JobSpec
    image_width: PositiveInt
    image_height: PositiveInt
    loaded: Size | None = None

    @property
    def loaded_size(self) -> Resolution:
        return self.loaded or Resolution(self.image_width, self.image_height)

    @property
    def pictures(self) -> tuple[tuple[str, ...], int, int, int, tuple[Step, ...]]:
        """Which pictures it trains on: folders, width, height, channels, steps of preprocessing."""
        steps = self.spec.preprocessing.fixed
        return self.spec.folders, *self.loaded_size, self.plan.channels, steps

    @cached_property
    def plan(self) -> FramePlan:
        return FramePlan.of(self.spec, self.image_width, self.image_height)

    @property
    def text(self) -> str:
        """As it stands in its file."""
        told = self.model_dump(mode="json")
        return yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True)

    def without(self, columns: Collection[str]) -> JobFile:
        """The same with these columns left empty; they must be such that may be."""
        spec = self.spec.model_copy(update=dict.fromkeys(columns))
        return self.model_copy(update={"spec": spec})

    def save(self, paths: JobPaths) -> None:
        """Write it, unless it stands there already: on a full disk, a job can go on without.

        A new one is not flushed, which costs more than all else that a start takes: nothing rests
        on it before it is loaded.
        """
        text = self.text
        is_new = False
        try:
            if paths.job_file.read_text(encoding="utf-8") == text:
                return
        except FileNotFoundError:
            is_new = True
        except (OSError, UnicodeDecodeError):
            pass  # it is written anew
        write_text(paths.job_file, text, flush=not is_new)

    @classmethod
    def load(cls, paths: JobPaths) -> JobFile | None:
        """As `read`, for those who work by it: on the disk before anything that rests on it is."""
        with suppress(OSError):  # a disk without room for it has none for what comes, which tells
            for path in (paths.job_file, paths.run, paths.workspace.runs):
                flush_to_disk(path)
        return cls.read(paths)

    @classmethod
    def read(cls, paths: JobPaths) -> JobFile | None:
        """The saved job; None where there is none. MultitrainError where it cannot be read."""
        try:
            text = paths.job_file.read_text(encoding="utf-8")
            if not text.strip(_CUT_OFF):
                return None
            return cls.model_validate(yaml.load(text, Loader=_Loader))
        except FileNotFoundError:
            return None
        except (yaml.YAMLError, ValueError) as error:
            raise MultitrainError(
                f"{paths.job_file} is damaged or of another version; run {paths.name} with --fresh"
            ) from error
