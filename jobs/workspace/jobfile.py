"""`runs/<job>/job.yaml`: what the trainer and the render worker need to know of a job."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from fractions import Fraction
from functools import cached_property, lru_cache
from textwrap import indent
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, model_validator

from jobs.errors import MultitrainError, NewerVersion
from jobs.families.feed import Decoding, Feed, decoding_of
from jobs.families.table import family_of
from jobs.plans.plan import FramePlan, Stretch
from jobs.plans.timing import frames_asked_for
from jobs.reading import parse_yaml, read_text
from jobs.settings.kinds import Resolution, Size
from jobs.settings.spec import JobSpec, defaults_of
from jobs.workspace.files import flush_to_disk, write_text
from jobs.workspace.paths import JobPaths

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C, ten times as fast

# Of the file. 1 had no number, and films whose length could not change. Up to 2, each step made
# frames, and `video_length` alone said how long films are.
VERSION = 3

_CUT_OFF = "\0"  # a power cut leaves a new file empty, or full of these


@lru_cache(1024)  # jobs of a sheet agree in most settings, and YAML is slow
def _setting(name: str, value: str) -> str:
    """A setting as lines of a job file; its value is given as JSON."""
    return indent(_as_yaml({name: json.loads(value)}), "  ")  # noqa: TID251 - not from a file


def _as_yaml(fields: dict[str, object]) -> str:
    return yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class JobFile(BaseModel):
    """A job as submitted: its spec and the size of its pictures, in pixels.

    `image_width` x `image_height` is what networks see and make; `loaded` is the size that pictures
    are decoded to, where random parts of that size are cut out of larger ones.

    `picture_count` is how many pictures its data set had when its sheet was checked, which says how
    many steps an epoch has; 0: that is not known, of a job of before `epochs`.

    `settled` are the timecuts that earlier settings have planned and that stay
    (`jobs.plans.settling`); `first_frames_total` is how long the film was to be when its training
    began, where that was another length: schedules keep to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: JobSpec
    image_width: PositiveInt
    image_height: PositiveInt
    loaded: Size | None = None
    picture_count: NonNegativeInt = 0
    settled: tuple[Stretch, ...] = ()
    first_frames_total: PositiveInt | None = None
    version: int = VERSION

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        """ValueError where the film has no length, or stretches of timecuts are in no order.

        A damaged file may hold anything.
        """
        if self.spec.length_column is None:
            raise ValueError("spec: nothing says how long the film is")
        stop = 0
        for stretch in self.settled:
            ends = [each for resplit in stretch.resplits for each in resplit]
            if stretch.stop <= stop or stretch.cut_frames < 1 or any(end < 0 for end in ends):
                raise ValueError("settled: no stretches of timecuts, one after another")
            stop = stretch.stop
        if stop and stop > self.frames_total:
            raise ValueError("settled: more timecuts than the film has frames")
        return self

    @property
    def loaded_size(self) -> Resolution:
        return self.loaded or Resolution(self.image_width, self.image_height)

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """The pictures that it trains on."""
        return family_of(self.spec).feeds(self.spec)

    @property
    def decodings(self) -> dict[str, Decoding]:
        """How the pictures of each feed are decoded that are there beforehand."""
        feeds, steps = {each.name: each for each in self.feeds}, self.spec.preprocessing.fixed
        size, channels = self.loaded_size, self.plan.channels
        return {
            name: decoding_of(each, feeds[each.pair_of or name], size, channels, steps)
            for name, each in feeds.items()
            if not each.is_live
        }

    @property
    def cell(self) -> Resolution:
        """The size of what a frame shows of one sample."""
        return family_of(self.spec).cell(self.spec, self.image_width, self.image_height)

    @cached_property
    def frames_total(self) -> int:
        """The frames of its film."""
        return frames_asked_for(self.spec, self.steps_per_epoch)

    @cached_property
    def steps_per_epoch(self) -> Fraction:
        """Steps in which as many pictures are drawn as there are; 0 where that is not known."""
        drawn = self.spec.images_per_batch * family_of(self.spec).batches(self.spec)
        return Fraction(self.picture_count, drawn)

    @cached_property
    def plan(self) -> FramePlan:
        return FramePlan.of(self.spec, *self.cell, self.frames_total, self.settled)

    @property
    def frames_planned_first(self) -> int:
        """How long the film was to be when its training began, in frames."""
        return self.first_frames_total or self.frames_total

    @property
    def schedule_steps(self) -> int:
        """Training steps that schedules are spread over."""
        return self.plan.step_of(self.frames_planned_first - 1)

    @property
    def text(self) -> str:
        """The text of its file."""
        spec, *others = self.model_dump(mode="json").items()
        settings = "".join(_setting(name, json.dumps(value)) for name, value in spec[1].items())
        return f"{spec[0]}:\n{settings}{_as_yaml(dict(others))}"

    @property
    def compact(self) -> dict[str, Any]:
        """What `model_validate` makes it of again, as plain values; without defaults."""
        spec = self.spec
        defaults = defaults_of(spec.family).items()
        usual = {column for column, value in defaults if getattr(spec, column) == value}
        others = self.model_dump(mode="json", exclude={"spec"}, exclude_defaults=True)
        return {"spec": spec.model_dump(mode="json", exclude=usual), **others}

    @cached_property
    def compact_text(self) -> str:
        """The same as JSON."""
        return json.dumps(self.compact, ensure_ascii=False)

    def work_out(self) -> None:
        """Work out now what it takes a while to ask for first: its plan and its `compact_text`."""
        _ = self.plan, self.compact_text

    def replaced(self, **fields: object) -> JobFile:
        """A copy with other values of these fields, and a plan of its own."""
        return JobFile(**{name: getattr(self, name) for name in JobFile.model_fields} | fields)

    def without(self, columns: Collection[str]) -> JobFile:
        """A copy with these columns left empty; they must be optional ones."""
        return self.replaced(spec=self.spec.model_copy(update=dict.fromkeys(columns)))

    def save(self, paths: JobPaths) -> None:
        """Write the file, unless it is there already: then a job can go on with a full disk.

        A new file is not flushed, which would take longer than the rest of a start: nothing depends
        on it before `load`, which flushes it.
        """
        if not self.is_saved(paths):
            is_new = not os.path.lexists(paths.job_file)
            write_text(paths.job_file, self.text, flush=not is_new)

    def is_saved(self, paths: JobPaths) -> bool:
        """Whether the file is there and holds this job."""
        try:
            return read_text(paths.job_file) == self.text
        except (OSError, ValueError):
            return False

    @classmethod
    def load(cls, paths: JobPaths) -> JobFile | None:
        """As `read`, but flushes the file first: for processes whose own files depend on it."""
        with suppress(OSError):  # where that fails, so will what follows, which reports it
            for path in (paths.job_file, paths.run, paths.workspace.runs):
                flush_to_disk(path)
        return cls.read(paths)

    @classmethod
    def read(cls, paths: JobPaths) -> JobFile | None:
        """The saved job; None where there is none.

        MultitrainError where it cannot be read, NewerVersion where a later version of this program
        has written it.
        """
        try:
            text = read_text(paths.job_file)
            if not text.strip(_CUT_OFF):
                return None
            content = parse_yaml(text)
            _refuse_newer(content, paths)
            known = content if isinstance(content, dict) else {}
            return cls.model_validate({**known, "version": VERSION})
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise MultitrainError(
                f"{paths.job_file} is damaged; run the sheet of {paths.name} again, which writes "
                "it anew"
            ) from error


def _refuse_newer(content: object, paths: JobPaths) -> None:
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise NewerVersion(paths.job_file)
