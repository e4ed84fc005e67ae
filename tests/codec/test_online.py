"""A training that is watched by what a receiver, a process of its own, shows of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.families.feed import PICTURES
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.codec.files import Decoding, finish, look, opened_facts, shown
from multitrain.codec.online import OnlineSession
from multitrain.codec.receiving import Shown
from multitrain.codec.sources import Video
from multitrain.codec.stream import Kind
from multitrain.engine.feeds import OpenFeed
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session

SIZE, FRAMES, FIFO = Resolution(32, 24), 11, 4
STEPS, HALF = 23, 10
SETTINGS = SessionSettings(deterministic=True)


def job(**columns: object) -> JobFile:
    cells = {"name": "live", "family": "autoencoder", "stream": "film.mp4", "features": 4}
    cells |= {"grid_width": 1, "grid_height": 1, "steps": STEPS, "latent_channels": 3}
    cells |= {"fifo": FIFO, "online_batch": 2, "learning_rate_g": 0.02, "warm_up": 2}
    cells |= {"update_every": 3, "update_life": 100_000, "precision": "float32"}
    cells |= {"show": "input+output+difference+curve"}
    spec = JobSpec.model_validate(cells | columns)
    return JobFile(spec=spec, image_width=SIZE.width, image_height=SIZE.height)


def opened(folder: Path, job: JobFile) -> OnlineSession:
    (feed,) = job.feeds
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (FRAMES, 3, 4, 3), np.uint8)
    pictures = blocks.repeat(8, axis=1).repeat(8, axis=2)
    inner = open_session(job, {PICTURES: OpenFeed(feed, pictures)}, SETTINGS)
    return OnlineSession(job, Video(pictures), inner, SETTINGS, folder / "live.mtc")


class Whole:
    """A training of all steps, in blocks, that was never interrupted."""

    def __init__(self, folder: Path) -> None:
        self.folder, session = folder, opened(folder, job())
        first = session.run(HALF)
        self.half = session.state()
        second = session.run(STEPS - HALF)
        self.frames = np.concatenate([first.frames, second.frames])
        self.losses = second.losses
        self.last_frame = session.last_frame()
        self.state = session.state()
        session.close()
        self.stream = (folder / "live.mtc").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return Whole(tmp_path_factory.mktemp("whole"))


def receiver_shows(path: Path) -> Iterator[np.ndarray]:
    from multitrain.codec.coding import Coding
    from multitrain.inference.network import Device

    with path.open("rb") as file:
        facts = opened_facts(file)
        coding = Coding(facts, Device(facts.job, SETTINGS))
        for each in shown(file, facts, coding, Decoding()):
            assert isinstance(each, Shown), each
            yield each.picture


def test_the_film_shows_what_the_receiver_makes_of_the_bytes(whole: Whole) -> None:
    output = whole.folder / "published.mtc"
    finish(whole.folder / "live.mtc", output)
    pictures = np.stack(list(receiver_shows(output)))
    assert whole.frames.shape == (STEPS, SIZE.height + 24, 3 * SIZE.width, 3)
    assert np.array_equal(whole.frames[:, : SIZE.height, 32:64], pictures)
    assert np.array_equal(whole.last_frame[0], whole.frames[-1])
    assert len(np.unique(pictures)) > 10, "the pictures say nothing"


def test_every_byte_and_every_version_is_counted(whole: Whole) -> None:
    contents = look(whole.folder / "live.mtc")
    assert sum(contents.bytes.values()) == len(whole.stream)
    assert contents.packets[Kind.FRAME] == STEPS
    assert contents.packets[Kind.WEIGHTS] == 1
    assert contents.packets[Kind.CHANGE] == len(contents.models) - 1 > 0
    assert whole.losses["bytes"] > 0
    assert 5 < whole.losses["psnr"] < 40


def test_a_resume_goes_on_as_if_nothing_had_been(whole: Whole, tmp_path: Path) -> None:
    """Also where more was sent than the checkpoint covers: that is sent anew."""
    (tmp_path / "live.mtc").write_bytes(whole.stream)
    again = opened(tmp_path, job())
    again.restore(whole.half)
    assert np.array_equal(again.last_frame()[0], whole.frames[HALF - 1])
    assert np.array_equal(again.run(STEPS - HALF).frames, whole.frames[HALF:])
    found = again.state()
    again.close()
    assert (tmp_path / "live.mtc").read_bytes() == whole.stream
    assert found.keys() == whole.state.keys()
    assert all(np.array_equal(found[name], each) for name, each in whole.state.items())
