"""Whether a job's networks can take over the weights of another job's, array by array.

Decided by the plans of both (`jobs.families`), before anything is trained.
"""

from __future__ import annotations

from typing import NamedTuple

from jobs.families.layer import WEIGHTS, Layer
from jobs.families.table import family_of
from jobs.settings.words import quoted, with_article
from jobs.workspace.jobfile import JobFile

ADVICE = "make them alike, or set init_fitting to start from what fits"

# Normalizations that keep the same arrays share a name; those that keep none are not here.
_STATISTICS = {"batch": "batch", "layer": "groups", "instance": "groups", "spectral": "spectral"}


class _Weights(NamedTuple):
    """All that decides which arrays a layer has, with which names and shapes."""

    name: str
    kernel: tuple[int, int] | None
    inputs: int
    columns: int
    statistics: str | None
    bias: bool
    injects_noise: bool


def misfit(origin: JobFile, job: JobFile, part: str = "") -> str | None:
    """The first layer whose weights `job` cannot take over from `origin`; None where all fit.

    Of all networks, or of the one that is the `part`, which `origin` must have.
    """
    there = quoted(origin.spec.name)
    theirs_of, ours_of = (
        family_of(each.spec).layers(each.spec, each.image_width, each.image_height)
        for each in (origin, job)
    )
    if part and part not in theirs_of:
        return f"{there} is {with_article(origin.spec.family)}, which has no {part}"
    for network, ours in ours_of.items():
        if part not in ("", network):
            continue
        theirs = theirs_of.get(network)
        if theirs is None:  # a network that one of them does without begins anew, or is left alone
            continue
        if len(theirs) != len(ours):
            return f"the {network} has {len(theirs)} layers in {there}, {len(ours)} here; {ADVICE}"
        for a, b in zip(theirs, ours, strict=True):
            if _weights(a) != _weights(b):
                return (
                    f"layer {a.number} of the {network} is {_described(a)} in {there}, "
                    f"{_described(b)} here; {ADVICE}"
                )
    return None


def _weights(layer: Layer) -> _Weights:
    return _Weights(
        name=WEIGHTS[layer.kind],
        kernel=layer.kernel,
        inputs=_inputs(layer),
        columns=layer.columns,
        statistics=_STATISTICS.get(layer.normalization),
        bias=layer.bias,
        injects_noise=layer.injects_noise,
    )


def _inputs(layer: Layer) -> int:
    return layer.input.channels if layer.kernel else layer.input.values


def _described(layer: Layer) -> str:
    """`5x5 deconv of 64 to 32 channels with batch normalization`."""
    normalized = "out" if layer.normalization == "none" else f" {layer.normalization}"
    ending = f"with{normalized} normalization"
    if layer.kernel is None:
        return f"linear of {_inputs(layer)} to {layer.columns} values {ending}"
    kind = f"{layer.kind} by {layer.stride}" if layer.kind == "subpixel" else layer.kind
    width, height = layer.kernel
    return f"{width}x{height} {kind} of {_inputs(layer)} to {layer.filters} channels {ending}"
