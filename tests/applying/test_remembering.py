"""Videos by a network that remembers: each frame by those before, and the next one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from jobs.errors import UsageError
from jobs.settings.kinds import Resolution
from jobs.workspace.paths import JobPaths, Workspace
from multitrain.applying import asked as asking
from multitrain.applying import planning
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks, make_video
from multitrain.applying.planning import VideoPlan
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.engine.session import SessionSettings
from multitrain.families.autoencoder.describing import build
from multitrain.families.superres.describing import describe_application
from multitrain.families.superres.remembering import Remembering
from multitrain.inference.network import Device
from multitrain.networks.colours import to_network, to_picture
from render.encoding.streaming import FrameSink
from render.files.film import Film
from tests.applying.conftest import Learn, Learnt
from tests.applying.test_translator import far
from tests.applying.test_videos import frames_of
from tests.footage import write_video

FPS = Fraction(10)
SIZE = Resolution(46, 36)
FRAMES, CUT = 17, 8

Make = Callable[..., np.ndarray]


@pytest.fixture
def learnt(learn: Learn) -> Learnt:
    return learn(family="superres", net="recurrent", features=4, blocks=1, scale=2)


def pan(number: int, frames: int) -> np.ndarray:
    """Over a landscape, `(frames, height, width, 3)`."""
    picture = draw_landscape(number, 2 * SIZE.width, SIZE.height)
    return np.stack([picture[:, 2 * place : 2 * place + SIZE.width] for place in range(frames)])


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """Of two shots."""
    frames = np.concatenate([pan(1, CUT), 255 - pan(3, FRAMES - CUT)])
    return Film.look(write_video(tmp_path / "film.mkv", iter(frames), fps=FPS))


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five frames."""
    monkeypatch.setattr(planning, "PIECE_SECONDS", 0.5)


@pytest.fixture
def make(paths: JobPaths, learnt: Learnt, film: Film, tmp_path: Path) -> Make:
    """`make(name, **how)`: the frames of what is made of the film."""

    def make(name: str = "a", film: Film = film, **how: object) -> np.ndarray:
        asked = Asked(Workspace(paths.workspace.root), learnt.job, **how)
        asked.check()
        course = asked.course(asked.moments(), film.frames)
        plan = VideoPlan.of(asked, course, film, "ffv1", tmp_path / name)
        networks = Networks(asked, Device(learnt.job, SessionSettings()))
        network = partial(networks.following, course, plan.size, plan.share)
        output = tmp_path / f"{name}.mkv"
        make_video(plan, output, "multitrain 0", network, lambda _: None)
        return frames_of(output)

    return make


def wanted(learnt: Learnt, frames: np.ndarray) -> np.ndarray:
    """As in training, where all frames are one clip."""
    network = learnt.model.networks["generator"]
    values = to_network("rgb", ops.convert_to_tensor(frames[None]))
    of_size = describe_application(learnt.job.spec, SIZE, "generator", raw=True).network
    of_size.set_weights(network.get_weights())
    return np.asarray(to_picture("rgb", Remembering.of(learnt.job.spec).clip(of_size, values)))[0]


def test_each_shot_is_made_as_one_clip(learnt: Learnt, film: Film, make: Make) -> None:
    made, frames = make(), frames_of(film.path)

    assert made.shape == (FRAMES, 2 * SIZE.height, 2 * SIZE.width, 3)
    assert far(made[:CUT], wanted(learnt, frames[:CUT])) <= 1
    assert far(made[CUT:], wanted(learnt, frames[CUT:])) <= 1
    assert far(made[CUT:], wanted(learnt, frames)[CUT:]) > 1, "nothing goes on beyond a cut"


def test_it_remembers(learnt: Learnt, film: Film) -> None:
    """Else the test above would say little."""
    frames = frames_of(film.path)[:CUT]
    alone = np.concatenate([wanted(learnt, each[None]) for each in frames])
    assert far(wanted(learnt, frames), alone) > 1


