"""The types of columns: what a cell may hold, and how its text is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

from annotated_types import Le
from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, PlainSerializer

from jobs.settings.bounds import Count
from jobs.settings.choices import (
    Activation,
    Clipping,
    LatentMotion,
    Loss,
    Optimizer,
    Snapshot,
)
from jobs.settings.schedules import Schedule
from jobs.settings.streams import is_live
from jobs.settings.translation import Degradation, Filter, Flattening, Making, Term
from jobs.settings.videos import EncoderName, FormatName, checked_encoder
from jobs.settings.words import entries_of, quoted, split_commas

LONGEST_NAME = 120  # bytes: leaves room for `_timecut0001_box0001.prores-4444.mov.part` within 255
LARGEST_WEIGHT = 1000  # of a folder
LARGEST_SIDE = 16_384  # pixels: libx264 takes no more

_UNSAFE_CHARACTERS = frozenset('<>:"/\\|?*')  # some file system refuses them
_DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FORMATS = "|".join(get_args(FormatName))
_OUTPUT_SUFFIX = re.compile(
    rf".*(_(timecut|loop|applied|box)\d{{4,}}|\.(mp4|mov|mkv|jpg|json|part|contact|{_FORMATS}))",
    re.IGNORECASE,
)
# Excel writes True and False in the language of the user.
_SPELLINGS_OF_TRUE = {"wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "ja", "oui", "sí"}
_SPELLINGS_OF_FALSE = {"falsch", "faux", "falso", "onwaar", "nein", "non", "nee"}


class Resolution(NamedTuple):
    """Pixels, written `1280x720`."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def _safe_name(name: str) -> str:
    """`name`, if every file system takes it and no other job's output could have it."""
    for character in name:
        if character in _UNSAFE_CHARACTERS or not character.isprintable():
            raise ValueError(
                f"{character!r} cannot stand in a file name; use letters, digits, - and _"
            )
    if name[0] in ".-~" or name[-1] in ". ":
        raise ValueError("must not begin with '.', '-' or '~' nor end with '.' or a space")
    if len(name.encode()) > LONGEST_NAME:
        raise ValueError(f"is {len(name.encode())} bytes long; at most {LONGEST_NAME} fit")
    if _DEVICE_NAMES.fullmatch(name):
        raise ValueError(f"{name!r} is a reserved file name")
    if _OUTPUT_SUFFIX.fullmatch(name):
        raise ValueError(
            "must not end like an output (_timecut0001, _loop0001, _applied0001, _box0001, .mp4, "
            ".hap, .part …)"
        )
    return name


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(split_commas(value))
    return value if isinstance(value, list | tuple) else (value,)


def _split_entries(value: object) -> object:
    if not isinstance(value, str):
        return _split_commas(value)
    entries = entries_of(value)
    if any(entries) and "" in entries:
        raise ValueError(f"entry {entries.index('') + 1} is empty")
    return tuple(filter(None, entries))


def _parse_switch(value: object) -> object:
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _SPELLINGS_OF_TRUE | _SPELLINGS_OF_FALSE:
            return word in _SPELLINGS_OF_TRUE
    return value


@dataclass(frozen=True)
class Folder:
    """Pictures under `data/`, and how often they are drawn: written `landscapes*4`, or `faces`."""

    name: str
    weight: int | None = None  # None for all folders: their pictures are one heap

    def __str__(self) -> str:
        return self.name if self.weight is None else f"{self.name}*{self.weight}"

    @classmethod
    def parse(cls, value: object) -> object:
        """The folder that a text names; `./waves/` is `waves`. ValueError for a wrong weight."""
        return cls._of_text(value) if isinstance(value, str) else value

    @classmethod
    @lru_cache(1024)  # thousands of rows have the same in their cells
    def _of_text(cls, text: str) -> Folder:
        match = re.fullmatch(r"(.*[^\s*])\s*\*\s*(\d+)", text, re.DOTALL)
        if not match:
            return cls(text if is_live(text) else str(PurePosixPath(text)))
        if len(match[2]) > 9 or not 1 <= (weight := int(match[2])) <= LARGEST_WEIGHT:
            raise ValueError(f"{quoted(text)}: a weight must be from 1 to {LARGEST_WEIGHT}")
        return cls(str(PurePosixPath(match[1])), weight)


