"""JobSpec: every setting of a job, declared once with its type, default, bounds and help.

`jobs.parsing` turns text into specs and makes its messages from this declaration.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.fields import FieldInfo

LONGEST_NAME = 120  # bytes: leaves room for `_timecut0001_box0001.mp4.part` within 255
LARGEST_SIDE = 16_384  # pixels: libx264 takes no more

_UNSAFE_CHARACTERS = frozenset('<>:"/\\|?*')  # to some file system
_DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_OUTPUT_SUFFIX = re.compile(r".*(_(timecut|box)\d{4,}|\.(mp4|json|part))", re.IGNORECASE)
_RESERVED_NAMES = {
    "farm.sqlite",
    "farm.sqlite-wal",
    "farm.sqlite-shm",
    "farm.lock",
    "render.log",
    "render.alive",
}
# Excel writes them in the language of the user.
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
    if _DEVICE_NAMES.fullmatch(name) or name.casefold() in _RESERVED_NAMES:
        raise ValueError(f"{name!r} is a reserved file name")
    if _OUTPUT_SUFFIX.fullmatch(name):
        raise ValueError("must not end like an output (_timecut0001, _box0001, .mp4, .json, .part)")
    return name


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _parse_switch(value: object) -> object:
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in _SPELLINGS_OF_TRUE | _SPELLINGS_OF_FALSE:
            return word in _SPELLINGS_OF_TRUE
    return value


def _normal_folder(folder: str) -> str:
    """`./waves/` is `waves`."""
    return str(PurePosixPath(folder))


def _parse_resolution(value: object) -> object:
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,5})\s*[xX×*]\s*(\d{1,5})", value.strip())
        if not match or not int(match[1]) or not int(match[2]):
            raise ValueError(f"must be a size such as 1280x720, not {value[:40]!r}")
        return Resolution(int(match[1]), int(match[2]))
    return value


Name = Annotated[str, Field(min_length=1), AfterValidator(_safe_name)]
Folders = Annotated[
    tuple[Annotated[str, AfterValidator(_normal_folder)], ...],
    BeforeValidator(_split_commas),
    Field(min_length=1),
]
Switch = Annotated[bool, BeforeValidator(_parse_switch)]
Size = Annotated[Resolution, BeforeValidator(_parse_resolution), PlainSerializer(str)]
Activation = Literal[
    "relu", "relu6", "lrelu", "elu", "crelu", "selu",
    "tanh", "sigmoid", "softplus", "softsign", "softmax", "swish",
]  # fmt: skip
Activations = Annotated[tuple[Activation, ...], BeforeValidator(_split_commas), Field(min_length=1)]
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
Count = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0), Field(allow_inf_nan=False)]
Decay = Annotated[float, Ge(0), Lt(1), Field(allow_inf_nan=False)]


# fmt: off
class JobSpec(BaseModel):
    """One job: one training, one film. Frozen; the columns stand in the order of the reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    # What to make
    name:           Name                        = Field(description="unique; names every output")
    dataset:        Folders                     = Field(description="folder(s) under data/, comma-separated; `demo` is built in")
    grid_width:     Count                       = Field(description="samples side by side in a frame")
    grid_height:    Count                       = Field(description="samples one above the other in a frame")
    video_length:   Annotated[Positive, Le(1440)] = Field(description="minutes of finished video, fractions allowed")

    # Networks
    family:         Literal["dcgan", "testcard"] = Field("dcgan", description="kind of network; `testcard` trains nothing and draws frame numbers")
    nbr_of_layers_g: Annotated[int, Ge(2), Le(10)] = Field(5, description="layers of the generator")
    nbr_of_layers_d: Annotated[int, Ge(2), Le(10)] = Field(5, description="layers of the discriminator")
    activation_g:   Activations                 = Field(("relu",), description="of the generator, comma-separated; repeated over the layers")
    activation_d:   Activations                 = Field(("lrelu",), description="of the discriminator, comma-separated; repeated over the layers")
    batch_norm_g:   Switch                      = Field(True, description="batch normalisation in the generator")
    batch_norm_d:   Switch                      = Field(True, description="batch normalisation in the discriminator")
    k_w:            Annotated[Count, Le(31)]    = Field(5, description="kernel width")
    k_h:            Annotated[Count, Le(31)]    = Field(5, description="kernel height")
    z_dim:          Annotated[Count, Le(65536)] = Field(100, description="length of the latent vector")
    gf_dim:         Annotated[Count, Le(4096)]  = Field(64, description="channels of the generator's last hidden layer; doubled layer by layer towards the latent vector")
    df_dim:         Annotated[Count, Le(4096)]  = Field(64, description="channels of the discriminator's first layer; doubled layer by layer")

    # Training
    learning_rate_g: Positive                   = Field(0.0002, description="Adam's, for the generator")
    learning_rate_d: Positive                   = Field(0.0002, description="Adam's, for the discriminator")
    beta1_g:        Decay                       = Field(0.5, description="Adam's first decay, for the generator")
    beta1_d:        Decay                       = Field(0.5, description="Adam's first decay, for the discriminator")
    nbr_g_updates:  Annotated[Count, Le(100)]   = Field(1, description="updates of the generator per step")
    nbr_d_updates:  Annotated[Count, Le(100)]   = Field(1, description="updates of the discriminator per step")
    batch_size:     Annotated[Count, Le(65536)] | None = Field(None, description="pictures per update; empty: the samples in the grid")
    seed:           Annotated[int, Ge(0), Lt(2**31)] = Field(0, description="of weights, latents and the order of the pictures")
    precision:      Literal["auto", "float32", "bfloat16"] = Field("auto", description="of activations; weights are float32. `auto`: bfloat16 where the device computes in it natively, else float32")
    engine:         Literal["tensorflow", "jax"] = Field("tensorflow", description="what trains the networks; `jax` needs the extra of that name: pip install -e '.[jax]'")
    jit:            Literal["auto", "on", "off"] = Field("auto", description="compile the steps with XLA; `auto`: on GPUs, where that works. JAX always compiles")
    use_checkpoints: Switch                     = Field(True, description="save and resume; without, timecuts appear when the training is over")

    # Video
    fps:            Annotated[Count, Le(240)]   = Field(60, description="frames per second of video")
    snapshot:       Literal["update", "step"]   = Field("update", description="`update`: a frame after each network's turn, two per step; `step`: one per step")
    auto_render_period: Positive | None         = Field(None, description="seconds of video per timecut, fractions allowed; empty: one cut at the end")
    render_res:     Size | None                 = Field(None, description="cuts the grid into boxes of this size, a video each; empty: the whole grid")
    render_video:   Switch                      = Field(True, description="False: PNG frames under renders/<name>/, no video")
    delete_images_after_render: Switch          = Field(True, description="False: PNG frames under renders/<name>/ as well as the video")
    encoder:        Literal["x264", "nvenc"]    = Field("x264", description="`nvenc`: NVIDIA's encoder, where one frame of it succeeds, else x264")
    crf:            Annotated[int, Ge(0), Le(51)] = Field(17, description="x264's constant rate factor, or NVENC's constant quality; lower is better and larger")
    preset:         Preset                      = Field("medium", description="the encoder's effort, by x264's names; slower is smaller")
    upload_to_ftp:  Switch                      = Field(False, description="send each finished video to the server in ftp.ini")

    # Farm
    gpus:           Annotated[Count, Le(64)]    = Field(1, description="GPUs (or CPU slots) that train this job together")
    retries:        Annotated[int, Ge(0), Le(1000)] = Field(2, description="further tries from the last checkpoint after a failure; counted anew once a try has reached a new checkpoint")
    stall_minutes:  Annotated[Positive, Le(10080)] = Field(20, description="without a new frame for so long, a try is ended and counts as failed; the first frame of a try may take three times as long")
    # fmt: on

    @property
    def samples(self) -> int:
        """Cells of the grid."""
        return self.grid_width * self.grid_height

    @property
    def images_per_batch(self) -> int:
        return self.batch_size or self.samples

    @property
    def frames_total(self) -> int:
        return round(self.video_length * 60 * self.fps)

    @property
    def frames_per_step(self) -> int:
        return 2 if self.snapshot == "update" else 1

    @property
    def cut_frames(self) -> int:
        """Frames per timecut; all of them where the sheet asks for none."""
        if self.auto_render_period is None:
            return self.frames_total
        return min(max(1, round(self.auto_render_period * self.fps)), self.frames_total)

    @property
    def keeps_images(self) -> bool:
        """Whether PNG frames stay under `renders/<name>/`."""
        return not (self.render_video and self.delete_images_after_render)


COLUMNS: dict[str, FieldInfo] = JobSpec.model_fields
