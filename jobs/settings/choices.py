"""Settings that are a name with parameters: `sgd(momentum=0.9, nesterov=True)`, `lrelu(0.3)`.

Each kind has a table of its names and their parameters here; parameters that are left out, or equal
to their defaults, take these. A first parameter needs no name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field, TypeAdapter, ValidationError

from jobs.settings.bounds import (
    Count,
    Decay,
    Natural,
    NotNegative,
    Positive,
    Real,
    Share,
    bounded,
    too_large,
    unwrap,
    words_of,
)
from jobs.settings.moments import Moments
from jobs.settings.songs import WANTED_TEMPI, SongFile, TempoRange
from jobs.settings.words import nearest, one_of, quoted, split_commas

Value = bool | int | float | str | tuple[int, int] | tuple[float, float]

_CALL = re.compile(r"([\w-]+)\s*(?:\((.*)\))?", re.DOTALL)
_EVERY = re.compile(r"(?:every\s+)?(\d{1,10})(?:\s+steps?)?", re.IGNORECASE)

Finite = Field(allow_inf_nan=False)


class Parameter(NamedTuple):
    """One parameter: its type with bounds, its default (None: see its help), its meaning."""

    type: Any
    default: Value | None
    help: str


Table = Mapping[str, Mapping[str, Parameter]]


@dataclass(frozen=True)
class Choice:
    """A name of `TABLE` and the parameters that differ from their defaults, in the table's order.

    `choice["momentum"]` is a parameter's value, given or not.
    """

    TABLE: ClassVar[Table] = {}
    HELP: ClassVar[Mapping[str, str]] = {}  # by name, where the name alone says too little
    KEY: ClassVar[str] = "name"  # the key of its name where it is written as a mapping

    name: str
    given: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        arguments = ", ".join(f"{parameter}={value}" for parameter, value in self.given)
        return f"{self.name}({arguments})" if arguments else self.name

    def __getitem__(self, parameter: str) -> Any:
        return self.parameters()[parameter]

    def parameters(self) -> dict[str, Any]:
        """All parameters, defaults included."""
        defaults = {name: each.default for name, each in self.TABLE[self.name].items()}
        return defaults | dict(self.given)

    @classmethod
    def parse(cls, value: object) -> Self:
        """The choice that a text describes. ValueError says in one clause what is wrong with it."""
        return value if isinstance(value, cls) else cls._of_text(str(value))

    @classmethod
    @lru_cache(1024)  # thousands of rows have the same in their cells
    def _of_text(cls, text: str) -> Self:
        match = _CALL.fullmatch(text.strip())
        if not match or (name := match[1].casefold()) not in cls.TABLE:
            raise ValueError(one_of(cls.TABLE, match[1] if match else text))
        table = cls.TABLE[name]
        given = _arguments(name, table, match[2] or "")
        ordered = [(key, given[key]) for key in table if key in given]
        return cls(name, tuple((key, each) for key, each in ordered if each != table[key].default))


def _arguments(name: str, table: Mapping[str, Parameter], text: str) -> dict[str, Value]:
    given: dict[str, Value] = {}
    for position, part in enumerate(split_commas(text)):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            if position or not table:
                raise ValueError(f"{name}: {quoted(part)} must be written as parameter=value")
            key, value = next(iter(table)), key
        if key not in table:
            takes = f"it has {', '.join(table)}" if table else "it has none"
            raise ValueError(f"{name} has no parameter {quoted(key)}; {takes}{nearest(key, table)}")
        if key in given:
            raise ValueError(f"{name}: {key} stands twice")
        given[key] = _value(name, key, table[key], value)
    return given


def _value(name: str, key: str, parameter: Parameter, text: str) -> Value:
    try:
        value: Value = TypeAdapter(parameter.type).validate_python(text)
    except ValidationError as error:
        wanted = too_large(error.errors()[0]) or requirement(parameter)
        raise ValueError(f"{name}: {key} must be {wanted}, not {quoted(text)}") from error
    return value


def requirement(parameter: Parameter) -> str:
    """What the value of a parameter must be, in words."""
    kind, bounds = unwrap(parameter.type)
    if words := words_of(kind):
        return f"one of {', '.join(words)}"
    if issubclass(kind, Moments):
        return Moments.WANTED
    if issubclass(kind, SongFile):
        return SongFile.WANTED
    if kind is TempoRange:
        return WANTED_TEMPI
    if issubclass(kind, tuple):
        return "two numbers such as 1280x720"
    if kind is str:
        return "the name of a job, of letters, digits, dots, spaces, - and _"
    return "True or False" if kind is bool else bounded(kind, bounds)


_EPSILON = Parameter(Positive, 1e-7, "keeps the divisor from 0")
_BETA_1 = Parameter(Decay, None, "decay of the first moment; empty: beta1_g or beta1_d")
_BETA_2 = Parameter(Decay, 0.999, "decay of the second moment")
_AMSGRAD = Parameter(bool, False, "the largest second moment so far")
_ACCUMULATOR = Parameter(NotNegative, 0.1, "where the accumulators start")


@dataclass(frozen=True)
class Snapshot(Choice):
    """How often a frame shows the networks: `update`, `step`, or `every 10 steps`."""

    TABLE: ClassVar[Table] = {
        "update": {},
        "step": {},
        "every": {
            "steps": Parameter(
                Count, 10, "from a frame to the next; also written `every 10 steps`, or `10`"
            )
        },
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "update": "a frame after each network's turn, two per step",
        "step": "a frame after each step",
        "every": "a frame after so many steps each; those between draw none, so they are quicker",
    }

    def __str__(self) -> str:
        return f"every {self['steps']} steps" if self.name == "every" else self.name

    @classmethod
    def parse(cls, value: object) -> Self:
        """As `Choice.parse`; also `every 10 steps`, `every 10` and `10`."""
        match = _EVERY.fullmatch(str(value).strip())
        found = super().parse(f"every({match[1]})" if match else value)
        return cls("step") if found.name == "every" and found["steps"] == 1 else found


@dataclass(frozen=True)
class Activation(Choice):
    """What a layer's values go through."""

    TABLE: ClassVar[Table] = {
        "relu": {},
        "relu6": {},
        "lrelu": {"slope": Parameter(Share, 0.2, "below zero")},
        "elu": {"alpha": Parameter(Positive, 1.0, "the limit far below zero, negated")},
        "crelu": {},
        "selu": {},
        "gelu": {},
        "mish": {},
        "swish": {},
        "softplus": {},
        "softsign": {},
        "softmax": {},
        "tanh": {},
        "sigmoid": {},
        "sine": {"frequency": Parameter(Positive, 1.0, "radians per unit")},
    }