def share_in(folder: str) -> float | None:
    """What stands in place of a folder's name: 0.1 of `10%`; None of a name."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", folder)
    return float(match[1]) / 100 if match else None


def _parse_every(value: object) -> object:
    """`every 2000 steps` is 2000."""
    if isinstance(value, str):
        match = re.fullmatch(r"every\s+(\d{1,9})(\s+steps?)?", value.strip(), re.IGNORECASE)
        return match[1] if match else value
    return value


def _parse_resolution(value: object) -> object:
    return _parsed_size(value, "a size such as 1280x720")


def _parse_size_or_side(value: object) -> object:
    text = str(value).strip()
    if isinstance(value, str | int) and re.fullmatch(r"\d{1,5}", text):
        value = f"{text}x{text}"
    size = _parsed_size(value, "a size such as 1280x720 or one number such as 256")
    if isinstance(size, Resolution) and max(size) > LARGEST_SIDE:
        raise ValueError(f"{size} is too large; {LARGEST_SIDE} pixels a side are the most")
    return size


def _parsed_size(value: object, wanted: str) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})", value.strip())
        if not match or not int(match[1]) or not int(match[2]):
            raise ValueError(f"must be {wanted}, not {value[:40]!r}")
        return Resolution(int(match[1]), int(match[2]))
    return value


Name = Annotated[str, Field(min_length=1), AfterValidator(_safe_name)]
Folders = Annotated[
    tuple[Annotated[InstanceOf[Folder], BeforeValidator(Folder.parse), PlainSerializer(str)], ...],
    BeforeValidator(_split_commas),
    Field(min_length=1),
]
Switch = Annotated[bool, BeforeValidator(_parse_switch)]
Size = Annotated[Resolution, BeforeValidator(_parse_resolution), PlainSerializer(str)]
# One number is a square's side; what a picture is scaled to may be given by its width alone.
SizeOrSide = Annotated[Resolution, BeforeValidator(_parse_size_or_side), PlainSerializer(str)]


def _shortest(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shortest entries that make the same list when repeated: `(5,)` of `(5, 5, 5)`."""
    for length in range(1, len(entries)):
        if entries[:length] * (len(entries) // length) == entries:
            return entries[:length]
    return entries


class EntryFor(NamedTuple):
    """In an annotation: what a list has an entry for."""

    each: str


T = TypeVar("T")
Several = Annotated[tuple[T, ...], BeforeValidator(_split_entries), Field(min_length=1)]
# One entry for each hidden layer, or for each convolution, or fewer, which are repeated.
PerHidden = Annotated[Several[T], AfterValidator(_shortest), EntryFor("hidden layer")]
PerConv = Annotated[Several[T], AfterValidator(_shortest), EntryFor("convolution")]

OneActivation = Annotated[
    InstanceOf[Activation], BeforeValidator(Activation.parse), PlainSerializer(str)
]
OneOptimizer = Annotated[
    InstanceOf[Optimizer], BeforeValidator(Optimizer.parse), PlainSerializer(str)
]
OneSchedule = Annotated[InstanceOf[Schedule], BeforeValidator(Schedule.parse), PlainSerializer(str)]
OneLoss = Annotated[InstanceOf[Loss], BeforeValidator(Loss.parse), PlainSerializer(str)]
OneClipping = Annotated[InstanceOf[Clipping], BeforeValidator(Clipping.parse), PlainSerializer(str)]
OneMotion = Annotated[
    InstanceOf[LatentMotion], BeforeValidator(LatentMotion.parse), PlainSerializer(str)
]
OneTerm = Annotated[InstanceOf[Term], BeforeValidator(Term.parse), PlainSerializer(str)]
OneFilter = Annotated[InstanceOf[Filter], BeforeValidator(Filter.parse), PlainSerializer(str)]
OneFlattening = Annotated[
    InstanceOf[Flattening], BeforeValidator(Flattening.parse), PlainSerializer(str)
]
OneMaking = Annotated[InstanceOf[Making], BeforeValidator(Making.parse), PlainSerializer(str)]
OneDegradation = Annotated[
    InstanceOf[Degradation], BeforeValidator(Degradation.parse), PlainSerializer(str)
]
OneSnapshot = Annotated[InstanceOf[Snapshot], BeforeValidator(Snapshot.parse), PlainSerializer(str)]

Normalization = Literal["batch", "layer", "instance", "pixel", "spectral", "none"]
GeneratorConvolution = Literal["deconv", "upconv", "upconv-bilinear", "subpixel"]
DiscriminatorConvolution = Literal["conv", "dilated", "separable"]
Augmentation = Literal["color", "translation", "cutout", "none"]
OneEncoder = Annotated[EncoderName, BeforeValidator(checked_encoder)]
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
EverySteps = Annotated[Count, BeforeValidator(_parse_every)]
Channels = Annotated[Count, Le(4096)]
KernelSide = Annotated[Count, Le(31)]
Stride = Annotated[Count, Le(8)]
# Pixels that each logit of a discriminator of patches looks at.
Patch = Annotated[Literal["16", "34", "70", "142", "286"], BeforeValidator(str)]
Show = Literal[
    "output",
    "input+output",
    "input+output+target",
    "input+output+cycle",
    "bicubic+output",
    "bicubic+output+target",
    "input+output+difference",
    "input+output+latent",
    "input+output+difference+latent",
    "output+curve",
    "input+output+difference+curve",
    "content+structure+perception",
    "content+structure+perception+target",
    "bicubic+content+structure+perception+target",
    "blend+output",
    "blend+output+target",
]
Dilation = Annotated[Count, Le(32)]
