"""A layer as it is planned: its sizes, its parameters, what it costs. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.settings.choices import Activation

LINEAR = "linear"
# The name of the weights of each kind of layer; kinds whose weights mean the same share one.
WEIGHTS = {
    LINEAR: "linear",
    "deconv": "transposed",
    "upconv": "upconv",
    "upconv-bilinear": "upconv",
    "fused-upconv": "upconv",
    "subpixel": "subpixel",
    "conv": "conv",
    "dilated": "conv",
    "pooled-conv": "conv",
    "excitation": "excitation",
    "separable": "separable",
}
PER_PRODUCT = 2  # a multiplication and an addition

PRELU = "prelu"  # an activation whose slope below zero each channel learns

OVER_PICTURES = {"layer", "instance", "plain-instance"}  # normalizations by what a picture holds
# Scales, offsets and statistics, per channel.
_PARAMETERS_OF_NORMALIZATIONS = {"batch": 4, "layer": 2, "instance": 2}


@dataclass(frozen=True)
class Shape:
    """The shape of one picture within a network. A flat vector is 1x1 with many channels."""

    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}x{self.channels}"

    @property
    def values(self) -> int:
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class Layer:
    """A linear layer or a convolution with all that follows it, up to the next one.

    What follows is, in this order: normalization, injected noise, activation, dropout, noise.
    """

    number: int  # from 1
    kind: str  # "linear", or the convolution's name
    input: Shape  # the activated output of the layer before
    filters: int  # channels that it makes
    output: Shape  # after its activation, which may double or halve them
    kernel: tuple[int, int] | None  # width and height; None: linear
    stride: int
    dilation: int
    activation: Activation | None  # None: the last layer
    normalization: str
    dropout: float
    noise: float
    injects_noise: bool = False  # of a strength that it learns
    has_bias: bool | None = None  # None: where it makes a difference

    @property
    def bias(self) -> bool:
        """Whether it has a bias: a normalization with an offset of its own would cancel it."""
        if self.has_bias is not None:
            return self.has_bias
        return self.normalization not in _PARAMETERS_OF_NORMALIZATIONS

    @property
    def parameters(self) -> int:
        """Weights and statistics, with those of the normalization."""
        spectral = self.columns if self.normalization == "spectral" else 0
        offsets = self.columns if self.bias else 0
        per_channel = _PARAMETERS_OF_NORMALIZATIONS.get(self.normalization, 0)
        statistics = spectral + per_channel * self.filters
        slopes = self.filters if self.activation and self.activation.name == PRELU else 0
        return self.weights + offsets + statistics + slopes + self.injects_noise

    @property
    def columns(self) -> int:
        """Columns of its weights as a matrix: one for each value that they make."""
        if self.kernel is None:
            return self.output.height * self.output.width * self.filters
        return self.filters * (self.stride**2 if self.kind == "subpixel" else 1)

    @property
    def weights(self) -> int:
        if self.kernel is None:
            return self.input.values * self.columns
        area = self.kernel[0] * self.kernel[1]
        if self.kind == "separable":
            return self.input.channels * (area + self.filters)
        return self.input.channels * area * self.columns

    @property
    def operations(self) -> int:
        """Floating-point operations for one picture: two for each weight at each pixel it meets."""
        if self.kernel is None:
            return PER_PRODUCT * self.weights
        if self.kind == "fused-upconv":
            return PER_PRODUCT * self._fused_places * self.input.channels * 16 * self.filters
        # Transposed layers spread each input pixel by the whole kernel. Dilated ones work at
        # stride 1.
        spreads = self.kind in ("deconv", "subpixel")
        shrinks_later = self.dilation > 1 and not self.kind.startswith("upconv")
        side = self.input if spreads or shrinks_later else self.output
        return PER_PRODUCT * side.height * side.width * self.weights

    @property
    def widest(self) -> int:
        """The most values of one picture that the layer must hold at once."""
        enlarged = self.output.height * self.output.width
        if self.kind == "fused-upconv":
            return max(self.input.values, self._fused_places * 4 * self.filters)
        if self.kind.startswith("upconv"):
            return enlarged * max(self.input.channels, self.output.channels)
        if self.dilation > 1:  # convolves at stride 1
            shrunk_from = max(enlarged, self.input.height * self.input.width)
            return max(shrunk_from * self.filters, self.output.values)
        return max(self.input.values, enlarged * max(self.filters, self.output.channels))

    @property
    def kept(self) -> int:
        """The values of one picture that gradients need: what each of its operations is given."""
        pixels = self.output.height * self.output.width
        given = self.input.values if self.kind != "pooled-conv" else pixels * self.input.channels
        is_normalized = self.normalization in _PARAMETERS_OF_NORMALIZATIONS
        return given + pixels * self.filters * (is_normalized + (self.activation is not None))

    @property
    def _fused_places(self) -> int:
        """Where a fused convolution's 2x2 kernels meet its input: four pixels come of each."""
        return (self.input.height + 1) * (self.input.width + 1)


def square(
    number: int,
    kind: str,
    before: Shape,
    after: Shape,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    activation: Activation | None = None,
    normalization: str = "none",
    dropout: float = 0.0,
    has_bias: bool | None = None,
) -> Layer:
    """A convolution of square kernels that makes the channels of `after`."""
    return Layer(
        number=number,
        kind=kind,
        input=before,
        filters=after.channels,
        output=after,
        kernel=(kernel, kernel),
        stride=stride,
        dilation=dilation,
        activation=activation,
        normalization=normalization,
        dropout=dropout,
        noise=0.0,
        has_bias=has_bias,
    )
