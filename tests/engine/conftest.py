"""Tests of one engine are collected where Keras runs on it; `test_on_jax` starts those of JAX."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from jobs.settings.choices import Clipping, Optimizer
from jobs.settings.schedules import Schedule
from multitrain.engine.model import Learning

OF_TENSORFLOW = ["tensorflow/*", "test_precision.py", "test_on_jax.py"]
OF_JAX = ["jax/*"]

collect_ignore_glob = OF_TENSORFLOW if os.environ.get("KERAS_BACKEND") == "jax" else OF_JAX


@pytest.fixture
def learning() -> Callable[..., Learning]:
    """`learning("sgd(momentum=0.9)", schedule="cosine", clipping="norm", updates=2)`."""

    def make(
        optimizer: str,
        schedule: str = "constant",
        clipping: str = "none",
        updates: int = 1,
        warm_up: int = 0,
    ) -> Learning:
        return Learning(
            optimizer=Optimizer.parse(optimizer),
            rate=0.01,
            schedule=Schedule.parse(schedule),
            beta1=0.5,
            clipping=Clipping.parse(clipping),
            updates=updates,
            steps=100,
            warm_up=warm_up,
        )

    return make
