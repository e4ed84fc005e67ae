import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import av
import pytest

from jobs.errors import ExitCode, MultitrainError, UsageError
from jobs.plans.plan import FramePlan
from jobs.plans.timing import Timing
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from render.encoding import ffmpeg
from render.encoding.commands import LIST, encode_again_command, encode_command
from render.files import probe
from render.files.merge import Merged, join, merge_folder
from tests.render.numbered import frames, numbers_in


def make_video(path, numbers, size=(32, 32), fps=60, crf=17):
    """A video that shows these numbers."""
    width, height = size
    plan = FramePlan(width, height, width, height, fps, len(numbers), Timing(), len(numbers))
    raw = path.with_suffix(".rgb")
    frames(plan, numbers).tofile(raw)
    ffmpeg.run(encode_command(ffmpeg.find(), raw, plan, [path], crf=crf, preset="ultrafast"))
    raw.unlink()
    return path


def make_cuts(folder, lengths, name="job", box="", **options):
    """Timecuts of one job that count on from each other."""
    start, cuts = 0, []
    for number, length in enumerate(lengths, 1):
        path = folder / f"{name}_timecut{number:04d}{box}.mp4"
        cuts.append(make_video(path, range(start, start + length), **options))
        start += length
    return cuts


@pytest.mark.parametrize("lengths", [[37, 83, 1, 179], [1], [1, 1, 1, 2], [6, 5, 4, 3, 2, 1]])
def test_every_frame_is_there_in_order_once(workspace, lengths):
    cuts = make_cuts(workspace.root, lengths)
    assert merge_folder(workspace.root) == [workspace.root / "job.mp4"]
    assert numbers_in(workspace.root / "job.mp4") == list(range(sum(lengths)))
    probe.verify(workspace.root / "job.mp4", sum(lengths), 60, 32, 32)
    assert all(cut.exists() for cut in cuts)


def test_joining_does_not_encode_again(workspace):
    cuts = make_cuts(workspace.root, [10, 10], crf=51)
    [film] = merge_folder(workspace.root)
    assert packets(film) == [data for cut in cuts for data in packets(cut)]


