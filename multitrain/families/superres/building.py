"""A network that enlarges, from its plan (`jobs.families.superres.layers`), with fresh weights."""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras import ops

from jobs.families.superres.layers import Enlarger
from multitrain.families.trees import enlarged, made
from multitrain.networks.padding import Cut


def build_generator(plan: Enlarger, seeds: Iterator[int]) -> keras.Model:
    """Low pictures `(n, height, width, channels)` in [-1, 1] to high ones, float32.

    They are as many times larger as the plan says. Nothing keeps their values between -1 and 1.
    """
    inputs = keras.Input((plan.low.height, plan.low.width, plan.given))
    cut = Cut.of(inputs, plan.size)
    drawn = ops.cast(made(plan.parts, cut.padded, plan.gain, seeds), "float32")
    if plan.skip != "none":
        is_smooth = plan.skip == "bilinear"
        drawn = drawn + enlarged(ops.cast(cut.padded, "float32"), plan.scale, is_smooth=is_smooth)
    return keras.Model(inputs, cut.back(drawn, plan.scale), name="generator")