@dataclass(frozen=True)
class Optimizer(Choice):
    """One of Keras' optimizers by its lower-case name, with Keras' parameters and defaults.

    `adam` alone has another epsilon: 1e-8, as in Kingma and Ba 2014.
    """

    # Those whose state is the weights: what another turn learns of these would be lost.
    KEEPING_WEIGHTS: ClassVar[frozenset[str]] = frozenset({"ftrl", "schedulefreeadamw"})

    TABLE: ClassVar[Table] = {
        "adam": {
            "beta_1": _BETA_1,
            "beta_2": _BETA_2,
            "epsilon": _EPSILON._replace(default=1e-8),
            "amsgrad": _AMSGRAD,
        },
        "adamw": {
            "weight_decay": Parameter(NotNegative, 0.004, "of the weights, per update"),
            "beta_1": _BETA_1,
            "beta_2": _BETA_2,
            "epsilon": _EPSILON,
            "amsgrad": _AMSGRAD,
        },
        "nadam": {"beta_1": _BETA_1, "beta_2": _BETA_2, "epsilon": _EPSILON},
        "adamax": {"beta_1": _BETA_1, "beta_2": _BETA_2, "epsilon": _EPSILON},
        "lamb": {"beta_1": _BETA_1, "beta_2": _BETA_2, "epsilon": _EPSILON},
        "lion": {"beta_1": _BETA_1, "beta_2": _BETA_2._replace(default=0.99)},
        "sgd": {
            "momentum": Parameter(Decay, 0.0, "share of the last update that is kept"),
            "nesterov": Parameter(bool, False, "look ahead by the momentum"),
        },
        "rmsprop": {
            "rho": Parameter(Decay, 0.9, "decay of the squared gradients"),
            "momentum": Parameter(Decay, 0.0, "share of the last update that is kept"),
            "epsilon": _EPSILON,
            "centered": Parameter(bool, False, "divide by the variance"),
        },
        "adagrad": {"initial_accumulator_value": _ACCUMULATOR, "epsilon": _EPSILON},
        "adadelta": {
            "rho": Parameter(Decay, 0.95, "decay of the squared gradients"),
            "epsilon": _EPSILON,
        },
        "adafactor": {
            "beta_2_decay": Parameter(
                Annotated[Real, Lt(0)], -0.8, "exponent of the second moment's decay"
            ),
            "epsilon_1": Parameter(Positive, 1e-30, "keeps the divisor from 0"),
            "epsilon_2": Parameter(Positive, 1e-3, "least scale of a weight"),
            "clip_threshold": Parameter(Positive, 1.0, "largest update, by its root mean square"),
            "relative_step": Parameter(bool, True, "smaller steps at the start"),
        },
        "ftrl": {
            "learning_rate_power": Parameter(
                Annotated[Real, Ge(-2), Le(0)],  # powers of it must stay numbers
                -0.5,
                "of its fall",
            ),
            "initial_accumulator_value": _ACCUMULATOR,
            "l1_regularization_strength": Parameter(NotNegative, 0.0, "towards zeros"),
            "l2_regularization_strength": Parameter(NotNegative, 0.0, "towards small weights"),
            "l2_shrinkage_regularization_strength": Parameter(NotNegative, 0.0, "of the gradient"),
            "beta": Parameter(NotNegative, 0.0, "added to the root of the accumulators"),
        },
        "muon": {
            "momentum": Parameter(Decay, 0.95, "share of the last update that is kept"),
            "nesterov": Parameter(bool, True, "look ahead by the momentum"),
            "ns_steps": Parameter(Annotated[int, Ge(1), Le(20)], 5, "Newton-Schulz iterations"),
            "weight_decay": Parameter(NotNegative, 0.004, "of the weights, per update"),
            "rms_rate": Parameter(Positive, 0.2, "size of an update, as its root mean square"),
            "muon_a": Parameter(Real, 3.4445, "first coefficient of the iteration"),
            "muon_b": Parameter(Real, -4.775, "second coefficient of the iteration"),
            "muon_c": Parameter(Real, 2.0315, "third coefficient of the iteration"),
            "adam_lr_ratio": Parameter(Positive, 1.0, "of Adam's rate, for scales and offsets"),
            "adam_beta_1": Parameter(Decay, 0.9, "Adam's first decay, for scales and offsets"),
            "adam_beta_2": Parameter(Decay, 0.999, "Adam's second decay, for them"),
            "adam_weight_decay": Parameter(NotNegative, 0.004, "of them, per update"),
            "epsilon": _EPSILON,
        },
        "schedulefreeadamw": {
            "weight_decay": Parameter(NotNegative, 0.0, "of the weights, per update"),
            "beta_1": Parameter(
                Annotated[float, Gt(0), Lt(1), Finite],
                0.9,
                "where between the trained weights and their average the gradients are taken",
            ),
            "beta_2": _BETA_2,
            "epsilon": _EPSILON._replace(default=1e-8),
            "warmup_steps": Parameter(Natural, 0, "updates of a rising rate"),
        },
    }

    @property
    def keeps_weights(self) -> bool:
        """Whether networks can learn by it in one kind of steps only."""
        return self.name in self.KEEPING_WEIGHTS