def packets(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_the_film_starts_before_it_is_loaded_whole(workspace):
    make_cuts(workspace.root, [10, 10])
    [film] = merge_folder(workspace.root)
    head = film.read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_jobs_and_boxes_are_kept_apart(workspace):
    make_cuts(workspace.root, [3, 4], name="it's 100% %d", box="_box0001")
    make_cuts(workspace.root, [3, 4], name="it's 100% %d", box="_box0002", size=(16, 16))
    make_cuts(workspace.root, [5], name="other_timecut", fps=25)
    names = ["it's 100% %d_box0001.mp4", "it's 100% %d_box0002.mp4", "other_timecut.mp4"]
    films = merge_folder(workspace.root)
    assert films == [workspace.root / name for name in names]
    assert [len(numbers_in(film)) for film in films] == [7, 7, 5]


def test_a_relative_folder(workspace, monkeypatch):
    make_cuts(workspace.root, [3, 4])
    monkeypatch.chdir(workspace.root)
    [film] = merge_folder(Path())
    assert numbers_in(film) == list(range(7))


def test_a_gap_is_told_and_nothing_joined(workspace):
    cuts = make_cuts(workspace.root, [3, 3, 3, 3])
    cuts[1].unlink()
    with pytest.raises(UsageError, match=r"job_timecut0002\.mp4"):
        merge_folder(workspace.root)
    assert not (workspace.root / "job.mp4").exists()


def test_a_box_that_lacks_its_last_timecut_is_a_gap(workspace):
    make_cuts(workspace.root, [3, 3], box="_box0001")
    make_cuts(workspace.root, [3], box="_box0002")
    with pytest.raises(UsageError, match=r"job_timecut0002_box0002\.mp4"):
        merge_folder(workspace.root)


def test_one_job_of_two_encoders_makes_two_films(workspace):
    make_cuts(workspace.root, [3, 4, 3])
    [other] = make_cuts(workspace.root, [5], name="other")
    other.rename(workspace.root / "job_timecut0001.mov")
    films = [workspace.root / "job.mov", workspace.root / "job.mp4"]
    assert merge_folder(workspace.root) == films
    assert [len(numbers_in(film)) for film in films] == [5, 10]


def test_hidden_files_are_passed_over(workspace):
    """macOS leaves one beside every file on a disk of another kind."""
    [cut] = make_cuts(workspace.root, [3])
    cut.with_name(f"._{cut.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    assert merge_folder(workspace.root) == [workspace.root / "job.mp4"]


@pytest.mark.parametrize("harm", ["gap", "text", "cut off"])
def test_where_one_is_bad_the_others_are_joined(workspace, harm):
    for name in ("a", "b", "c"):
        cuts = make_cuts(workspace.root, [3, 3], name=name)
        if name != "b":
            continue
        match harm:
            case "gap":
                cuts[0].unlink()
            case "text":
                cuts[0].write_text("no film")
            case "cut off":
                truncate(cuts[0])
    told = []
    with pytest.raises(MultitrainError, match=r"b_timecut0001\.mp4") as caught:
        merge_folder(workspace.root, told.append)
    assert caught.value.exit_code == ExitCode.FAILED
    films = [each.path for each in told]
    assert films == [workspace.root / "a.mp4", workspace.root / "c.mp4"]
    assert [len(numbers_in(film)) for film in films] == [6, 6]
    assert not (workspace.root / "b.mp4").exists()


def test_all_that_are_bad_are_named(workspace):
    for name in ("a", "b"):
        make_cuts(workspace.root, [3, 3], name=name)[0].unlink()
    with pytest.raises(UsageError, match=r"a_timecut0001\.mp4\n.*b_timecut0001\.mp4"):
        merge_folder(workspace.root)


def test_no_timecuts(workspace):
    with pytest.raises(UsageError, match="no timecuts"):
        merge_folder(workspace.root)
    with pytest.raises(UsageError, match="is no folder"):
        merge_folder(workspace.root / "nowhere")


@pytest.mark.parametrize("odd_one", [{"size": (16, 16)}, {"fps": 30}], ids=str)
def test_a_source_that_does_not_fit_is_named(workspace, odd_one):
    cuts = make_cuts(workspace.root, [3, 3, 3])
    make_video(cuts[2], range(3), **odd_one)
    with pytest.raises(MultitrainError, match=r"job_timecut0003\.mp4 does not fit"):
        merge_folder(workspace.root)


def truncate(path):
    """Cut off the last frame's data; joining puts the index to the front, so it stays whole."""
    moved = path.with_suffix(".mov")
    join([path], moved, len(numbers_in(path)))
    shutil.move(moved, path)
    os.truncate(path, path.stat().st_size - 20)


def test_a_truncated_timecut_is_refused_and_named(workspace):
    cuts = make_cuts(workspace.root, [9, 9, 9])
    truncate(cuts[1])
    with pytest.raises(MultitrainError, match=r"job_timecut0002\.mp4 is damaged"):
        merge_folder(workspace.root)
    assert "job.mp4" not in listing(workspace.root)


def test_a_truncated_segment_is_refused(workspace):
    cuts = make_cuts(workspace.root, [9, 9, 9])
    truncate(cuts[1])
    with pytest.raises(MultitrainError):
        join(cuts, workspace.root / "film.part", 27)


def test_no_video_at_all_is_named(workspace):
    (workspace.root / "job_timecut0001.mp4").write_text("no film")
    with pytest.raises(MultitrainError, match=r"job_timecut0001\.mp4 cannot be read"):
        merge_folder(workspace.root)


def test_an_older_join_stays_until_the_new_one_is_verified(workspace, monkeypatch):
    make_cuts(workspace.root, [3])
    [film] = merge_folder(workspace.root)
    old = film.read_bytes()
    make_cuts(workspace.root, [3, 3])

    def fail(*facts):
        assert film.read_bytes() == old
        raise MultitrainError("not good")

    with monkeypatch.context() as patch:
        patch.setattr("render.files.merge.copy_packets", fail)
        with pytest.raises(MultitrainError, match="not good"):
            merge_folder(workspace.root)
    assert film.read_bytes() == old
    assert listing(workspace.root) == ["job.mp4", "job_timecut0001.mp4", "job_timecut0002.mp4"]
    merge_folder(workspace.root)
    assert numbers_in(film) == list(range(6))


@pytest.mark.parametrize("own", ["edited", "longer", "text"])
def test_a_film_that_is_no_join_of_the_timecuts_stays(workspace, own):
    make_cuts(workspace.root, [3, 3])
    make_cuts(workspace.root, [3], name="other")
    film = workspace.root / "job.mp4"
    match own:
        case "edited":
            make_video(film, [9, 9, 9, 9, 9, 9])
        case "longer":
            make_video(film, range(7))
        case "text":
            film.write_text("mine")
    mine = film.read_bytes()
    with pytest.raises(MultitrainError, match=r"job\.mp4 is there already, and is no join of its"):
        merge_folder(workspace.root)
    assert film.read_bytes() == mine
    assert (workspace.root / "other.mp4").exists()


@pytest.fixture
def unfinished(workspace, make_job):
    """Two timecuts of a job that is to have three."""
    make_job("job", frames=9, cut=3)
    workspace.renders.mkdir()
    return make_cuts(workspace.renders, [3, 3])


def test_a_part_of_an_unfinished_job_does_not_get_the_name_of_its_film(workspace, unfinished):
    told = []
    part = workspace.renders / "job.part.mp4"
    assert merge_folder(workspace.renders, told.append) == [part]
    assert told == [Merged(part, "job", 2, 3, was_there=False)]
    assert numbers_in(part) == list(range(6))
    assert not (workspace.renders / "job.mp4").exists()


def test_the_last_timecut_makes_it_a_film(workspace, unfinished):
    merge_folder(workspace.renders)
    make_cuts(workspace.renders, [3, 3, 3])
    told = []
    merge_folder(workspace.renders, told.append)
    assert told == [Merged(workspace.renders / "job.mp4", "job", 3, 3, was_there=False)]
    assert numbers_in(told[0].path) == list(range(9))


def test_a_part_is_made_longer_by_more_timecuts(workspace, unfinished):
    third = make_cuts(workspace.renders, [3, 3, 3])[2].rename(workspace.root / "later.mp4")
    unfinished[1].rename(workspace.root / "second.mp4")
    [part] = merge_folder(workspace.renders)
    (workspace.root / "second.mp4").rename(unfinished[1])
    assert merge_folder(workspace.renders) == [part]
    assert numbers_in(part) == list(range(6))
    assert third.exists()


def test_a_manifest_beside_the_timecuts_tells_how_many_there_are(workspace, unfinished):
    """As in a folder that somebody was given."""
    job = JobFile.load(workspace.job("job"))
    manifest = {"spec": job.spec.model_dump(mode="json"), "width": 32, "height": 32}
    for cut in unfinished:
        cut.rename(workspace.root / cut.name)
    (workspace.root / "job.json").write_text(json.dumps(manifest))
    assert merge_folder(workspace.root) == [workspace.root / "job.part.mp4"]


@pytest.mark.parametrize("encoders", [1, 2])
def test_a_film_that_is_what_would_be_made_stays_as_it_is(workspace, encoders):
    cuts = make_cuts(workspace.root, [3, 3])
    if encoders == 2:
        encode_again(cuts[1])
    [film] = merge_folder(workspace.root)
    before, told = film.stat().st_ino, []
    merge_folder(workspace.root, told.append)
    assert told == [Merged(film, "job", 2, None, was_there=True)]
    assert film.stat().st_ino == before


def test_a_film_of_as_many_frames_as_timecuts_of_two_encoders_stays(workspace):
    cuts = make_cuts(workspace.root, [3, 3, 3])
    encode_again(cuts[1])
    film = make_video(workspace.root / "job.mp4", [9, 9, 9, 9, 9, 9])
    mine = film.read_bytes()
    with pytest.raises(MultitrainError, match="is no join of its timecuts"):
        merge_folder(workspace.root)
    assert film.read_bytes() == mine


def test_timecuts_of_two_encoders_replace_what_the_first_of_them_made(workspace):
    cuts = make_cuts(workspace.root, [3, 3, 3])
    encode_again(cuts[1])
    kept = cuts[2].rename(workspace.root / "kept.mp4")
    [film] = merge_folder(workspace.root)
    assert numbers_in(film) == list(range(6))
    kept.rename(cuts[2])
    assert merge_folder(workspace.root) == [film]
    assert numbers_in(film) == list(range(9))


def encode_again(cut):
    """With other settings for the decoder."""
    other = cut.with_name("other.mp4")
    plan = FramePlan(32, 32, 32, 32, 60, 3, Timing(), 3)
    command = encode_again_command(ffmpeg.find(), cut, plan, other, crf=9, preset="medium")
    ffmpeg.run(command)
    other.replace(cut)


def test_an_ffmpeg_that_was_left_behind_cannot_reach_the_new_film(workspace):
    """Its merge was ended; it still has the temporary files open, and goes on writing."""
    cuts = make_cuts(workspace.root, [3, 3])
    joined, merged = workspace.root / "joined.mp4.part", workspace.root / "job.mp4.part"
    left = [joined, merged, workspace.root / f"joined.mp4{LIST}.part"]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb", buffering=0)) for path in left]
        join(cuts, joined, 6)
        [film] = merge_folder(workspace.root)
        for file in files:
            file.write(b"late" * 100)
    for video in (joined, film):
        probe.verify(video, 6, 60, 32, 32)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": 8}, "has 9 frames instead of 8"),
        ({"fps": 30}, "frame 1 is not shown at 1/30 s"),
        ({"width": 30}, "is 32x32 instead of 30x32"),
    ],
    ids=str,
)
def test_verify_finds_what_is_wrong(tmp_path, wrong, message):
    video = make_video(tmp_path / "a.mp4", range(9))
    expected = {"frames": 9, "fps": 60, "width": 32, "height": 32}
    probe.verify(video, **expected)
    with pytest.raises(MultitrainError, match=message):
        probe.verify(video, **(expected | wrong))


def test_verify_finds_damage_that_players_paint_over(tmp_path):
    video = make_video(tmp_path / "a.mp4", range(60), size=(64, 64))
    with av.open(str(video)) as container:
        position = [packet.pos for packet in container.demux(video=0)][40]
    data = bytearray(video.read_bytes())
    for offset in range(8, 14):
        data[position + offset] ^= 0x5A
    video.write_bytes(data)
    assert len(numbers_in(video)) == 60
    with pytest.raises(MultitrainError, match=r"a\.mp4: frame 40 is damaged"):
        probe.verify(video, 60, 60, 64, 64)
