"""NVENC where it works, x264 elsewhere, and one encoder for all that is joined."""

from __future__ import annotations

import json
import re
import sys
import textwrap

import av
import pytest

from jobs.errors import MultitrainError, ProgramFailed
from jobs.plans.plan import FrameRange
from jobs.workspace.files import listing
from render.encoding import ffmpeg
from render.files.merge import join
from render.films import encoders
from render.films import nvenc as nvenc_module
from render.films.nvenc import NVENC
from render.films.segments import encode_batch
from render.spool.sources import Rewound
from render.spool.spool import rewind
from tests.render.numbered import checkpoint, numbers_in, spool
from tests.render.workbench import checksum, run, whole

FIRST, SECOND, THIRD = (FrameRange(start, start + 10) for start in (0, 10, 20))

# An ffmpeg whose h264_nvenc is x264 with other settings, and hevc_nvenc x265; it fails where a file
# `broken` is there.
STAND_IN = """\
    #!{python}
    import os, sys
    from pathlib import Path

    here, command = Path(__file__).parent, sys.argv[1:]
    stand_ins = {{
        "h264_nvenc": "libx264 -profile:v main -preset ultrafast -crf 5",
        "hevc_nvenc": "libx265 -preset ultrafast -crf 5 -x265-params "
        "keyint=30:bframes=0:open-gop=0:info=0:log-level=error",
    }}
    if any(name in command for name in stand_ins):
        with open(here / "calls", "a") as calls:
            print(command[-1], file=calls)
        if (here / "broken").exists():
            sys.exit((here / "broken").read_text())
    for name, instead in stand_ins.items():
        while name in command:
            first = command.index(name)
            last = command.index("-forced-idr", first) + 2
            command[first:last] = instead.split()
    os.execv("{ffmpeg}", ["ffmpeg", *command])
"""


class StandIn:
    """The ffmpeg on PATH."""

    def __init__(self, folder):
        self._folder = folder
        program = folder / "ffmpeg"
        script = STAND_IN.format(python=sys.executable, ffmpeg=ffmpeg.find())
        program.write_text(textwrap.dedent(script))
        program.chmod(0o755)

    def breaks(self, words="OpenEncodeSessionEx failed: out of memory (10)"):
        (self._folder / "broken").write_text(words)

    @property
    def encoded(self):
        """How many videos were to be made with NVENC, without those made to ask."""
        return sum("/segments/" in line for line in self._calls())

    @property
    def asked(self):
        return len(self._calls()) - self.encoded

    def _calls(self):
        calls = self._folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture(autouse=True)
def nothing_known():
    NVENC.forget()
    yield
    NVENC.forget()


