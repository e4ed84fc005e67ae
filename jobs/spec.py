"""JobSpec: every setting of a job, declared once with its type, default, bounds and help.

`jobs.parsing` turns text into specs and makes its messages from this declaration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from jobs.bounds import Count, Decay, NotNegative, Positive, Share
from jobs.choices import Activation, Clipping, LatentMotion, Loss, Optimizer, Schedule
from jobs.colours import ColourModel
from jobs.destinations import checked_destination
from jobs.kinds import (
    Augmentation,
    Channels,
    Dilation,
    DiscriminatorConvolution,
    EverySteps,
    Folders,
    GeneratorConvolution,
    KernelSide,
    Name,
    Normalization,
    OneActivation,
    OneClipping,
    OneEncoder,
    OneLoss,
    OneMotion,
    OneOptimizer,
    OneSchedule,
    PerLayer,
    Preset,
    Several,
    Size,
    SizeOrSide,
    Stride,
    Switch,
)
from jobs.loops import OneLoop
from jobs.preprocess import Preprocessing, checked_mode
from jobs.videos import FormatName


# fmt: off
class JobSpec(BaseModel):
    """One job: one training, one film. Frozen; the columns stand in the order of the reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    # What to make
    name:           Name                        = Field(description="unique; names every output")
    dataset:        Folders                     = Field(description="folder(s) under data/, comma-separated; `demo` is built in. `landscapes*4,faces` draws four pictures of the first for each of the second")
    grid_width:     Count                       = Field(description="samples side by side in a frame")
    grid_height:    Count                       = Field(description="samples one above the other in a frame")
    video_length:   Annotated[Positive, Le(1440)] = Field(description="minutes of finished video, fractions allowed")

    # Pictures
    preprocess:     Annotated[str, AfterValidator(checked_mode)] = Field("none", description="what becomes of pictures before networks see them: `none`, `resize` (to `load_size`, whatever the proportions), `cover` (scaled until they cover `load_size`, the rest cut off evenly), `scale_width` (to the width of `load_size`, in proportion), `center_crop` (of `crop_size`), `crop` (of `crop_size`, at a random place in every batch); or two of them, as `cover_and_crop`")
    load_size:      SizeOrSide | None           = Field(None, description="pixels that pictures are scaled to; one number is a square's side, or the width for `scale_width`")
    crop_size:      SizeOrSide | None           = Field(None, description="pixels that are cut out of pictures, what networks see and make; one number is a square's side")
    flip:           Switch                      = Field(False, description="mirror half of the pictures left to right, by chance, in training")

    # Networks
    family:         Literal["dcgan", "testcard"] = Field("dcgan", description="kind of network; `testcard` trains nothing and draws frame numbers")
    colour_model:   ColourModel                 = Field("rgb", description="what the networks see and make; frames are always RGB, of `rgba` RGBA")
    nbr_of_layers_g: Annotated[int, Ge(2), Le(10)] = Field(5, description="layers of the generator: a linear one, then convolutions")
    nbr_of_layers_d: Annotated[int, Ge(2), Le(10)] = Field(5, description="layers of the discriminator: convolutions, then a linear one")
    gf_dim:         Channels                    = Field(64, description="channels of the generator's last hidden layer; doubled layer by layer towards the latent vector")
    df_dim:         Channels                    = Field(64, description="channels of the discriminator's first layer; doubled layer by layer")
    filters_g:      PerLayer[Channels] | None   = Field(None, description="channels of the generator's hidden layers, the linear one first; empty: by `gf_dim`")
    filters_d:      PerLayer[Channels] | None   = Field(None, description="channels of the discriminator's convolutions; empty: by `df_dim`")
    k_w:            PerLayer[KernelSide]        = Field((5,), description="kernel width of the convolutions")
    k_h:            PerLayer[KernelSide]        = Field((5,), description="kernel height of the convolutions")
    k_w_g:          PerLayer[KernelSide] | None = Field(None, description="kernel width in the generator; empty: `k_w`")
    k_h_g:          PerLayer[KernelSide] | None = Field(None, description="kernel height in the generator; empty: `k_h`")
    k_w_d:          PerLayer[KernelSide] | None = Field(None, description="kernel width in the discriminator; empty: `k_w`")
    k_h_d:          PerLayer[KernelSide] | None = Field(None, description="kernel height in the discriminator; empty: `k_h`")
    stride_g:       PerLayer[Stride]            = Field((2,), description="by how much each convolution of the generator enlarges")
    stride_d:       PerLayer[Stride]            = Field((2,), description="by how much each convolution of the discriminator shrinks")
    dilation_g:     PerLayer[Dilation]          = Field((1,), description="pixels from one value of the generator's kernels to the next; above 1 not where a `deconv` enlarges")
    dilation_d:     PerLayer[Dilation]          = Field((1,), description="pixels from one value of the discriminator's kernels to the next")
    convolution_g:  PerLayer[GeneratorConvolution] = Field(("deconv",), description="of the generator: transposed; enlarged (nearest or bilinear) and then convolved, against checkerboards; or into sub-pixels")
    convolution_d:  PerLayer[DiscriminatorConvolution] = Field(("conv",), description="of the discriminator; `dilated`: by 2 where `dilation_d` says 1")
    activation_g:   PerLayer[OneActivation]     = Field((Activation("relu"),), description="of the generator's hidden layers")
    activation_d:   PerLayer[OneActivation]     = Field((Activation("lrelu"),), description="of the discriminator's hidden layers")
    batch_norm_g:   Switch                      = Field(True, description="batch normalisation in the generator, where `normalization_g` is empty")
    batch_norm_d:   Switch                      = Field(True, description="batch normalisation in the discriminator but for its first layer, where `normalization_d` is empty")
    normalization_g: PerLayer[Normalization] | None = Field(None, description="of the generator's hidden layers; `spectral` is of their weights; empty: by `batch_norm_g`")
    normalization_d: PerLayer[Normalization] | None = Field(None, description="of the discriminator's hidden layers; `spectral` is of their weights, and behind the last of the linear layer's, too; empty: by `batch_norm_d`")
    dropout_g:      PerLayer[Decay]             = Field((0.0,), description="share of the values of the generator's hidden layers that are left out in training")
    dropout_d:      PerLayer[Decay]             = Field((0.0,), description="share of the values of the discriminator's hidden layers that are left out in training")
    noise_g:        PerLayer[NotNegative]       = Field((0.0,), description="deviation of Gaussian noise, added to the generator's hidden layers in training")
    noise_d:        PerLayer[NotNegative]       = Field((0.0,), description="deviation of Gaussian noise, added to the discriminator's hidden layers in training")

    # Latents
    z_dim:          Annotated[Count, Le(65536)] = Field(100, description="length of the latent vector")
    z_distribution: Literal["uniform", "normal"] = Field("uniform", description="of latents: in [-1, 1], or around 0 with deviation 1")
    latent_motion:  OneMotion                   = Field(LatentMotion("fixed"), description="`walk`: the samples' latents go a closed way, so that the film drifts")

    # Training
    loss:           OneLoss                     = Field(Loss("vanilla"), description="what generator and discriminator want")
    optimizer_g:    OneOptimizer                = Field(Optimizer("adam"), description="of the generator")
    optimizer_d:    OneOptimizer                = Field(Optimizer("adam"), description="of the discriminator")
    learning_rate_g: Positive                   = Field(0.0002, description="of the generator")
    learning_rate_d: Positive                   = Field(0.0002, description="of the discriminator")
    schedule_g:     OneSchedule                 = Field(Schedule("constant"), description="of the generator's learning rate")
    schedule_d:     OneSchedule                 = Field(Schedule("constant"), description="of the discriminator's learning rate")
    beta1_g:        Decay                       = Field(0.5, description="the optimizer's first decay, for the generator, where it has one")
    beta1_d:        Decay                       = Field(0.5, description="the optimizer's first decay, for the discriminator, where it has one")
    gradient_clip_g: OneClipping                = Field(Clipping("none"), description="of the generator's gradients")
    gradient_clip_d: OneClipping                = Field(Clipping("none"), description="of the discriminator's gradients")
    nbr_g_updates:  Annotated[Count, Le(100)]   = Field(1, description="updates of the generator per step")
    nbr_d_updates:  Annotated[Count, Le(100)]   = Field(1, description="updates of the discriminator per step")
    batch_size:     Annotated[Count, Le(65536)] | None = Field(None, description="pictures per update; empty: the samples in the grid")
    label_smoothing: Annotated[Share, Lt(1)]    = Field(0.0, description="pictures count as so much less than 1, with the losses vanilla and lsgan")
    instance_noise: NotNegative                 = Field(0.0, description="deviation of Gaussian noise, added to all that the discriminator is shown in training; pictures are in [-1, 1]")
    diffaugment:    Several[Augmentation] | None = Field(None, description="differentiable augmentation of all that the discriminator is shown in training")
    feature_matching: NotNegative               = Field(0.0, description="weight, in the generator's loss, of how far the means of the discriminator's last features lie apart; with several `gpus` on TensorFlow, means over each one's share of a batch")
    ema:            Decay                       = Field(0.0, description="decay of a moving average of the generator's weights, which draws the samples; 0: the generator itself")
    seed:           Annotated[int, Ge(0), Lt(2**31)] = Field(0, description="of weights, latents and the order of the pictures")
    precision:      Literal["auto", "float32", "bfloat16"] = Field("auto", description="of activations; weights are float32. `auto`: bfloat16 where the device computes in it natively, else float32")
    engine:         Literal["tensorflow", "jax"] = Field("tensorflow", description="what trains the networks; `jax` needs the extra of that name: pip install -e '.[jax]'")
    jit:            Literal["auto", "on", "off"] = Field("auto", description="compile the steps with XLA; `auto`: on GPUs, where that works. JAX always compiles")
    use_checkpoints: Switch                     = Field(True, description="save and resume; without, timecuts appear when the training is over")
    keep_checkpoints: EverySteps | None         = Field(None, description="`every 2000 steps`, or `2000`: the networks' weights of each 2000th step stay in runs/<name>/kept/, for walks from any of them or through all; empty: none")

    # Start from elsewhere
    init_from:      str | None                  = Field(None, description="a job, or the path of a checkpoint, whose networks this one starts from, at step 0")
    init_fitting:   Switch                      = Field(False, description="start from what fits of `init_from` or `interpolate`; False: all must")
    interpolate_a:  str | None                  = Field(None, description="the first of two jobs or checkpoints between which this one starts")
    interpolate_b:  str | None                  = Field(None, description="the second one")
    interpolate_alpha: Share                    = Field(0.5, description="0: starts at the first one, 1: at the second")
    freeze_d:       Annotated[int, Ge(0), Le(10)] = Field(0, description="so many first layers of the discriminator do not learn")

    # Video
    fps:            Annotated[Count, Le(240)]   = Field(60, description="frames per second of video")
    snapshot:       Literal["update", "step"]   = Field("update", description="`update`: a frame after each network's turn, two per step; `step`: one per step")
    auto_render_period: Positive | None         = Field(None, description="seconds of video per timecut, fractions allowed; empty: one cut at the end")
    render_res:     Size | None                 = Field(None, description="cuts the grid into boxes of this size, a video each; empty: the whole grid")
    render_video:   Switch                      = Field(True, description="False: PNG frames under renders/<name>/, no video")
    delete_images_after_render: Switch          = Field(True, description="False: PNG frames under renders/<name>/ as well as the video")
    encoder:        OneEncoder                  = Field("x264", description="what makes `h264` and `h265`: x264 and x265, or `nvenc`, NVIDIA's encoder, where one frame of it succeeds")
    format:         Several[FormatName]         = Field(("h264",), description="of video: the first one is the film's and the timecuts', the others are made of the film, beside it (`night.hap.mov`); see docs/formats.md")
    crf:            Annotated[int, Ge(0), Le(51)] = Field(17, description="constant rate factor of x264 and x265, constant quality of NVENC and VP9; lower is better and larger")
    preset:         Preset                      = Field("medium", description="the encoder's effort, by x264's names; slower is smaller")
    loops:          Several[OneLoop] | None     = Field(None, description="seamless clips that are made when the film is there: `walk(beats=32, bpm=128)`, `pingpong(seconds=10)`")
    upload_to_ftp:  Switch                      = Field(False, description="send each finished video to the server in ftp.ini")
    upload_to:      Annotated[str, AfterValidator(checked_destination)] | None = Field(None, description="send whatever is finished to `ftp://user@host/folder`, `sftp://…`, `s3://bucket/folder` or `file:///folder`; passwords stand in upload.ini, see docs/delivery.md")
    backup_period:  Annotated[Positive, Le(10080)] | None = Field(None, description="minutes between two backups of the newest checkpoint, sent there too, as <name>_checkpoint.zip; empty: none")

    # Farm
    gpus:           Annotated[Count, Le(64)]    = Field(1, description="GPUs (or CPU slots) that train this job together")
    retries:        Annotated[int, Ge(0), Le(1000)] = Field(2, description="further tries from the last checkpoint after a failure; counted anew once a try has reached a new checkpoint")
    stall_minutes:  Annotated[Positive, Le(10080)] = Field(20.0, description="without a new frame for so long, a try is ended and counts as failed; the first frame of a try may take three times as long")
    on_done:        str | None                  = Field(None, description="a shell command that is run when the film is there, or an http(s):// address that is told of it; see docs/delivery.md")
    on_failed:      str | None                  = Field(None, description="the same when the job has failed")
    # fmt: on

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that pictures come from."""
        return tuple(folder.name for folder in self.dataset)

    @property
    def weights(self) -> tuple[int, ...] | None:
        """How often pictures of each folder are drawn; None: as often as there are of them."""
        if all(folder.weight is None for folder in self.dataset):
            return None
        return tuple(folder.weight or 1 for folder in self.dataset)

    @property
    def samples(self) -> int:
        """Cells of the grid."""
        return self.grid_width * self.grid_height

    @property
    def images_per_batch(self) -> int:
        return self.batch_size or self.samples

    @property
    def preprocessing(self) -> Preprocessing:
        """Of a checked job."""
        return Preprocessing.of(self.preprocess, self.load_size, self.crop_size, flip=self.flip)

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
