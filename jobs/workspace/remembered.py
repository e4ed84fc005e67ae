"""Remembers answers about jobs: many jobs of a sheet agree in all that an answer depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from operator import attrgetter
from typing import TypeVar

from jobs.workspace.jobfile import JobFile

MOST = 256  # answers of a function

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Question:
    """A job as far as the answer depends on it."""

    settings: tuple[object, ...]
    job: JobFile = field(compare=False)


def remembered(
    columns: Iterable[str],
) -> Callable[[Callable[[JobFile], Answer]], Callable[[JobFile], Answer]]:
    """Decorates a function of a job that depends on these settings (at least two) and its size."""
    settings_of = attrgetter(*columns)

    def decorated(function: Callable[[JobFile], Answer]) -> Callable[[JobFile], Answer]:
        @lru_cache(MOST)
        def answer(question: _Question) -> Answer:
            return function(question.job)

        @wraps(function)
        def asked(job: JobFile) -> Answer:
            size = (job.image_width, job.image_height)
            return answer(_Question((*size, *settings_of(job.spec)), job))

        return asked

    return decorated