@dataclass(frozen=True)
class Loss(Choice):
    """What the adversaries want of each other."""

    RELATIVISTIC: ClassVar[Mapping[str, Parameter]] = {
        "relativistic": Parameter(
            bool, False, "each picture is judged against the mean of the other side"
        ),
    }
    TABLE: ClassVar[Table] = {
        "vanilla": RELATIVISTIC,
        "lsgan": RELATIVISTIC,
        "hinge": RELATIVISTIC,
        "wgan-gp": {"weight": Parameter(Positive, 10.0, "of the gradient penalty")},
        "relativistic": {},
    }
    HELP: ClassVar[Mapping[str, str]] = {
        "vanilla": (
            "cross-entropy, the first GAN's, with a generator that learns where it loses, too; "
            "suits most pictures"
        ),
        "lsgan": (
            "squares: also pictures far on the right side of the line are pulled towards it; suits "
            "where vanilla makes one picture again and again"
        ),
        "hinge": (
            "leaves alone what is told apart with a margin; suits a discriminator with "
            "`normalization_d` spectral"
        ),
        "wgan-gp": (
            "a distance, with a penalty on the discriminator's slope; suits nights where others "
            "break down, with `nbr_d_updates` 5 and no batch normalization in the discriminator "
            "(`batch_norm_d` False), because the penalty is per picture"
        ),
        "relativistic": (
            "`vanilla(relativistic=True)`: suits few pictures and fine detail. "
            "With several `gpus` on TensorFlow, means are over each one's share of a batch"
        ),
    }

    @property
    def is_relativistic(self) -> bool:
        """Whether pictures are judged against those of the other side."""
        return self.name == "relativistic" or bool(dict(self.given).get("relativistic"))

    @property
    def kind(self) -> str:
        """Its name, of one that is relativistic what it is without."""
        return "vanilla" if self.name == "relativistic" else self.name


@dataclass(frozen=True)
class Clipping(Choice):
    """What happens to large gradients."""

    TABLE: ClassVar[Table] = {
        "none": {},
        "norm": {"limit": Parameter(Positive, 1.0, "length of a network's gradients together")},
        "value": {"limit": Parameter(Positive, 1.0, "of each single one, up or down")},
    }


@dataclass(frozen=True)
class LatentMotion(Choice):
    """How the latents of the samples move from frame to frame."""

    TABLE: ClassVar[Table] = {
        "fixed": {},
        "walk": {
            "period": Parameter(
                Annotated[float, Gt(0), Le(86_400)], 30.0, "seconds of video until it is back"
            ),
        },
    }
