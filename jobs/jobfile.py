"""`runs/<job>/job.yaml`: what the trainer and the render worker need to know of a job."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from jobs.errors import MultitrainError
from jobs.paths import JobPaths, write_text
from jobs.plan import FramePlan
from jobs.spec import JobSpec

# The same in C, ten times as fast, where the machine's PyYAML has it.
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class JobFile(BaseModel):
    """A job as submitted: its spec and the size of its pictures, in pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: JobSpec
    image_width: PositiveInt
    image_height: PositiveInt

    @cached_property
    def plan(self) -> FramePlan:
        return FramePlan.of(self.spec, self.image_width, self.image_height)

    def save(self, paths: JobPaths) -> None:
        """Write it, unless it stands there already: on a full disk, a job can go on without."""
        told = self.model_dump(mode="json")
        text = yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
        with suppress(OSError, UnicodeDecodeError):
            if paths.job_file.read_text(encoding="utf-8") == text:
                return
        write_text(paths.job_file, text)

    @classmethod
    def load(cls, paths: JobPaths) -> JobFile | None:
        """The saved job; None where there is none. MultitrainError where it cannot be read."""
        try:
            text = paths.job_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return cls.model_validate(yaml.load(text, Loader=_Loader))
        except (yaml.YAMLError, ValidationError) as error:
            raise MultitrainError(
                f"{paths.job_file} is damaged or of another version; run {paths.name} with --fresh"
            ) from error
