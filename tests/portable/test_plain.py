"""Networks of plain Keras make what those of the training make, whatever these are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import keras
import numpy as np
import pytest

from jobs.errors import MultitrainError, UsageError
from jobs.settings.choices import Activation
from jobs.settings.kinds import Normalization, Resolution
from multitrain.applying.asked import Asked as Applied
from multitrain.applying.translator import Translator
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from multitrain.networks.activations import activation
from multitrain.networks.normalization import normalization
from multitrain.portable.asked import Asked
from multitrain.portable.kit import LayersAlone, Operations
from multitrain.portable.plain import plain_network, rebuilt
from multitrain.walking.sampler import Sampler
from tests.applying.weights import noise
from tests.portable.conftest import CYCLES, Ask

TWO = {"nbr_of_layers_g": 3, "nbr_of_layers_d": 2}
SPECTRAL = {"normalization_g": "spectral"}
PIX = {"family": "pix2pix", "gf_dim": 3, "df_dim": 2, "downs": 3}
ENLARGED = {"family": "superres", "features": 4}
CARTOON = {**CYCLES, "family": "cartoon", "gf_dim": 3, "df_dim": 2}

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "fastgan": {"family": "fastgan", "gf_dim": 4, "df_dim": 4},
    "transposed": {**TWO, **SPECTRAL, "k_w_g": 1, "k_h_g": 4},
    "dilated": {**TWO, "convolution_g": "upconv", "dilation_g": "2,1", "activation_g": "mish"},
    "bilinear": {**TWO, **SPECTRAL, "convolution_g": "upconv-bilinear", "activation_g": "crelu"},
    "subpixel": {**TWO, "convolution_g": "subpixel", "normalization_g": "layer"},
    "random": {**TWO, "dropout_g": 0.5, "noise_g": 0.3, "normalization_g": "instance"},
    "jax": {"engine": "jax", "activation_g": "swish", "colour_model": "grey"},
    "pix2pix": {**PIX, "dropout_g": 0.5},
    "cyclegan": {**CYCLES, "gf_dim": 2, "df_dim": 2},
    "unfiltered": {**CARTOON, "output_filter": "none"},
    "turned": {**CYCLES, "gf_dim": 2, "df_dim": 2, "convolution_g": "deconv"},
    "grey": {**PIX, "colour_model": "grey", "convolution_g": "subpixel"},
    "srresnet": {**ENLARGED, "net": "srresnet", "blocks": 2},
    "rrdb": {**ENLARGED, "net": "rrdb", "blocks": 1, "scale": 4},
    "pan": {**ENLARGED, "net": "pan", "blocks": 2},
    "compact": {**ENLARGED, "net": "compact", "blocks": 2, "scale": 3},
    "denoise": {**ENLARGED, "net": "denoise"},
    "genome": {"family": "superres", "net": "genome", "genome": "max4k1,3 product4k3,5e out5"},
    "ppon": {"family": "ppon", "features": 2, "blocks": 1, "scale": 2, "p3_losses": "l1"},
    "expansionsr": {**ENLARGED, "net": "expansionsr", "scale": 1, "degrade": "blur"},
}
OPERATIONS_ONLY: dict[str, dict[str, object]] = {
    "hsv": {**PIX, "colour_model": "hsv"},
    "lab": {"colour_model": "lab"},
    "cartoon": CARTOON,
}


def levels(values: Any) -> np.ndarray:
    """Pictures in [-1, 1], as uint8."""
    return np.round((np.asarray(values) + 1) * 127.5).clip(0, 255).astype(np.uint8)


def ours(asked: Asked, given: np.ndarray) -> np.ndarray:
    """What our own network makes of latents, or of uint8 pictures."""
    weights, settings = asked.moments().load(0), SessionSettings()
    if asked.application is None:
        sampler = Sampler(asked.job, settings, 1, 1)
        return sampler.draw(sampler.place(weights), given[:, None])
    size, device = Resolution(given.shape[2], given.shape[1]), Device(asked.job, settings)
    back = asked.name != asked.application.networks[0]
    applied = Applied(asked.workspace, asked.job, back=back, raw=True)
    translator = Translator(applied, device, size)
    return translator.make(translator.place(weights), given)


def given_to(asked: Asked, size: Resolution) -> tuple[np.ndarray, np.ndarray]:
    """Latents, or pictures of this size, for a network; and what ours makes of them."""
    if asked.application is None:
        latents = np.random.default_rng(1).normal(size=(3, asked.job.spec.z_dim)).astype("float32")
        return latents, ours(asked, latents)
    pictures = noise(2, size.height, size.width, 3)
    return (pictures / 127.5 - 1).astype("float32"), ours(asked, pictures)


def far(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    assert other.std() > 5, "it says nothing"
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def parts(network: Any) -> list[Any]:
    """All that a network is made of, and what networks within are."""
    found = []
    for each in network.operations:
        found += parts(each) if isinstance(each, keras.Model) else [each]
    return found


def network_of(asked: Asked) -> Any:
    network = plain_network(asked, asked.moments().load(0))
    assert {type(each).__module__.split(".")[0] for each in parts(network)} == {"keras"}
    return network


@pytest.mark.usefixtures("few_layers")
@pytest.mark.parametrize("kind", [*KINDS, *OPERATIONS_ONLY])
def test_a_plain_network_makes_the_same_of_pictures_of_any_size(ask_learnt: Ask, kind: str) -> None:
    asked = ask_learnt("keras", **(KINDS | OPERATIONS_ONLY)[kind])
    given, wanted = given_to(asked, Resolution(96, 64))

    assert far(levels(network_of(asked)(given, training=False)), wanted) <= 1

    if asked.application is None and kind in KINDS:
        alone = network_of(replace(asked, form="h5"))
        assert far(levels(alone(given, training=False)), wanted) <= 1
        assert all(isinstance(each, keras.layers.Layer) for each in parts(alone))


@pytest.mark.parametrize(
    "kind", ["pix2pix", "cyclegan", "turned", "grey", "unfiltered", "pan", "compact"]
)
def test_layers_alone_make_the_same_of_pictures_of_one_size(ask_learnt: Ask, kind: str) -> None:
    asked = ask_learnt("h5", **KINDS[kind])
    given, wanted = given_to(asked, asked.built_for)
    alone = network_of(asked)

    assert far(levels(alone(given, training=False)), wanted) <= 1
    assert all(isinstance(each, keras.layers.Layer) for each in parts(alone))
    with_operations = network_of(replace(asked, form="keras", size=asked.built_for))
    assert far(levels(with_operations(given, training=False)), wanted) <= 1


def test_the_way_back_and_the_step_are_those_that_are_asked_for(ask_learnt: Ask) -> None:
    there, made = ask_learnt("keras", "generator", 4, **CYCLES), []
    for asked in (there, replace(there, step=0), replace(there, network="generator_back")):
        given, wanted = given_to(asked, Resolution(16, 12))
        made.append(levels(network_of(asked)(given, training=False)))
        assert far(made[-1], wanted) <= 1
    assert far(made[0], made[1]) > 1
    assert far(made[0], made[2]) > 1


def small(made: Callable[[Any], Any]) -> tuple[Any, np.ndarray]:
    """A network of one thing, for maps of 5 x 4 and 6 channels; and such maps."""
    given = keras.Input((4, 5, 6))
    network = keras.Model(given, made(given))
    random = np.random.default_rng(0)
    for each in network.variables:
        each.assign(random.uniform(0.1, 1, each.shape))
    return network, random.normal(size=(2, 4, 5, 6)).astype("float32")


@pytest.mark.parametrize("name", [*Activation.TABLE, "glu"])
def test_every_activation_is_known(name: str) -> None:
    network, maps = small(activation(Activation(name)))
    wanted = np.asarray(network(maps))

    made = rebuilt(network, Operations(), "rgb")(maps)
    np.testing.assert_allclose(made, wanted, atol=1e-5)

    if name in ("sine", "softsign"):
        with pytest.raises(UsageError, match=r"which is none; --format keras holds it"):
            rebuilt(network, LayersAlone(), "rgb")
    else:
        alone = rebuilt(network, LayersAlone(), "rgb")(maps)
        np.testing.assert_allclose(alone, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", [*get_args(Normalization), "plain-instance"])
def test_every_normalization_is_known(kind: str) -> None:
    network, maps = small(normalization(kind, "norm") or (lambda x: x))
    made = rebuilt(network, LayersAlone(), "rgb")(maps)
    np.testing.assert_allclose(made, network(maps), atol=1e-5)


def test_a_layer_that_nobody_knows_is_told() -> None:
    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    network, _ = small(Own())
    with pytest.raises(MultitrainError, match="has the part Own of multitrain's own"):
        rebuilt(network, Operations(), "rgb")
