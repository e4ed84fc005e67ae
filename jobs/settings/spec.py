"""JobSpec: every setting of a job, declared once with its type, default, bounds and help.

`jobs.settings.parsing` turns text into specs and makes its messages from this declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Lt
from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo

from jobs.errors import how_to_install
from jobs.settings.bounds import Count, Decay, Natural, NotNegative, Positive, Share
from jobs.settings.choices import (
    Activation,
    Clipping,
    LatentMotion,
    Loss,
    Optimizer,
    Snapshot,
)
from jobs.settings.colours import ColourModel, ColourSpace
from jobs.settings.columns import Change, Facets, column, facets_of
from jobs.settings.destinations import checked_destination
from jobs.settings.kinds import (
    Augmentation,
    Channels,
    Dilation,
    DiscriminatorConvolution,
    EverySteps,
    Folder,
    Folders,
    GeneratorConvolution,
    KernelSide,
    Name,
    Normalization,
    OneActivation,
    OneClipping,
    OneDegradation,
    OneEncoder,
    OneFilter,
    OneFlattening,
    OneLoss,
    OneMaking,
    OneMotion,
    OneOptimizer,
    OneSchedule,
    OneSnapshot,
    OneTerm,
    Patch,
    PerConv,
    PerHidden,
    Preset,
    Several,
    Show,
    Size,
    SizeOrSide,
    Stride,
    Switch,
    share_in,
)
from jobs.settings.lengths import MINUTES, SECONDS
from jobs.settings.loops import OneLoop
from jobs.settings.moments import checked_stages
from jobs.settings.preprocess import Preprocessing, checked_mode
from jobs.settings.schedules import Schedule
from jobs.settings.translation import Filter, Flattening, Making, Skip, Term
from jobs.settings.videos import FormatName

# Families that make pictures into pictures: of pairs, and without.
_OF_PAIRS = ("pix2pix",)
_CYCLES = ("cyclegan",)
_CARTOONS = ("cartoon",)
_SUPERRES = ("superres",)
_STAGED = ("ppon",)
_ENLARGERS = (*_SUPERRES, *_STAGED)
_BETWEEN = ("inbetween",)
_BY_LOSSES = (*_OF_PAIRS, *_CYCLES, *_SUPERRES)
_OF_PATCHES = (*_BY_LOSSES, *_STAGED)
_TRANSLATORS = (*_OF_PATCHES, *_CARTOONS)
_CODERS = ("autoencoder",)
_OF_PICTURES = (*_TRANSLATORS, *_CODERS, *_BETWEEN)
_MEASURED = (*_ENLARGERS, *_CODERS, *_BETWEEN)

WARM_UP_OF_STREAMS = 30  # updates

_ENLARGING_NETS = (
    "srresnet",
    "rrdb",
    "pan",
    "compact",
    "basicsr",
    "expansionsr",
    "denoise",
    "vdsr",
    "vdsr-elu",
    "recurrent",
    "genome",
)


# fmt: off
class JobSpec(BaseModel):
    """One job: one training, one film. Frozen; the columns stand in the order of the reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name:           Name                        = column(description="unique; names every output", opens="What to make", concerns="job")
    dataset:        Folders | None              = column(None, "folder(s) under data/, or whole paths (`/mnt/nas/waves`), comma-separated; `demo` is built in. A video is a folder of its frames. `landscapes*4,faces` draws four pictures of the first for each of the second", concerns="job", one_of="pictures")
    grid_width:     Count                       = column(description="samples side by side in a frame", sizes="frame", concerns="job")
    grid_height:    Count                       = column(description="samples one above the other in a frame", sizes="frame", concerns="job")
    video_length:   Annotated[Positive, Le(1440), MINUTES] | None = column(None, "minutes of finished video, fractions allowed; or a length such as `1m30s` or `0:45`, as in every column of minutes or seconds", concerns="job", may_change="later", one_of="length")
    steps:          Count | None                = column(None, "training steps, instead of `video_length`; those of `first_frame_after` are among them. Rounded up to the next step that makes a frame: training and film end together", concerns="job", may_change="later", one_of="length")
    epochs:         Positive | None             = column(None, "how often, on average, each picture is drawn in training, fractions allowed; instead of `video_length`", concerns="job", may_change="later", one_of="length")

    preprocess:     Annotated[str, AfterValidator(checked_mode)] = column("none", "what becomes of pictures before networks see them: `none`, `resize` (to `load_size`, whatever the proportions), `cover` (scaled until they cover `load_size`, the rest cut off evenly), `scale_width` (to the width of `load_size`, in proportion), `center_crop` (of `crop_size`), `crop` (of `crop_size`, at a random place in every batch); or two of them, as `cover_and_crop`", opens="Pictures", sizes="picture", concerns="job")
    load_size:      SizeOrSide | None           = column(None, "pixels that pictures are scaled to; one number is a square's side, or the width for `scale_width`", sizes="picture", concerns="job")
    crop_size:      SizeOrSide | None           = column(None, "pixels that are cut out of pictures, what networks see and make; one number is a square's side", sizes="picture", concerns="job")
    flip:           Switch                      = column(False, "mirror half of the pictures left to right, by chance, in training")

    inputs:         Folders | None              = column(None, "folder(s) of what the network is given, beside `targets`, and of the same size, of a `superres` or `ppon` `scale` times smaller; for these and `pix2pix`, pictures of the same names, up to their suffixes", opens="Pictures into pictures", concerns="job", one_at_most="inputs", only_in=_TRANSLATORS)
    targets:        Folders | None              = column(None, "folder(s) of what the network is to make of `inputs`, instead of `dataset`; a weight such as `streets*4` stands here", concerns="job", one_of="pictures", only_in=_TRANSLATORS)
    side_by_side:   Literal["left", "right"] | None = column(None, "each file of `dataset` holds a pair, side by side: which half is the input. All preprocessing is of halves", sizes="picture", concerns="job", one_at_most="inputs", only_in=_OF_PAIRS)
    input_from:     Several[OneMaking] | None   = column(None, "how inputs are made of the pictures of `dataset`, which are the targets: one step or several in turn, as `grey,blur(3)`; empty, where there are no `inputs` and no halves: `grey,blur`", one_at_most="inputs", only_in=_OF_PAIRS)
    sample_from:    Folders | None              = column(None, "folder(s) whose pictures frames show the network on; they are not trained on. As `dataset`, or, beside `targets`, as `inputs`; a `superres` or `ppon` of pairs has none. Empty: pictures that are trained on, evenly spread", concerns="job", only_in=_OF_PICTURES)
    sample_motion:  Literal["still", "moving"]  = column("still", "moving: each frame shows the samples' next pictures, in the order of their names, and from the last on the first again: those of a video, say, which so plays while the network learns. All of them lie on the device", concerns="job", only_in=_OF_PICTURES)
    net:            Literal["srresnet", "rrdb", "pan", "compact", "basicsr", "expansionsr", "denoise", "vdsr", "vdsr-elu", "recurrent", "genome", "oval", "small"] = column("srresnet", "which network enlarges: `srresnet`, `rrdb` (ESRGAN's, large), `pan` and `compact` (small, for videos), `recurrent` for videos, which remembers, or one for pictures that are scaled up before, as is what `genome` writes; see docs/superres.md. Of an `autoencoder`: `small`, or `oval`, which is tinier and coarser; see docs/autoencoder.md", in_family={"autoencoder": "small"}, only_in=(*_SUPERRES, *_CODERS), words_in={"superres": _ENLARGING_NETS, "autoencoder": ("oval", "small")})
    genome:         str | None                  = column(None, "the layers of `net: genome`, which `multitrain evolve` breeds: `64k9 mean32k1,3,5 64k3*4 out5`", only_in=_SUPERRES)
    clip:           Annotated[int, Ge(2), Le(60)] = column(7, "consecutive pictures of a folder that `net: recurrent` learns of at once; a batch is of so many clips. `inbetween`: the first and the last are given, and those between are to be made. `autoencoder`: of one with `memory`", in_family={"inbetween": 3, "autoencoder": 8}, only_in=(*_SUPERRES, *_CODERS, *_BETWEEN))
    scale:          Annotated[int, Ge(1), Le(4)] = column(2, "by how much pictures are enlarged; 1: they are cleaned and stay as large", sizes="frame", in_family={"ppon": 4}, only_in=_ENLARGERS)
    features:       Channels | None             = column(None, "channels of the network's maps; empty: as published, 64, of `pan` 40; of an autoencoder's `small`: of its outermost layers, 16; `inbetween`: 32", only_in=_MEASURED)
    skip:           Skip                        = column("auto", "what the network's output is added to: the input, scaled up so, or nothing; `auto`: as published", only_in=_SUPERRES)
    degrade:        Several[OneDegradation] | None = column(None, "how low pictures are made of those of `dataset`, step by step: `blur(1.2),shrink,noise(3),jpeg(60)`; empty: `shrink`", one_at_most="inputs", only_in=_ENLARGERS)
    turn:           Switch                      = column(False, "turn pictures by quarter turns, by chance, in training; they must be square", only_in=_ENLARGERS)
    border:         Annotated[int, Ge(0), Le(256)] = column(0, "pixels at the edges of pictures that the loss leaves out", only_in=_ENLARGERS)
    validation:     Folders | None              = column(None, "folder(s) of pictures that are not trained on, by which the network is measured meanwhile, beside the losses: PSNR and SSIM of their brightness; of an `autoencoder`, the bytes of a picture, and how well it comes back. Or a share of those of `dataset`, `10%`, which are then not trained on: see docs/superres.md", concerns="beside", may_change="any", only_in=_MEASURED)
    validate_every: EverySteps                  = column(500, "steps from one measurement to the next; the last step is followed by one, too", concerns="beside", may_change="any", only_in=_MEASURED)
    keep_best:      Literal["psnr", "ssim", "none"] = column("psnr", "the networks' weights of the step that `validation` was best after stay in runs/<name>/kept/: by PSNR or by SSIM; `--step best` of apply, evaluate and network takes them. none: none are kept", concerns="beside", may_change="any", only_in=_MEASURED)
    show:           Show                        = column("output", "what a frame shows of each sample, side by side", sizes="frame", concerns="job", only_in=_OF_PICTURES)
    losses:         Several[OneTerm]            = column((Term("l1", (("weight", 100.0),)), Term("gan")), "what the generator wants: terms with weights", in_family={"cyclegan": (Term("cycle", (("weight", 10.0),)), Term("identity", (("weight", 5.0),)), Term("gan", (("weight", 2.0),))), "superres": (Term("l1"),), "autoencoder": (Term("l2"),), "inbetween": (Term("charbonnier"),)}, only_in=(*_BY_LOSSES, *_CODERS, *_BETWEEN))
    ppon_stages:    Annotated[str, AfterValidator(checked_stages)] = column("89%/95%", "when a `ppon` begins its second stage, of structure, and its third, of perception: after so many steps, `50000/60000`, or such shares of the training. What has learnt before then stays as it is. `0/0`, or `[0, 0]`: it begins with the third, of networks that `init_from` gives", only_in=_STAGED)
    p1_losses:      Several[OneTerm]            = column((Term("l1"),), "what the first stage of a `ppon` wants, content: terms without a discriminator", only_in=_STAGED)
    p2_losses:      Several[OneTerm]            = column((Term("ms-ssim"), Term("multiscale-l1")), "what the second one wants, structure: terms without a discriminator", only_in=_STAGED)
    p3_losses:      Several[OneTerm]            = column((Term("feature"), Term("gan", (("weight", 0.005),))), "what the third one wants, perception. With weights of VGG16 (`perceptual`), as published: `perceptual,gan*0.005`", only_in=_STAGED)
    downs:          Annotated[int, Ge(1), Le(12)] | None = column(None, "how often the U-Net halves a picture; empty: as often as the shorter side can be halved, at most 8 times. Sizes that cannot be halved so often are padded by reflection, and cut off again", only_in=_OF_PAIRS)
    peel:           Annotated[int, Ge(0), Le(3)] = column(0, "outer layers of the U-Net that are peeled off: those within begin with 2, 4 or 8 times `gf_dim` channels, as in the U-Net of pictures so many times as large", only_in=_OF_PAIRS)
    patch:          Patch                       = column("70", "side, in pixels, of the patches that the discriminator judges one by one", only_in=_OF_PATCHES)
    conditional:    Switch                      = column(True, "the discriminator sees the input, too, and judges whether both belong together", only_in=_OF_PAIRS)
    blocks:         Annotated[int, Ge(1), Le(64)] | None = column(None, "blocks of each generator, of `vdsr` and `compact` layers; empty: 9, of pictures smaller than 256 pixels 6; `cartoon`: 4; `superres`, `ppon`: as published; `inbetween`: layers at each size of its maps, 3", only_in=(*_CYCLES, *_CARTOONS, *_ENLARGERS, *_BETWEEN))
    surface_losses: Several[OneTerm]            = column((Term("gan"),), "what the generator wants of the picture smoothed by `surface_filter`: broad areas as in cartoons", only_in=_CARTOONS)
    surface_scale:  NotNegative                 = column(0.1, "weight of `surface_losses` together", only_in=_CARTOONS)
    surface_filter: OneFilter                   = column(Filter("guided", (("radius", 5), ("eps", 0.2))), "what smooths the pictures whose surface is judged", only_in=_CARTOONS)
    texture_losses: Several[OneTerm]            = column((Term("gan"),), "of the picture without its colours, mixed to grey in another way each time: lines and grain as in cartoons", only_in=_CARTOONS)
    texture_scale:  NotNegative                 = column(1.0, "weight of `texture_losses` together", only_in=_CARTOONS)
    structure_losses: Several[OneTerm]          = column((Term("l1"),), "of the picture beside itself made flat by `structure_target`: few areas, of one colour each", only_in=_CARTOONS)
    structure_scale: NotNegative                = column(15.0, "weight of `structure_losses` together", only_in=_CARTOONS)
    structure_target: OneFlattening             = column(Flattening("posterised"), "what makes the flat picture: smoothed and of few levels, or areas that follow edges", only_in=_CARTOONS)
    content_losses: Several[OneTerm]            = column((Term("ms-ssim", (("weight", 0.5),)), Term("coarse-l1")), "of the picture beside the input: what it shows stays. With weights of VGG16 (`perceptual`), `perceptual` lets it change more", only_in=_CARTOONS)
    content_scale:  NotNegative                 = column(10.0, "weight of `content_losses` together", only_in=_CARTOONS)
    idt_losses:     Several[OneTerm] | None     = column(None, "of what is made of a target beside the target itself, which is a cartoon already; empty: nothing is wanted", only_in=_CARTOONS)
    reg_losses:     Several[OneTerm]            = column((Term("tv"),), "of the picture alone (`tv`), or beside any target (`contextual`)", only_in=_CARTOONS)
    reg_scale:      NotNegative                 = column(0.5, "weight of `reg_losses` together", only_in=_CARTOONS)
    output_filter:  OneFilter                   = column(Filter("guided"), "what smooths all that the generator makes, with its input as the guide: edges come from there", only_in=_CARTOONS)
    pretrain_steps: Natural                     = column(0, "first steps, in which the generator learns alone. Of a cartoon, to leave pictures as they are: without them, it may come down to one flat colour. Of `superres`, by its `losses` without `gan` and `feature`", in_family={"cartoon": 1000}, only_in=(*_CARTOONS, *_SUPERRES))
    pool:           Annotated[int, Ge(0), Le(10_000)] = column(50, "pictures made before, for each direction, of which the discriminators see one half of the time; 0: they see new ones only", only_in=_CYCLES)

    latent_channels: Annotated[int, Ge(1), Le(256)] = column(10, "channels of the latents that a picture is coded as: the fewer, the fewer bytes", opens="Autoencoder", only_in=_CODERS)
    quantise:       Annotated[NotNegative, Le(1000)] = column(1.0, "latents are whole numbers of this step, from -127 to 127, which are what is sent; in training, noise of half a step takes the place of rounding. 0: they are sent as float16", only_in=_CODERS)
    memory:         Literal["none", "conv-lstm"] = column("none", "what the decoder remembers from frame to frame of a video: `conv-lstm`, a convolutional LSTM over the latents, which begins anew at each cut; it learns of clips", only_in=_CODERS)
    variable_rate:  Switch                      = column(False, "in training, the last latent channels are left out, each time as many as chance says: so the first ones learn to matter most, and one network serves as many rates as it has channels", only_in=_CODERS)
    rate_weight:    NotNegative                 = column(0.0, "weight, beside `losses`, of the bits that a value of the latents takes, as is estimated; a little of it keeps files from growing while the network learns: 0.0005", only_in=_CODERS)
    stream:         Folders | None              = column(None, "instead of `dataset`: one video, or one folder of videos or of pictures, under data/ or by its whole path, or, live, a device or an address (`/dev/video0`, `rtsp://…`), which is sent frame by frame while the network goes on learning from it; behind its last frame, a video begins again. Frames show what a receiver makes of what was sent. See docs/autoencoder.md", concerns="job", one_of="pictures", only_in=_CODERS)
    fifo:           Annotated[int, Ge(2), Le(1000)] = column(20, "so many of the newest frames of a `stream` are kept to learn from; no step learns before they are there", only_in=_CODERS, needs="stream")
    online_batch:   Annotated[Count, Le(1000)] | None = column(None, "so many of these does each step learn from, the newest one and others in turn: the fewer, the faster; empty: all of them", only_in=_CODERS, needs="stream")
    update_every:   EverySteps                  = column(10, "frames of a `stream` from one look to the next at whether what was learnt since is worth sending", only_in=_CODERS, needs="stream")
    update_life:    Annotated[Count, Le(1_000_000)] = column(250, "frames that weights sent anew are thought to serve: they go out where the bytes that so many frames would need less, to be as good, are more than their own. More of them: weights go out more often", only_in=_CODERS, needs="stream")
    key_every:      Natural                     = column(1000, "frames of a `stream` from one key frame to the next, before which all weights are sent again, so that whoever has lost something, or comes late, goes on there; 0: the first frame alone is one", only_in=_CODERS, needs="stream")
    record_gb:      NotNegative                 = column(2.0, "room, in GB of 2^30 bytes, for what comes of a `stream` that is live: it is recorded without loss in data/<name>_recorded/, in files of ten seconds, none of which is begun beyond it; this folder can be a `stream` or a `dataset` later; 0: nothing is", concerns="beside", may_change="any", only_in=_CODERS, needs="stream")
    input_noise:    NotNegative                 = column(0.0, "deviation, in levels of 255, of Gaussian noise on what the encoder sees in training; the picture itself stays what is wanted", only_in=_CODERS)
    input_colours:  ColourSpace                 = column("rgb", "the colours that the encoder sees; hue is its sine and cosine; `all`: `rgb`, `hsv` and `lab`, one behind the other", only_in=_CODERS)
    output_colours: ColourSpace                 = column("rgb", "the colours that the decoder makes; of `all`, the mean of three pictures", only_in=_CODERS)
    loss_colours:   ColourSpace | None          = column(None, "the colours in which `losses` compare; empty: those that the decoder makes", only_in=_CODERS)

    family:         Literal["dcgan", "fastgan", "pix2pix", "cyclegan", "cartoon", "superres", "ppon", "autoencoder", "inbetween", "testcard"] = column("dcgan", "kind of network; `fastgan`: for few pictures and large ones, see docs/fastgan.md; `pix2pix`, `cyclegan` without pairs, and `cartoon`: make pictures into pictures, see docs/translation.md; `superres`: makes them larger or cleaner, see docs/superres.md; `ppon`: larger in three stages, from what is right on average to what looks right, see docs/ppon.md; `autoencoder`: codes them as few numbers and makes them again, see docs/autoencoder.md; `inbetween`: makes the frames between those of a video, see docs/inbetween.md; `testcard` trains nothing and draws frame numbers. Settings that mean nothing to a family are refused in its own row", opens="Networks", concerns="job")
    colour_model:   ColourModel                 = column("rgb", "what the networks see and make; frames are always RGB, of `rgba` RGBA", label="colour")
    nbr_of_layers_g: Annotated[int, Ge(2), Le(10)] = column(5, "layers of the generator: a linear one, then convolutions", label="layersg", varies=Change(0.5), nested="generator.layers")
    nbr_of_layers_d: Annotated[int, Ge(2), Le(10)] = column(5, "layers of the discriminator: convolutions, then a linear one", label="layersd", varies=Change(0.5), nested="discriminator.layers")
    gf_dim:         Channels                    = column(64, "channels of the generator's last hidden layer; doubled layer by layer towards the latent vector. `fastgan`: of its maps of 64 pixels; `pix2pix`, `cyclegan`, `cartoon`: of the outermost layer", label="gf", varies=Change(0.5), nested="generator.dim", in_family={"cartoon": 32})
    df_dim:         Channels                    = column(64, "channels of the discriminator's first layer; doubled layer by layer. `fastgan`: of its maps of 64 pixels", label="df", varies=Change(0.5), nested="discriminator.dim", in_family={"cartoon": 32})
    filters_g:      PerHidden[Channels] | None  = column(None, "channels of the generator's hidden layers, the linear one first; empty: by `gf_dim`", varies=Change(0.5))
    filters_d:      PerHidden[Channels] | None  = column(None, "channels of the discriminator's convolutions; empty: by `df_dim`", varies=Change(0.5))
    k_w:            PerConv[KernelSide]         = column((5,), "kernel width of the convolutions", label="kw", varies=Change())
    k_h:            PerConv[KernelSide]         = column((5,), "kernel height of the convolutions", label="kh", varies=Change())
    k_w_g:          PerConv[KernelSide] | None  = column(None, "kernel width in the generator; empty: `k_w`", label="kwg", varies=Change(), nested="generator.kernel")
    k_h_g:          PerConv[KernelSide] | None  = column(None, "kernel height in the generator; empty: `k_h`", label="khg", varies=Change(), nested="generator.kernel")
    k_w_d:          PerConv[KernelSide] | None  = column(None, "kernel width in the discriminator; empty: `k_w`", label="kwd", varies=Change(), nested="discriminator.kernel")
    k_h_d:          PerConv[KernelSide] | None  = column(None, "kernel height in the discriminator; empty: `k_h`", label="khd", varies=Change(), nested="discriminator.kernel")
    stride_g:       PerConv[Stride]             = column((2,), "by how much each convolution of the generator enlarges", varies=Change(0.5))
    stride_d:       PerConv[Stride]             = column((2,), "by how much each convolution of the discriminator shrinks", varies=Change(0.5))
    dilation_g:     PerConv[Dilation]           = column((1,), "pixels from one value of the generator's kernels to the next; above 1 not where a `deconv` enlarges", varies=Change(0.5))
    dilation_d:     PerConv[Dilation]           = column((1,), "pixels from one value of the discriminator's kernels to the next", varies=Change(0.5))
    convolution_g:  PerConv[GeneratorConvolution] = column(("deconv",), "of the generator: transposed; enlarged (nearest or bilinear) and then convolved, against checkerboards; or into sub-pixels", label="convg", varies=Change(), in_family={"cyclegan": ("upconv",)})
    convolution_d:  PerConv[DiscriminatorConvolution] = column(("conv",), "of the discriminator; `dilated`: by 2 where `dilation_d` says 1", label="convd", varies=Change(0.5))
    activation_g:   PerHidden[OneActivation]    = column((Activation("relu"),), "of the generator's hidden layers", label="actg", varies=Change(2.0))
    activation_d:   PerHidden[OneActivation]    = column((Activation("lrelu"),), "of the discriminator's hidden layers", label="actd", varies=Change(2.0))
    batch_norm_g:   Switch                      = column(True, "batch normalisation in the generator, where `normalization_g` is empty", label="bng")
    batch_norm_d:   Switch                      = column(True, "batch normalisation in the discriminator but for its first layer, where `normalization_d` is empty", label="bnd")
    normalization_g: PerHidden[Normalization] | None = column(None, "of the generator's hidden layers; `spectral` is of their weights; empty: by `batch_norm_g`", label="normg", varies=Change(0.5), in_family={"pix2pix": ("instance",)})
    normalization_d: PerHidden[Normalization] | None = column(None, "of the discriminator's hidden layers; `spectral` is of their weights, and behind the last of the linear layer's, too; empty: by `batch_norm_d`", label="normd", varies=Change(0.5))
    dropout_g:      PerHidden[Decay]            = column((0.0,), "share of the values of the generator's hidden layers that are left out in training; `pix2pix`: of the three widest layers of its way up", label="dropg", varies=Change(0.5, from_zero=0.3), in_family={"pix2pix": (0.5,)})
    dropout_d:      PerHidden[Decay]            = column((0.0,), "share of the values of the discriminator's hidden layers that are left out in training", label="dropd", varies=Change(from_zero=0.3))
    noise_g:        PerHidden[NotNegative]      = column((0.0,), "deviation of Gaussian noise, added to the generator's hidden layers in training", varies=Change(from_zero=0.2))
    noise_d:        PerHidden[NotNegative]      = column((0.0,), "deviation of Gaussian noise, added to the discriminator's hidden layers in training", varies=Change(0.5, from_zero=0.2))

    z_dim:          Annotated[Count, Le(65536)] = column(100, "length of the latent vector", opens="Latents", label="z", varies=Change(0.5, spread=1.0), in_family={"fastgan": 256})
    z_distribution: Literal["uniform", "normal"] = column("uniform", "of latents: in [-1, 1], or around 0 with deviation 1", label="z", varies=Change(0.3), in_family={"fastgan": "normal"})
    latent_motion:  OneMotion                   = column(LatentMotion("fixed"), "`walk`: the samples' latents go a closed way, so that the film drifts", label="motion")

    loss:           OneLoss                     = column(Loss("vanilla"), "what generator and discriminator want", opens="Training", varies=Change(), in_family={"fastgan": Loss("hinge"), "cyclegan": Loss("lsgan"), "cartoon": Loss("lsgan"), "ppon": Loss("relativistic")})
    optimizer_g:    OneOptimizer                = column(Optimizer("adam"), "of the generator", label="optg", varies=Change(), in_family={"cartoon": Optimizer("adam", (("beta_2", 0.99),)), **dict.fromkeys(("superres", "ppon", "inbetween"), Optimizer("adam", (("beta_1", 0.9), ("beta_2", 0.99)))), "autoencoder": Optimizer("adam", (("beta_1", 0.9),))})
    optimizer_d:    OneOptimizer                = column(Optimizer("adam"), "of the discriminator", label="optd", varies=Change(), in_family={"cartoon": Optimizer("adam", (("beta_2", 0.99),)), **dict.fromkeys(_ENLARGERS, Optimizer("adam", (("beta_1", 0.9), ("beta_2", 0.99))))})
    learning_rate_g: Positive                   = column(0.0002, "of the generator", label="lrg", varies=Change(2.0, spread=1.0), in_family={"autoencoder": 0.001})
    learning_rate_d: Positive                   = column(0.0002, "of the discriminator", label="lrd", varies=Change(2.0, spread=1.0))
    schedule_g:     OneSchedule                 = column(Schedule("constant"), "of the generator's learning rate", varies=Change(0.5))
    schedule_d:     OneSchedule                 = column(Schedule("constant"), "of the discriminator's learning rate", varies=Change(0.5))
    warm_up:        Natural | None              = column(None, "updates in which learning rates rise from near 0 to what they are; empty: none, of a `stream` 30, since optimizers begin anew there")
    beta1_g:        Decay                       = column(0.5, "the optimizer's first decay, for the generator, where it has one", varies=Change(0.5, from_zero=0.5))
    beta1_d:        Decay                       = column(0.5, "the optimizer's first decay, for the discriminator, where it has one", varies=Change(0.5, from_zero=0.5))
    gradient_clip_g: OneClipping                = column(Clipping("none"), "of the generator's gradients", label="clipg", varies=Change(0.3))
    gradient_clip_d: OneClipping                = column(Clipping("none"), "of the discriminator's gradients", label="clipd", varies=Change(0.3))
    nbr_g_updates:  Annotated[Count, Le(100)]   = column(1, "updates of the generator per step", label="gups", varies=Change(0.5), nested="generator.updates")
    nbr_d_updates:  Annotated[Count, Le(100)]   = column(1, "updates of the discriminator per step", label="dups", varies=Change(0.5), nested="discriminator.updates")
    batch_size:     Annotated[Count, Le(65536)] | None = column(None, "pictures per update; empty: the samples in the grid", label="batch")
    label_smoothing: Annotated[Share, Lt(1)]    = column(0.0, "pictures count as so much less than 1, with the losses vanilla and lsgan", label="smooth", varies=Change(0.5, from_zero=0.3))
    instance_noise: NotNegative                 = column(0.0, "deviation of Gaussian noise, added to all that the discriminator is shown in training; pictures are in [-1, 1]", label="inoise", varies=Change(0.5, from_zero=0.3))
    diffaugment:    Several[Augmentation] | None = column(None, "differentiable augmentation of all that the discriminator is shown in training; empty or `none`: nothing is changed", in_family={"fastgan": ("color", "translation")})
    feature_matching: NotNegative               = column(0.0, "weight, in the generator's loss, of how far the means of the discriminator's last features lie apart; with several `gpus` on TensorFlow, means over each one's share of a batch", label="match", varies=Change(0.3, from_zero=1.0))
    perceptual:     str | None                  = column(None, "whole path of an HDF5 file with weights of VGG16, as Keras writes them: what `fastgan`'s discriminator reconstructs must then look alike to that network, too; of a `pix2pix`, for `perceptual` and `contextual` in `losses`; empty: pixels and their slopes are compared")
    ema:            Decay                       = column(0.0, "decay of a moving average of the generator's weights, which draws the samples; 0: the generator itself", in_family={"fastgan": 0.999})
    seed:           Annotated[int, Ge(0), Lt(2**31)] = column(0, "of weights, latents and the order of the pictures")
    precision:      Literal["auto", "float32", "bfloat16"] = column("auto", "of activations; weights are float32. `auto`: bfloat16 where the device computes in it natively, else float32")
    engine:         Literal["tensorflow", "jax"] = column("tensorflow", f"what trains the networks; `jax` needs the extra of that name: `{how_to_install('jax')}`", concerns="job")
    jit:            Literal["auto", "on", "off"] = column("auto", "compile the steps with XLA; `auto`: on GPUs, where that works. JAX always compiles", concerns="job")
    use_checkpoints: Switch                     = column(True, "save and resume; without, timecuts appear when the training is over", concerns="job")
    keep_checkpoints: EverySteps | None         = column(None, "`every 2000 steps`, or `2000`: the networks' weights of each 2000th step stay in runs/<name>/kept/, for walks from any of them or through all; empty: none", concerns="beside", may_change="later")

    init_from:      str | None                  = column(None, "a job, or the path of a checkpoint, whose networks this one starts from, at step 0", opens="Start from elsewhere", concerns="origin")
    init_fitting:   Switch                      = column(False, "start from what fits of `init_from` or `interpolate`; False: all must", concerns="job")
    interpolate_a:  str | None                  = column(None, "the first of two jobs or checkpoints between which this one starts", nested="interpolate.a", concerns="origin")
    interpolate_b:  str | None                  = column(None, "the second one", nested="interpolate.b", concerns="origin")
    interpolate_alpha: Share                    = column(0.5, "0: starts at the first one, 1: at the second", label="alpha", nested="interpolate.alpha", concerns="job")
    encoder_weights: str | None                 = column(None, "a job, the path of a checkpoint, or of Keras weights (`.keras`, `.h5`), whose encoder this one starts from; its decoder begins anew", concerns="origin", network="encoder", only_in=_CODERS)
    freeze_encoder: Switch                      = column(False, "the encoder stays as it came, from `encoder_weights` or `init_from`; the decoder learns alone", only_in=_CODERS)
    freeze_d:       Annotated[int, Ge(0), Le(10)] = column(0, "so many first layers of the discriminator do not learn")

    fps:            Annotated[Count, Le(240)]   = column(60, "frames per second of video", opens="Video", concerns="job")
    snapshot:       OneSnapshot                 = column(Snapshot("update"), "how often a frame shows the networks: `update`, `step`, or `every 10 steps`, also written `10`", in_family=dict.fromkeys(_MEASURED, Snapshot("step")))
    first_frame_after: Natural                  = column(0, "steps that are trained before the film begins, so that it does not open on grey; they take their time, and none of the film", concerns="job")
    auto_render_period: Annotated[Positive, Le(86_400), SECONDS] | None = column(None, "seconds of video per timecut, fractions allowed; empty: one cut at the end", concerns="job", may_change="later")
    render_res:     Size | None                 = column(None, "cuts the grid into boxes of this size, a video each; empty: the whole grid", concerns="job")
    render_video:   Switch                      = column(True, "False: PNG frames under renders/<name>/, no video", concerns="job")
    delete_images_after_render: Switch          = column(True, "False: PNG frames under renders/<name>/ as well as the video", concerns="beside")
    encoder:        OneEncoder                  = column("x264", "what makes `h264` and `h265`: x264 and x265, or `nvenc`, NVIDIA's encoder, where one frame of it succeeds", concerns="job", may_change="any")
    format:         Several[FormatName]         = column(("h264",), "of video: the first one is the film's and the timecuts', the others are made of the film, beside it (`night.hap.mov`); see docs/formats.md", concerns="job", may_change="any")
    crf:            Annotated[int, Ge(0), Le(51)] = column(17, "constant rate factor of x264 and x265, constant quality of NVENC and VP9; lower is better and larger", concerns="job", may_change="any")
    preset:         Preset                      = column("medium", "the encoder's effort, by x264's names; slower is smaller", concerns="job", may_change="any")
    loops:          Several[OneLoop] | None     = column(None, "seamless clips that are made when the film is there: `walk(beats=32, bpm=128)`, `pingpong(seconds=10)`", concerns="beside", may_change="any")
    apply_to:       Several[str] | None         = column(None, "whole paths of videos that the trained network is used on when the training is over, as `multitrain apply` does, an `inbetween` at twice their rate: `renders/<name>_applied0001.mp4` and so on, with their sound", concerns="beside", may_change="any", only_in=_OF_PICTURES)
    upload_to_ftp:  Switch                      = column(False, "send each finished video to the server in ftp.ini", concerns="beside", may_change="any")
    upload_to:      Annotated[str, AfterValidator(checked_destination)] | None = column(None, "send whatever is finished to `ftp://user@host/folder`, `sftp://…`, `s3://bucket/folder` or `file:///folder`; passwords stand in upload.ini, see docs/delivery.md", private="address", concerns="beside", may_change="any")
    backup_period:  Annotated[Positive, Le(10080), MINUTES] | None = column(None, "minutes between two backups of the newest checkpoint, sent there too, as <name>_checkpoint.zip; empty: none", concerns="beside", may_change="any")

    gpus:           Annotated[Count, Le(64)]    = column(1, "GPUs (or CPU slots) that train this job together", opens="Farm", concerns="job", may_change="any")
    memory_gb:      Positive | None             = column(None, "GPU memory that it needs, in GB of 2^30 bytes: it starts where so much is free; empty: where half of a GPU's memory is; with `--per-gpu`, half of its part, and what an earlier run of the like needed", concerns="beside", may_change="at once")
    priority:       Annotated[int, Ge(-1000), Le(1000)] = column(0, "jobs with a higher one start earlier; those with the same, in the order of the sheet", concerns="beside", may_change="at once")
    owner:          str | None                  = column(None, "who wants it: where jobs of several owners wait, each owner's jobs have their turn, so that all get as much time", concerns="beside", may_change="at once")
    after:          Several[Name] | None        = column(None, "names of jobs that are to be done before this one starts", concerns="beside", may_change="at once")
    retries:        Annotated[int, Ge(0), Le(1000)] = column(2, "further tries from the last checkpoint after a failure; counted anew once a try has reached a new checkpoint", concerns="beside", may_change="at once")
    stall_minutes:  Annotated[Positive, Le(10080), MINUTES] = column(20.0, "without a new step for so long, a try is ended and counts as failed; the first step of a try may take three times as long", concerns="job", may_change="any")
    on_done:        str | None                  = column(None, "a shell command that is run when the film is there, or an http(s):// address that is told of it; see docs/delivery.md", private="command", concerns="beside", may_change="at once")
    on_failed:      str | None                  = column(None, "the same when the job has failed", private="command", concerns="beside", may_change="at once")
    # fmt: on

    @model_validator(mode="before")
    @classmethod
    def _with_defaults_of_its_family(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {**_IN_FAMILY.get(str(given.get("family")).strip(), {}), **given}

    @property
    def pictures(self) -> tuple[Folder, ...]:
        """The folders of the pictures that networks learn to make."""
        return self.dataset or self.targets or self.stream or ()

    @property
    def column_of_pictures(self) -> str:
        """The column that names them."""
        return next((each for each in GROUP_OF["dataset"] if getattr(self, each)), "dataset")

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that pictures come from."""
        return names_of(self.pictures)

    @property
    def weights(self) -> tuple[int, ...] | None:
        """How often pictures of each folder are drawn; None: as often as there are of them."""
        return weights_of(self.pictures)

    @property
    def held_out(self) -> float | None:
        """The share of its pictures that it is measured by; None: none are held out."""
        names = names_of(self.validation)
        return share_in(names[0]) if len(names) == 1 else None

    @property
    def makings(self) -> tuple[Making, ...]:
        """The steps by which inputs are made of targets; none where there are inputs."""
        if self.inputs or self.side_by_side or self.family not in _OF_PAIRS:
            return ()
        return self.input_from or (Making("grey"), Making("blur"))

    @property
    def samples(self) -> int:
        """Cells of the grid."""
        return self.grid_width * self.grid_height

    @property
    def images_per_batch(self) -> int:
        if self.family in _CODERS and self.stream:
            return self.online_batch or self.fifo
        return self.batch_size or self.samples

    @property
    def warm_up_updates(self) -> int:
        """Updates in which learning rates rise."""
        if self.warm_up is None:
            return WARM_UP_OF_STREAMS if self.stream else 0
        return self.warm_up

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to its pictures; only for a job that was checked."""
        return Preprocessing.of(
            self.preprocess,
            self.load_size,
            self.crop_size,
            flip=self.flip,
            half=self.side_by_side if self.family in _OF_PAIRS else None,
        )

    @property
    def augmentations(self) -> tuple[Augmentation, ...]:
        """How the discriminator's pictures are changed."""
        return tuple(kind for kind in self.diffaugment or () if kind != "none")

    @property
    def length_column(self) -> str | None:
        """The column that says how long the film is; None in a row that is not whole."""
        for each in GROUP_OF["video_length"]:
            if getattr(self, each) is not None:
                return each
        return None

    @property
    def frames_per_step(self) -> int:
        """Frames of a step that shows any."""
        return 2 if self.snapshot.name == "update" else 1

    @property
    def steps_per_frame(self) -> int:
        """Steps from a frame to the next one that another step makes."""
        return self.snapshot["steps"] if self.snapshot.name == "every" else 1

    @property
    def keeps_images(self) -> bool:
        """Whether PNG frames stay under `renders/<name>/`."""
        return not (self.render_video and self.delete_images_after_render)


def names_of(folders: Iterable[Folder] | None) -> tuple[str, ...]:
    """The names of folders that a column names."""
    return tuple(folder.name for folder in folders or ())


def weights_of(folders: Iterable[Folder] | None) -> tuple[int, ...] | None:
    """How often pictures of each are drawn; None: as often as there are of them."""
    weights = [folder.weight for folder in folders or ()]
    if all(weight is None for weight in weights):
        return None
    return tuple(weight or 1 for weight in weights)


COLUMNS: dict[str, FieldInfo] = JobSpec.model_fields


def facets(name: str) -> Facets:
    """What belongs to the column `name` besides its type, its default and its description."""
    return facets_of(COLUMNS[name])


def _alternatives() -> Iterator[tuple[str, ...]]:
    """The columns of each group of which a job gives exactly one."""
    for group in dict.fromkeys(facets(name).one_of for name in COLUMNS):
        if group:
            yield tuple(name for name in COLUMNS if facets(name).one_of == group)


ALTERNATIVES = tuple(_alternatives())
# Of each column in such a group, the group.
GROUP_OF = {column: group for group in ALTERNATIVES for column in group}

# Of columns of which a job gives one at most, those of each group.
RIVALS = tuple(
    tuple(name for name in COLUMNS if facets(name).one_at_most == group)
    for group in dict.fromkeys(facets(name).one_at_most for name in COLUMNS)
    if group
)

COLUMNS_OF_SIZE = frozenset(column for column in COLUMNS if facets(column).sizes == "picture")


def means_something(column: str, family: str) -> bool:
    """False: the column is said to be for other families alone."""
    only_in = facets(column).only_in
    return not only_in or family in only_in


def default_of(column: str, family: str) -> Any:
    """What the setting is where a job of this family does not say; not for required columns."""
    return facets(column).in_family.get(family, COLUMNS[column].default)


@cache
def defaults_of(family: str) -> Mapping[str, Any]:
    """`default_of` each column: found once, for sheets with thousands of rows."""
    return {column: default_of(column, family) for column in COLUMNS}


_IN_FAMILY: dict[str, dict[str, Any]] = {}
for _column in COLUMNS:
    for _family, _value in facets(_column).in_family.items():
        _IN_FAMILY.setdefault(_family, {})[_column] = _value
