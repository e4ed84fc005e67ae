"""The plan of both networks: every layer with its sizes, channels and number of parameters.

Pure arithmetic, so that sheets can be checked and shown without a framework. Networks are built
from these very plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Literal, TypeVar

from jobs.families.layer import LINEAR, Layer, Shape
from jobs.settings.choices import Activation
from jobs.settings.colours import CHANNELS
from jobs.settings.spec import COLUMNS_OF_SIZE, JobSpec

DILATED = 2  # a `dilated` convolution's dilation, where its column asks for none

# The settings that decide what layers there are and how large their values.
COLUMNS_OF_LAYERS = frozenset(
    {
        *COLUMNS_OF_SIZE, "dataset", "grid_width", "grid_height", "batch_size", "gpus",
        "colour_model", "freeze_d", "k_h", "k_w", "z_dim", "gf_dim", "df_dim",
        *(
            f"{name}_{network}"
            for network in ("g", "d")
            for name in (
                "nbr_of_layers", "filters", "k_w", "k_h", "stride", "dilation", "convolution",
                "activation", "batch_norm", "normalization", "dropout", "noise",
            )
        ),
    }
)  # fmt: skip

Network = Literal["g", "d"]
T = TypeVar("T")


def generator_layers(spec: JobSpec, width: int, height: int) -> tuple[Layer, ...]:
    """The layers from latents to pictures of exactly `width` x `height` pixels.

    Backwards, each convolution's input is its output divided by its stride, rounded up.
    """
    columns = _Columns.of(spec, "g")
    sizes = [(height, width)]
    for stride in reversed(columns.strides):
        sizes.insert(0, _shrunk(sizes[0], stride))

    filters = (*columns.filters, CHANNELS[spec.colour_model].network)
    layers: list[Layer] = []
    before = Shape(1, 1, spec.z_dim)
    for index, size in enumerate(sizes):
        convolution = index - 1 if index else None
        layers.append(columns.layer(index, convolution, before, size, filters[index]))
        before = layers[-1].output
    return tuple(layers)


def discriminator_layers(spec: JobSpec, width: int, height: int) -> tuple[Layer, ...]:
    """The layers from pictures of `width` x `height` pixels to one logit."""
    columns = _Columns.of(spec, "d")
    layers: list[Layer] = []
    before = Shape(height, width, CHANNELS[spec.colour_model].network)
    for index, (stride, filters) in enumerate(zip(columns.strides, columns.filters, strict=True)):
        size = _shrunk((before.height, before.width), stride)
        layers.append(columns.layer(index, index, before, size, filters))
        before = layers[-1].output
    layers.append(columns.layer(len(layers), None, before, (1, 1), 1))
    return tuple(layers)


@dataclass(frozen=True)
class _Columns:
    """One network's settings: an entry for each hidden layer, or for each convolution.

    A network has as many convolutions as hidden layers.
    """

    network: Network
    filters: tuple[int, ...]
    activations: tuple[Activation, ...]
    normalizations: tuple[str, ...]
    dropouts: tuple[float, ...]
    noises: tuple[float, ...]
    convolutions: tuple[str, ...]
    kernels: tuple[tuple[int, int], ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]

    @classmethod
    def of(cls, spec: JobSpec, network: Network) -> _Columns:
        hidden = column(spec, "nbr_of_layers", network) - 1

        def entries(name: str) -> tuple[Any, ...]:
            return _repeated(column(spec, name, network), hidden)

        widths, heights = (
            _repeated(column(spec, side, network) or getattr(spec, side), hidden)
            for side in ("k_w", "k_h")
        )
        convolutions = entries("convolution")
        return cls(
            network=network,
            filters=_repeated(
                column(spec, "filters", network) or _doubled(spec, network, hidden), hidden
            ),
            activations=entries("activation"),
            normalizations=_repeated(
                column(spec, "normalization", network) or _by_batch_norm(spec, network, hidden),
                hidden,
            ),
            dropouts=entries("dropout"),
            noises=entries("noise"),
            convolutions=convolutions,
            kernels=tuple(zip(widths, heights, strict=True)),
            strides=entries("stride"),
            dilations=tuple(
                DILATED if kind == "dilated" and dilation == 1 else dilation
                for kind, dilation in zip(convolutions, entries("dilation"), strict=True)
            ),
        )

    def layer(
        self,
        index: int,
        convolution: int | None,
        before: Shape,
        size: tuple[int, int],
        filters: int,
    ) -> Layer:
        """Layer `index`, from 0; `convolution` counts convolutions from 0, None: it is linear.

        `size` is the height and width of its output. Where the last hidden layer of a discriminator
        is spectrally normalized, so is its linear layer.
        """
        is_hidden = index < len(self.filters)
        activation = self.activations[index] if is_hidden else None
        normalization = self.normalizations[index] if is_hidden else "none"
        if not is_hidden and self.network == "d" and self.normalizations[-1] == "spectral":
            normalization = "spectral"
        doubling = 2 if activation and activation.name == "crelu" else 1
        is_linear = convolution is None
        return Layer(
            number=index + 1,
            kind=LINEAR if is_linear else self.convolutions[convolution or 0],
            input=before,
            filters=filters,
            output=Shape(*size, filters * doubling),
            kernel=None if is_linear else self.kernels[convolution or 0],
            stride=1 if is_linear else self.strides[convolution or 0],
            dilation=1 if is_linear else self.dilations[convolution or 0],
            activation=activation,
            normalization=normalization,
            dropout=self.dropouts[index] if is_hidden else 0.0,
            noise=self.noises[index] if is_hidden else 0.0,
        )


def column(spec: JobSpec, name: str, network: Network) -> Any:
    """The setting `name` of one of the two networks."""
    return getattr(spec, f"{name}_{network}")


def _doubled(spec: JobSpec, network: Network, hidden: int) -> Sequence[int]:
    """Channels, twice as many from layer to layer away from the picture."""
    if network == "d":
        return [spec.df_dim * 2**index for index in range(hidden)]
    return [spec.gf_dim * 2**index for index in reversed(range(hidden))]


def _by_batch_norm(spec: JobSpec, network: Network, hidden: int) -> Sequence[str]:
    """Normalization of each layer: all but the discriminator's first (Radford et al. 2015)."""
    kind = "batch" if column(spec, "batch_norm", network) else "none"
    first = "none" if network == "d" else kind
    return [first, *[kind] * (hidden - 1)]


def _repeated(entries: Iterable[T], count: int) -> tuple[T, ...]:
    """`count` entries: a list that is shorter starts over."""
    return tuple(islice(cycle(entries), count))


def _shrunk(size: tuple[int, int], stride: int) -> tuple[int, int]:
    height, width = (-(-side // stride) for side in size)
    return height, width