def test_a_call_that_was_killed_goes_on_with_what_it_remembers(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, write = make("whole"), FrameSink.write
    frames = 0

    def dies(sink: FrameSink, blocks: np.ndarray) -> None:
        nonlocal frames
        frames += len(blocks)
        if frames > 12:
            raise ZeroDivisionError
        write(sink, blocks)

    with monkeypatch.context() as patch:
        patch.setattr(FrameSink, "write", dies)
        with pytest.raises(ZeroDivisionError):
            make("killed")
    np.testing.assert_array_equal(make("killed"), whole)


def test_tiles_make_what_the_whole_frame_makes(
    make: Make, monkeypatch: pytest.MonkeyPatch, paths: JobPaths, learnt: Learnt
) -> None:
    whole = make("whole")
    monkeypatch.setattr(asking, "TILE_BYTES", 60_000)
    assert Asked(paths.workspace, learnt.job).tiling(SIZE).count > 1
    assert far(make("tiled"), whole) <= 1


def test_a_closed_loop_has_seen_its_end_before_its_beginning(
    learnt: Learnt, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it played for the second time; of random weights, only a few frames can be compared."""
    monkeypatch.setattr(planning, "REMEMBERED", 3)
    there = pan(1, 8)
    loop = np.concatenate([there, there[-2:0:-1]])
    film = Film.look(write_video(tmp_path / "loop.mkv", iter(loop), fps=FPS))

    closed = make("closed", film, closed=True)

    frames = frames_of(film.path)
    played = np.concatenate([frames[-3:], frames[:4]])
    second = wanted(learnt, played)[3:6]
    assert far(closed[:3], second) <= 1
    assert far(make("plain", film)[:3], second) > 1


def test_the_last_frame_of_a_closed_loop_sees_the_first(
    learnt: Learnt, film: Film, paths: JobPaths, tmp_path: Path
) -> None:
    for closed, follows in ((True, 0), (False, FRAMES - 1)):
        asked = Asked(paths.workspace, learnt.job, closed=closed)
        course = asked.course(asked.moments(), film.frames)
        plan = VideoPlan.of(asked, course, film, "ffv1", tmp_path)
        assert [plan.after(number) for number in (0, FRAMES - 1)] == [1, follows]


def test_an_autoencoder_remembers_each_shot(
    learn: Learn, paths: JobPaths, film: Film, tmp_path: Path
) -> None:
    learnt = learn(family="autoencoder", features=4, latent_channels=3, memory="conv-lstm")
    asked = Asked(paths.workspace, learnt.job)
    asked.check()
    course = asked.course(asked.moments(), FRAMES)
    plan = VideoPlan.of(asked, course, film, "ffv1", tmp_path / "pieces")
    networks = Networks(asked, Device(learnt.job, SessionSettings()))
    make_video(plan, tmp_path / "a.mkv", "a", lambda: networks.of_video(plan), lambda _: None)
    made, frames = frames_of(tmp_path / "a.mkv"), frames_of(film.path)

    def wanted(shot: np.ndarray) -> np.ndarray:
        coder, encoder, decoder = build(learnt.job.spec, SIZE, len(shot))
        encoder.set_weights(learnt.model.networks["encoder"].get_weights())
        decoder.set_weights(learnt.model.networks["decoder"].get_weights())
        sent = coder.sent(encoder(coder.seen(shot.astype(np.float32))))
        return np.asarray(
            coder.levels(coder.decoded(decoder, coder.received(sent), None, len(shot))[0])
        ).round()

    for shot in (slice(0, CUT), slice(CUT, FRAMES)):
        assert far(made[shot], wanted(frames[shot])) <= 1
    assert far(made[CUT:], wanted(frames)[CUT:]) > 1


def test_what_does_not_go_with_memory_is_told(make: Make) -> None:
    with pytest.raises(UsageError, match="leave out --ensemble"):
        make(ensemble=True)
