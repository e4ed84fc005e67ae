"""A joined video against what it was joined from."""

import errno
import os
import sys
from pathlib import Path

import av
import pytest

from jobs.errors import MultitrainError
from jobs.workspace.disk import means_full
from render.encoding import ffmpeg
from render.encoding.commands import QUIET
from render.files import merge, probe
from render.files.copies import copy_packets, is_copy
from render.files.merge import join
from tests.render.files.test_merge import make_cuts, make_video
from tests.render.numbered import numbers_in, read


@pytest.fixture
def cuts(workspace):
    """As segments are: of one encoder, with the decoder's settings in their headers."""
    return make_cuts(workspace.root, [40, 70, 1], size=(64, 64))


@pytest.fixture
def film(workspace, cuts):
    joined = workspace.root / "film.mp4"
    join(cuts, joined, 111)
    return joined


def test_what_was_joined_is_a_copy(cuts, film):
    assert is_copy(film, cuts, 111, 60)


def test_what_was_joined_of_joined_videos_is_a_copy(workspace, cuts, film):
    whole = workspace.root / "whole.mp4"
    join([film, *cuts], whole, 222)
    assert is_copy(whole, [film, *cuts], 222, 60)
    assert numbers_in(whole) == [*range(111), *range(111)]


@pytest.fixture
def decoded(monkeypatch):
    """What was verified by decoding."""
    calls = []

    def verify(*facts):
        calls.append(facts)
        probe.verify(*facts)

    monkeypatch.setattr(merge, "verify", verify)
    return calls


@pytest.mark.parametrize("sources", [[0, 1], [1, 0, 2], [0, 1, 2, 2], [0, 0, 2]], ids=str)
def test_other_sources_are_told_apart(cuts, film, sources):
    assert not is_copy(film, [cuts[number] for number in sources], 111, 60)


def test_another_number_of_frames_or_another_time_is_told_apart(cuts, film):
    assert not is_copy(film, cuts, 110, 60)
    assert not is_copy(film, cuts, 111, 30)


@pytest.mark.parametrize("number", [0, 40, 41, 110], ids=str)
def test_a_changed_byte_is_seen(cuts, film, number):
    with av.open(str(film)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
        position = packet.pos + packet.size - 1
    data = bytearray(film.read_bytes())
    data[position] ^= 1
    film.write_bytes(data)
    assert not is_copy(film, cuts, 111, 60)


def test_a_film_is_no_copy_of_what_needs_other_settings(workspace, cuts):
    """Its packets are there, but a decoder would take the first source's settings for them."""
    other = make_video(workspace.root / "other.mp4", range(40, 43), size=(64, 64), crf=0)
    plain = workspace.root / "plain.mp4"
    copy_packets([cuts[0], other], plain, 43, 512 * 60)
    assert not is_copy(plain, [cuts[0], other], 43, 60)


def test_videos_of_different_settings_are_joined_and_decoded(workspace, cuts, decoded):
    other = make_video(workspace.root / "other.mp4", range(40, 43), size=(64, 64), crf=0)
    join([cuts[0], other], workspace.root / "both.mp4", 43)
    assert numbers_in(workspace.root / "both.mp4") == list(range(43))
    assert len(decoded) == 1


def encode_again(video, *options):
    """As a user may do it who wants smaller files."""
    new = video.with_name("new.mp4")
    command = [ffmpeg.find(), *QUIET, "-i", str(video), *options]
    ffmpeg.run([*command, "-video_track_timescale", str(512 * 60), str(new)])
    new.replace(video)


def test_timecuts_with_b_frames_are_shown_in_their_order(workspace, cuts, decoded):
    for cut in cuts:
        encode_again(cut, "-c:v", "libx264", "-bf", "2", "-crf", "17")
    with probe.open_packets(cuts[1]) as (_, packets):
        assert any(packet.pts != packet.dts for packet in packets)
    [film] = merge.merge_folder(workspace.root)
    with av.open(str(film)) as container:
        shown = [
            (frame.pts * frame.time_base * 60, read(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]
    assert shown == [(number, number) for number in range(111)]
    assert len(decoded) == 1


@pytest.mark.parametrize("which", [[0], [1], [0, 1]], ids=str)
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_timecuts_that_hide_frames_are_refused(workspace, cuts, which, b_frames):
    """As they are after a cut between keyframes."""
    for cut in cuts:
        encode_again(cut, "-c:v", "libx264", "-bf", b_frames)
    for number in which:
        start = ["-ss", "0.2", "-i", str(cuts[number]), "-map", "1:v", "-c", "copy"]
        encode_again(cuts[number], *start)
    with probe.open_packets(cuts[which[0]]) as (_, packets):
        assert any(packet.is_discard for packet in packets)
    with pytest.raises(MultitrainError, match=f"{cuts[which[0]].name} hides frames that were cut"):
        merge.merge_folder(workspace.root)
    assert not (workspace.root / "job.mp4").exists()


def test_only_what_is_no_copy_is_decoded(workspace, cuts, decoded, monkeypatch):
    join(cuts, workspace.root / "one.mp4", 111)
    assert not decoded

    monkeypatch.setattr(merge, "is_copy", lambda *facts: False)
    join(cuts, workspace.root / "two.mp4", 111)
    assert decoded == [(workspace.root / "two.mp4", 111, 60, 64, 64)]


def test_copies_are_the_same_bytes_each_time(workspace, cuts):
    for name in ("one.mp4", "two.mp4"):
        join(cuts, workspace.root / name, 111)
    assert (workspace.root / "one.mp4").read_bytes() == (workspace.root / "two.mp4").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="has no /dev/full")
def test_a_full_disk_is_no_damage_of_a_source(cuts):
    with pytest.raises(MultitrainError, match=r"^/dev/full cannot be written: No space") as caught:
        copy_packets(cuts, Path("/dev/full"), 111, 512 * 60)
    assert means_full(caught.value)


class Failing:
    """A video whose disk fails at one of its calls, with this error number."""

    def __init__(self, container, call, number):
        self._container, self._call, self._number = container, call, number

    def mux(self, packet):
        self._container.mux(packet)
        self._fail("mux")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._container.close()
        self._fail("close")

    def _fail(self, call):
        if call == self._call:
            raise av.error.FFmpegError(self._number, os.strerror(self._number))

    def __getattr__(self, name):
        return getattr(self._container, name)


@pytest.mark.parametrize("call", ["mux", "close"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO], ids=os.strerror)
def test_what_cannot_be_written_is_told_in_a_sentence(workspace, cuts, monkeypatch, call, number):
    film, real = workspace.root / "film.mp4", av.open

    def open_file(file, mode="r", **options):
        container = real(file, mode, **options)
        return Failing(container, call, number) if mode == "w" else container

    monkeypatch.setattr(av, "open", open_file)
    with pytest.raises(MultitrainError) as caught:
        join(cuts, film, 111)
    assert str(caught.value) == f"{film} cannot be written: {os.strerror(number)}"
    assert means_full(caught.value) == (number != errno.EIO)
    assert not is_open(film)


def test_a_copy_that_is_broken_off_is_let_go(workspace, cuts):
    film = workspace.root / "film.mp4"
    cuts[1].write_bytes(b"no video")
    with pytest.raises(MultitrainError, match=r"job_timecut0002\.mp4 is damaged"):
        copy_packets(cuts, film, 111, 512 * 60)
    assert not is_open(film)


def is_open(path):
    """Whether this process has the file open."""
    assert path.exists()
    descriptors = Path("/proc/self/fd")
    return any(each.is_symlink() and each.resolve() == path for each in descriptors.glob("*"))
