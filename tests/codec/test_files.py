"""Videos as streams in files, and back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError
from jobs.settings.kinds import Resolution
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from multitrain.codec.coding import Coding
from multitrain.codec.facts import Facts
from multitrain.codec.files import Contents, Decoding, decode, encode, look, rehearse
from multitrain.codec.sending import Sender
from multitrain.codec.stream import Kind, Packet, StreamWriter, read_header, read_packets
from multitrain.engine.session import SessionSettings, State
from multitrain.families.autoencoder.describing import build
from multitrain.inference.network import Device
from render.files.film import Film
from tests.footage import write_video

FRAMES, SIZE = 12, Resolution(32, 24)
CELLS = {
    "dataset": "d",
    "grid_width": 1,
    "grid_height": 1,
    "steps": 1,
    "features": 4,
    "precision": "float32",
}


def facts(**columns: object) -> Facts:
    given = {"name": "tiny", "family": "autoencoder", "net": "small", **CELLS, **columns}
    job = JobFile(spec=JobSpec.model_validate(given), image_width=SIZE[0], image_height=SIZE[1])
    return Facts(job, SIZE, Fraction(25), job.spec.latent_channels)


class Made:
    """A stream of a video, and what was needed for it."""

    def __init__(self, folder: Path, seed: int = 0, memory: str = "none") -> None:
        self.facts = facts(seed=seed, latent_channels=4, memory=memory)
        self.coding = Coding(self.facts, Device(self.facts.job, SessionSettings()))
        networks = build(self.facts.job.spec, SIZE)
        self.weights: State = {
            f"{network.name}/{each.path}": 2 * each.numpy()  # so that there is something to see
            for network in (networks.encoder, networks.decoder)
            for each in network.variables
        }
        random = np.random.default_rng(seed)
        blocks = random.integers(0, 256, (FRAMES, 3, 4, 3), np.uint8)
        film = write_video(folder / "film.mp4", blocks.repeat(8, axis=1).repeat(8, axis=2))
        self.film = Film.look(film)
        self.path = folder / "film.mtc"
        self.frames: list[int] = []

    def encode(self, key_every: int = 0) -> Contents:
        how = self.film, self.facts, self.coding, self.weights, self.path, self.frames.append
        return encode(*how, key_every=key_every)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("codec"))
    made.encode()
    return made


def pictures(path: Path) -> np.ndarray:
    from render.files.reading import FilmReader, frames_in_order

    with FilmReader([Film.look(path)]) as reader:
        return np.stack(list(frames_in_order(reader)))


def decoded(made: Made, how: Decoding, path: Path | None = None) -> tuple[np.ndarray, list[str]]:
    output = made.path.with_name("decoded.mkv")
    source = path or made.path
    frames = rehearse(source, how, has_memory=how.memory is not None)
    troubles = decode(source, made.coding, how, frames, output, "ffv1", lambda _: None)
    return pictures(output), troubles


def test_every_byte_of_a_stream_is_counted(made: Made) -> None:
    contents, found = made.encode(), look(made.path)
    assert made.frames[-1] == FRAMES
    for each in (contents, found):
        assert sum(each.bytes.values()) == made.path.stat().st_size
        wanted = {Kind.WEIGHTS: 1, Kind.KEY: 1, Kind.FRAME: FRAMES - 1, Kind.END: 1}
        assert each.packets == wanted
        assert each.ratio == pytest.approx(3 * 32 * 24 * FRAMES / made.path.stat().st_size)
    assert not found.troubles


def test_what_comes_back_is_what_both_networks_make(made: Made) -> None:
    found, troubles = decoded(made, Decoding())
    coder, encoder, decoder = build(made.facts.job.spec, SIZE)
    for network in (encoder, decoder):
        for each in network.variables:
            half = np.float16 if network is decoder else np.float32
            each.assign(made.weights[f"{network.name}/{each.path}"].astype(half))
    frames = pictures(made.film.path)
    wanted = np.asarray(coder.decode(decoder, coder.encode(encoder, frames)))
    assert not troubles
    assert found.std() > 5
    np.testing.assert_allclose(found.astype(int), wanted, atol=1)


def test_lost_packets_leave_the_picture_before(made: Made) -> None:
    whole, _ = decoded(made, Decoding())
    found, troubles = decoded(made, Decoding(lose=0.4, seed=1))
    again, _ = decoded(made, Decoding(lose=0.4, seed=1))
    assert len(found) == FRAMES
    assert any("lost" in each for each in troubles)
    np.testing.assert_array_equal(found, again)
    same = [(one == other).all() for one, other in zip(found, whole, strict=True)]
    assert 0 < sum(same) < FRAMES
    held = [place for place in range(1, FRAMES) if not same[place]]
    assert all((found[place] == found[place - 1]).all() for place in held)


def test_a_memory_of_another_training_makes_other_pictures(made: Made, tmp_path: Path) -> None:
    other = Made(tmp_path, seed=5)
    memory = made.coding.weights_of_decoder(other.weights)
    found, troubles = decoded(made, Decoding(memory=memory))
    assert not troubles
    assert np.abs(found.astype(int) - decoded(made, Decoding())[0]).mean() > 5


KEYS = 5  # frames from one to the next


def packets_of(path: Path, facts: Facts) -> tuple[bytes, list[Packet]]:
    with path.open("rb") as file:
        read_header(file)
        header = path.read_bytes()[: file.tell()]
        each = list(read_packets(file, facts.most_bytes))
    assert all(isinstance(packet, Packet) for packet in each)
    return header, each  # type: ignore[return-value]


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = Made(tmp_path_factory.mktemp("memory"), memory="conv-lstm")
    assert made.encode(KEYS).packets[Kind.KEY] == 3
    return made


def test_a_stream_with_memory_is_decoded_as_clips_from_key_frame_to_key_frame(
    remembering: Made,
) -> None:
    found, troubles = decoded(remembering, Decoding())
    coder, encoder, decoder = build(remembering.facts.job.spec, SIZE, KEYS)
    for network in (encoder, decoder):
        for each in network.variables:
            half = np.float16 if network is decoder else np.float32
            each.assign(remembering.weights[f"{network.name}/{each.path}"].astype(half))
    frames = pictures(remembering.film.path)[: 2 * KEYS]
    sent = coder.sent(encoder(coder.seen(frames.astype(np.float32))))
    shares, _ = coder.decoded(decoder, coder.received(sent), frames=KEYS)
    wanted = np.asarray(coder.levels(shares))
    assert not troubles
    np.testing.assert_allclose(found[: 2 * KEYS].astype(int), wanted.round(), atol=1)
    alone = np.asarray(
        coder.levels(coder.decoded(decoder, coder.received(sent)[3:8], None, KEYS)[0])
    )
    assert np.abs(alone - wanted[3:8]).max() > 3, "it remembers nothing"


def test_a_stream_is_joined_at_a_key_frame_and_a_loss_is_over_there(
    remembering: Made, tmp_path: Path
) -> None:
    whole, _ = decoded(remembering, Decoding())
    header, packets = packets_of(remembering.path, remembering.facts)
    second = [each.kind for each in packets].index(Kind.WEIGHTS, 1)
    joined, lossy = tmp_path / "joined.mtc", tmp_path / "lossy.mtc"
    joined.write_bytes(header + b"".join(each.written() for each in packets[second - 2 :]))
    lossy.write_bytes(header + b"".join(each.written() for each in packets if each.frame != 1))

    found, told = decoded(remembering, Decoding(), joined)
    np.testing.assert_array_equal(found, whole[KEYS:])
    assert len(told) == 1
    assert told[0].startswith("the stream begins with packet 4: what comes before its next key")

    spoilt, told = decoded(remembering, Decoding(), lossy)
    assert [each.split()[:2] for each in told] == [["frame", "1"], ["frame", "2"]]
    assert not (spoilt[2:KEYS] == whole[2:KEYS]).all()
    np.testing.assert_array_equal(spoilt[KEYS:], whole[KEYS:])
    contents = look(joined)
    assert (contents.packets[Kind.KEY], contents.frames) == (2, FRAMES - KEYS + 2)


@pytest.mark.parametrize(
    "columns",
    [{"net": "small"}, {"net": "oval"}, {"net": "small", "memory": "conv-lstm"}],
    ids=str,
)
def test_a_plan_knows_how_many_weights_each_array_has(columns: dict[str, object]) -> None:
    planned = replace(facts(**columns), size=Resolution(48, 36))
    coding = Coding(planned, Device(planned.job, SessionSettings()))
    sizes = [int(np.prod(shape)) for shape in coding.shapes.values()]
    assert [size for (size,) in planned.flat_shapes.values()] == sizes


def test_frames_are_foreseen_of_a_stream_whose_weights_change(made: Made, tmp_path: Path) -> None:
    path, frames = tmp_path / "changing.mtc", pictures(made.film.path)[:3]
    encoder = made.coding.place_encoder(made.weights)
    with path.open("wb") as file:
        first = made.coding.weights_of_decoder(made.weights)
        sender = Sender.beginning(StreamWriter(file, made.facts.written()), first)
        for factor, frame in zip((1.1, 1.2, 1.3), frames, strict=True):
            weights = {name: factor * array for name, array in first.items()}
            sender.send_weights(sender.offer(weights))  # so there is no frame of the first ones
            sender.send_frame(made.coding.encoded(encoder, frame))
        sender.writer.write(Kind.END, 0, sender.frame)
    found, troubles = decoded(made, Decoding(), path)
    assert (len(found), troubles) == (3, [])


@pytest.mark.parametrize("kept", [20, 300, -1])
def test_what_is_cut_off_is_told_and_what_is_there_is_shown(made: Made, kept: int) -> None:
    short = made.path.with_name("short.mtc")
    short.write_bytes(made.path.read_bytes()[:kept])
    if kept > 0:
        with pytest.raises(MultitrainError, match=r"short\.mtc (has a damaged|can be decoded)"):
            decoded(made, Decoding(), short)
    else:
        found, troubles = decoded(made, Decoding(), short)
        assert len(found) == FRAMES
        assert troubles == ["the stream is cut off: its end is missing"]
        assert look(short).troubles == troubles
