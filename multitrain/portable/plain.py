"""A trained network as one of plain Keras: only its own layers and operations, all in float32.

What goes in and comes out are pictures in [-1, 1], in red, green and blue, whatever the colours are
that the network computes with.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
import numpy as np

from jobs.settings.colours import CHANNELS, RGB, ColourModel
from multitrain.engine.precision import computing_in
from multitrain.engine.session import SessionSettings, State
from multitrain.families import MODULES
from multitrain.inference.network import Device, TrainedNetwork
from multitrain.networks.colours import LUMA_BLUE, LUMA_RED, WHITE, to_levels, to_network
from multitrain.networks.transposed import ExactConv2DTranspose
from multitrain.portable import layers, operations
from multitrain.portable.asked import LATENTS, MADE, PICTURES, Asked
from multitrain.portable.formats import FORMATS
from multitrain.portable.kit import Kit, LayersAlone, Operations, Turned, with_weights

AS_IT_IS = ("rgb", "rgba")  # colours that a network's values are already


def plain_network(asked: Asked, weights: State) -> keras.Model:
    """The network that is `asked` for, with its part of these `starting_weights`.

    Keras runs on TensorFlow, whatever engine has trained it. Raises OriginUnfit, OutOfMemory;
    UsageError where the format cannot hold it.
    """
    Device(asked.job, SessionSettings())
    kit = LayersAlone() if FORMATS[asked.form].layers_alone else Operations()
    with computing_in("float32", lambda: False):
        network = _trained(asked, weights)
        return rebuilt(network, kit, asked.job.spec.colour_model, free=asked.is_free)


def rebuilt(network: Any, kit: Kit, model: ColourModel, *, free: bool = False) -> keras.Model:
    """The same of plain Keras; `free`: for any size of pictures, where the network pads none."""
    _, *sides, channels = network.input.shape
    size = (None,) * len(sides) if free else tuple(sides)
    values = keras.Input((*size, channels), name=PICTURES if sides else LATENTS)
    inner = _cloned(network, values, kit)
    if not sides or model in AS_IT_IS:
        return keras.Model(values, _shown(inner.outputs[0], model), name=network.name)
    pictures = keras.Input((*size, CHANNELS[model].picture), name=PICTURES)
    made = inner(_seen(pictures, model))
    return keras.Model(pictures, _shown(made, model), name=f"{network.name}_of_pictures")


def _cloned(network: Any, values: Any, kit: Kit) -> Any:
    return keras.models.clone_model(
        network,
        input_tensors=values,
        clone_function=lambda each: each,
        call_function=_calling(kit),
    )


def _within(network: Any, values: Any, kit: Kit) -> Any:
    """What a network within another makes of values: one of plain Keras, within that of it."""
    given = keras.Input(values.shape[1:])
    made = _cloned(network, given, kit).outputs
    return keras.Model(given, made, name=network.name)(values)


def _calling(kit: Kit) -> Callable[..., Any]:
    def call(each: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(each, keras.Model):
            return _within(each, arguments[0], kit)
        if any(isinstance(value, Turned) for value in arguments) and not _turns(each):
            raise layers.unknown(each)
        if isinstance(each, keras.layers.Layer):
            return layers.plain(each, arguments[0], kit)
        return operations.plain(each, arguments, named, kit)

    return call


def _turns(each: Any) -> bool:
    """Whether it knows what to do with what is still to be turned."""
    return isinstance(each, ExactConv2DTranspose) or type(each).__name__ == "Flip"


def _trained(asked: Asked, weights: State) -> Any:
    family, job = import_module(MODULES[asked.job.spec.family]), asked.job
    if asked.application is None:
        network = family.describe_sampler(job).network
    else:
        size = asked.built_for
        network = family.describe_application(asked.fixed, size, asked.name, raw=True).network
    placed = TrainedNetwork(network, asked.name, job).place(weights)
    for variable, value in zip(network.variables, placed, strict=True):
        variable.assign(value)
    return network


def _seen(pictures: Any, model: ColourModel) -> Any:
    """What the network sees of pictures."""
    if model == "grey":
        luma = np.array([LUMA_RED, 1.0 - LUMA_RED - LUMA_BLUE, LUMA_BLUE], np.float32)
        grey = keras.layers.Conv2D(1, 1, use_bias=False, trainable=False, name="luma")
        return with_weights(grey, pictures, luma.reshape(1, 1, RGB, 1))
    return to_network(model, (pictures + 1.0) * (WHITE / 2.0))


def _shown(values: Any, model: ColourModel) -> Any:
    """Pictures of what the network makes."""
    if model == "grey":
        return keras.layers.Concatenate(name=MADE)([values] * RGB)
    if model not in AS_IT_IS:
        values = to_levels(model, values) * (2.0 / WHITE) - 1.0
    return keras.layers.Activation("linear", name=MADE)(values)