@pytest.fixture
def nvenc(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    stand_in = StandIn(folder)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return stand_in


@pytest.fixture
def make_nvenc_job(make_job):
    def make(name="job", **columns):
        return make_job(name, encoder="nvenc", **({"preset": "medium"} | columns))

    return make


def settings(video):
    """The parameter sets of H.264: the same for all files that may be joined."""
    with av.open(str(video)) as container:
        return container.streams.video[0].codec_context.extradata


def kept(paths):
    return json.loads(paths.encoder.read_text())


def test_without_nvenc_x264_serves_and_people_are_told_once(
    make_nvenc_job, make_job, start_worker, monkeypatch, caplog
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # also where there is a GPU
    asked = []
    try_out = nvenc_module._try_out
    monkeypatch.setattr(nvenc_module, "_try_out", lambda *given: asked.append(1) or try_out(*given))
    jobs = [make_nvenc_job("job", frames=40), make_nvenc_job("other", frames=20)]
    for paths, job in jobs:
        whole(paths, job)
    run(start_worker("job", "other"))
    assert len(asked) == len(list(ffmpeg.candidates()))
    for paths, job in jobs:
        assert numbers_in(paths.film()) == list(range(job.plan.frames_total))
        assert json.loads(paths.manifest.read_text())["encoder"] == "x264"
        told = f"{paths.name}: encoded with x264, for NVENC does not work here: "
        assert caplog.text.count(told) == 1
        assert re.search(r"ffmpeg[^:]*: [A-Z][^\[\n]+$", encoders.shortfall(paths))
    paths, job = make_job("plain", frames=40, preset="medium")
    whole(paths, job)
    run(start_worker("plain"))
    assert checksum(paths.film()) == checksum(jobs[0][0].film())
    assert not paths.encoder.exists()


@pytest.mark.parametrize(
    "columns",
    [{}, {"crf": 0}, {"grid_width": 2, "render_res": "32x32"}, {"format": "h265"}],
)
def test_with_nvenc_every_frame_is_there(make_nvenc_job, start_worker, nvenc, columns):
    paths, job = make_nvenc_job(frames=50, cut=20, **columns)
    whole(paths, job)
    run(start_worker("job"))
    assert (nvenc.asked, nvenc.encoded) == (1, 5)
    assert json.loads(paths.manifest.read_text())["encoder"] == "nvenc"
    for box in job.plan.box_numbers:
        offset = 1000 * ((box or 1) - 1)
        assert numbers_in(paths.film(box)) == [offset + number for number in range(50)]
    assert encoders.shortfall(paths) == ""


def test_a_job_keeps_its_encoder(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 30)
    nvenc.breaks()
    encode_batch(paths, job, FIRST)
    assert kept(paths)["encoder"] == "x264"
    nvenc._folder.joinpath("broken").unlink()
    NVENC.forget()  # another worker
    encode_batch(paths, job, SECOND)
    assert nvenc.encoded == 0
    assert settings(paths.segment(FIRST)) == settings(paths.segment(SECOND))


def test_nvenc_that_fails_on_the_way_costs_nothing(make_nvenc_job, start_worker, nvenc, caplog):
    paths, job = make_nvenc_job(frames=60, cut=20)
    spool(paths, job, 0, 30)
    checkpoint(paths, 30)
    worker = start_worker("job")
    worker.tick(0.0)
    worker.tick(1.0)
    published = checksum(paths.timecut(1))
    by_nvenc = settings(paths.segment(FIRST))
    assert nvenc.encoded == 3
    nvenc.breaks()
    spool(paths, job, 30, 60)
    checkpoint(paths, 60)
    run(worker, start=2.0)
    assert nvenc.encoded == 4, "it fails once and is let be"
    assert caplog.text.count("job: NVENC failed, going on with x264: ") == 1
    assert "out of memory" in encoders.shortfall(paths)
    assert checksum(paths.timecut(1)) == published
    assert numbers_in(paths.film()) == list(range(60))
    assert {*map(settings, (paths.timecut(2), paths.timecut(3), paths.film()))} != {by_nvenc}
    assert settings(paths.timecut(2)) == settings(paths.timecut(3)) == settings(paths.film())
    assert not in_band_settings(paths.film()), "one encoder made all of it"
    assert kept(paths)["left"] == []


def test_h265_goes_on_with_x265(make_nvenc_job, start_worker, nvenc, caplog):
    paths, job = make_nvenc_job(frames=30, cut=20, format="h265")
    spool(paths, job, 0, 10)
    run(start_worker("job"))
    by_nvenc = settings(paths.segment(FIRST))
    nvenc.breaks()
    spool(paths, job, 10, 30)
    checkpoint(paths, 30)
    run(start_worker("job"))
    assert caplog.text.count("job: NVENC failed, going on with x265: ") == 1
    assert numbers_in(paths.film()) == list(range(30))
    assert settings(paths.timecut(1)) == settings(paths.film()) != by_nvenc
    assert kept(paths)["left"] == []


def in_band_settings(video):
    """The parameter sets of H.264 that stand among the frames, where those of two were joined."""
    found = set()
    with av.open(str(video)) as container:
        for packet in container.demux(video=0):
            data = bytes(packet)
            while data:  # units with their lengths in front
                length = int.from_bytes(data[:4], "big")
                unit, data = data[4 : 4 + length], data[4 + length :]
                if unit[0] & 31 in (7, 8):
                    found.add(unit)
    return found


def test_films_of_two_encoders_are_known_by_their_settings(make_nvenc_job, nvenc):
    """What the test above looks for is there where files of both are joined as they are."""
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 20)
    encode_batch(paths, job, FIRST)
    encoders.give_up_nvenc(paths, job, MultitrainError("it is gone"))
    encode_batch(paths, job, SECOND)
    join([paths.segment(FIRST), paths.segment(SECOND)], paths.segments / "both.mp4", 20)
    assert len(in_band_settings(paths.segments / "both.mp4")) > 2


def test_a_worker_that_is_killed_in_between_is_followed_by_one_that_ends_the_work(
    make_nvenc_job, start_worker, nvenc, monkeypatch
):
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 30)
    encode_batch(paths, job, FIRST)
    encode_batch(paths, job, SECOND)
    nvenc.breaks()
    encode_batch(paths, job, THIRD)
    files = [(each, [paths.segment(each)]) for each in (FIRST, SECOND, THIRD)]
    with monkeypatch.context() as patches:
        patches.setattr(encoders, "_settle", raiser(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            encoders.make_alike(paths, job, files)
    assert kept(paths)["left"] == [paths.segment(each).name for each in (FIRST, SECOND)]
    checkpoint(paths, 30)
    run(start_worker("job"))
    assert numbers_in(paths.film()) == list(range(30))


def raiser(error):
    def fail(*_, **__):
        raise error

    return fail


def test_segments_of_nvenc_alone_are_joined_as_they_are(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 30)
    encode_batch(paths, job, FIRST)
    encode_batch(paths, job, SECOND)
    before = [checksum(paths.segment(each)) for each in (FIRST, SECOND)]
    encoders.give_up_nvenc(paths, job, MultitrainError("it is gone"))
    encoders.make_alike(paths, job, [(each, [paths.segment(each)]) for each in (FIRST, SECOND)])
    assert [checksum(paths.segment(each)) for each in (FIRST, SECOND)] == before


def test_what_nvenc_ends_after_it_was_given_up_does_not_count(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=20)
    spool(paths, job, 0, 20)
    used = encoders.choose(paths, job)
    assert used.encoder == "nvenc"
    encoders.give_up_nvenc(paths, job, MultitrainError("it is gone"))
    with pytest.raises(Rewound):
        encoders.require(paths, job, used, [paths.segment(FIRST)])


def test_what_is_made_again_counts_as_made_by_x264(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 20)
    encode_batch(paths, job, FIRST)
    encode_batch(paths, job, SECOND)
    encoders.give_up_nvenc(paths, job, MultitrainError("it is gone"))
    rewind(paths, job.plan, 10)
    spool(paths, job, 10, 20)
    encode_batch(paths, job, SECOND)
    assert kept(paths)["left"] == [paths.segment(FIRST).name]


def test_a_batch_that_is_taken_back_is_no_failure_of_nvenc(make_nvenc_job, nvenc, monkeypatch):
    paths, job = make_nvenc_job(frames=30)
    spool(paths, job, 0, 25)
    encode_batch(paths, job, FIRST)
    real = ffmpeg.run

    def fails(command, timeout=None):
        rewind(paths, job.plan, 13)
        real(command, timeout)

    monkeypatch.setattr(ffmpeg, "run", fails)
    with pytest.raises(Rewound):
        encode_batch(paths, job, SECOND)
    assert kept(paths)["encoder"] == "nvenc"


def test_a_full_disk_says_nothing_of_nvenc(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=20)
    spool(paths, job, 0, 20)
    nvenc.breaks("No space left on device")
    with pytest.raises(ProgramFailed):
        encode_batch(paths, job, FIRST)
    assert not paths.encoder.exists()
    NVENC.forget()
    nvenc._folder.joinpath("broken").unlink()
    encode_batch(paths, job, FIRST)
    nvenc.breaks("No space left on device")
    with pytest.raises(ProgramFailed):
        encode_batch(paths, job, SECOND)
    assert kept(paths)["encoder"] == "nvenc"
    assert listing(paths.segments) == [paths.segment(FIRST).name]


def test_a_batch_that_x264_cannot_encode_either_says_nothing_of_nvenc(
    make_nvenc_job, nvenc, monkeypatch
):
    paths, job = make_nvenc_job(frames=20)
    spool(paths, job, 0, 20)
    encode_batch(paths, job, FIRST)

    def fails(command, timeout=None):
        raise MultitrainError("ffmpeg was killed")

    with monkeypatch.context() as patches:
        patches.setattr(ffmpeg, "run", fails)
        with pytest.raises(MultitrainError, match="was killed"):
            encode_batch(paths, job, SECOND)
    assert kept(paths)["encoder"] == "nvenc"
    encode_batch(paths, job, SECOND)
    assert (nvenc.asked, nvenc.encoded) == (1, 2)


def test_a_damaged_choice_is_told(make_nvenc_job, nvenc):
    paths, job = make_nvenc_job(frames=20)
    spool(paths, job, 0, 20)
    paths.encoder.write_text("{")
    with pytest.raises(MultitrainError, match=r"encoder\.json is damaged"):
        encode_batch(paths, job, FIRST)
