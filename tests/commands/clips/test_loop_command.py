"""`multitrain loop` and `multitrain merge`, as they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import MultitrainError, UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace.files import listing
from jobs.workspace.jobfile import JobFile
from multitrain.commands.clips import loop, merge
from render.clips import asked, looping
from render.files.reading import FilmReader
from tests.footage import write_video


@pytest.fixture(autouse=True)
def here(workspace, monkeypatch):
    """Signals stay as the tests need them."""
    monkeypatch.chdir(workspace.root)
    monkeypatch.setattr("signal.signal", lambda *arguments: None)
    return workspace.root


@pytest.fixture
def film(here):
    return write_video(here / "waves.mp4", 120, fps=60)


@pytest.fixture
def job(workspace):
    """`job(**columns)`: a job `night` of 160x90, without a film."""

    def make(name="night", **columns):
        settings = {"dataset": "demo", "grid_width": 1, "grid_height": 1, "video_length": 1}
        spec = JobSpec(name=name, **(settings | columns))
        JobFile(spec=spec, image_width=160, image_height=90).save(workspace.job(name))
        workspace.renders.mkdir(exist_ok=True)

    return make


def call(command, *words):
    command.command.main([str(word) for word in words], standalone_mode=False)


def frames(path):
    with FilmReader([Path(path)]) as reader:
        return reader.frames


def test_a_file(film, capsys):
    call(loop, "waves.mp4", "--frames", 60, "--start", "0.5")
    assert capsys.readouterr().out.splitlines() == [
        "waves_pingpong_60frames.mp4: 60 frames at 60 fps, 1.000 s",
        "pingpong: 0.52 s of the film, from 0.50 s on",
    ]
    assert frames("waves_pingpong_60frames.mp4") == 60


@pytest.fixture
def training(here):
    """Grey for a second, and then what moves for three."""
    return write_training(here / "training.mp4", 30)


def write_training(film, flat):
    """120 frames, of which the first ones are `flat`."""
    grey = [np.full((90, 160, 3), 128, np.uint8)] * flat
    x, y = np.arange(160) / 160, np.arange(90)[:, None] / 90
    turns = (
        (x + number / 15 + 0 * y, y - x - number / 10, y + number / 15)
        for number in range(120 - flat)
    )
    waves = (np.stack(np.broadcast_arrays(*turn), axis=2) for turn in turns)
    moving = (np.uint8(127 + 100 * np.sin(2 * np.pi * wave)) for wave in waves)
    return write_video(film, [*grey, *moving], fps=30)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--seconds", 1],
            [
                "pingpong: 0.53 s of the film, from 1.00 s on",
                "begins where the picture has settled; --start names another moment",
            ],
        ),
        (
            ["--seconds", 3, "--mode", "crossfade"],
            [
                "crossfade: 3.37 s of the film, from 0.63 s on, with a fade of 0.37 s",
                "begins before the picture has settled, at 1.00 s: the rest is too short; --start "
                "names another moment",
            ],
        ),
        (["--seconds", 1, "--start", 0], ["pingpong: 0.53 s of the film, from 0.00 s on"]),
    ],
    ids=str,
)
def test_a_loop_of_a_training_begins_where_the_picture_has_settled(training, capsys, words, told):
    call(loop, training, *words)
    assert capsys.readouterr().out.splitlines()[1:] == told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seconds", 1], "begins in the middle of the film"),
        (["--seconds", 3, "--mode", "crossfade"], "begins before the middle of the film"),
        (["--seconds", 1, "--mode", "best"], "looked for from 2.00 s on, the middle of the film"),
    ],
    ids=str,
)
def test_a_film_that_does_not_settle_in_its_first_half_is_told(here, capsys, words, told):
    call(loop, write_training(here / "late.mp4", 75), *words)
    line = capsys.readouterr().out.splitlines()[2]
    assert line.startswith(f"{told}: the picture has not settled in its first half")
    assert line.endswith("; --start names another moment")


def test_the_best_place_is_looked_for_where_the_picture_has_settled(training, capsys):
    call(loop, training, "--mode", "best", "--seconds", 1)
    told = capsys.readouterr().out.splitlines()[2]
    assert told.startswith("looked for from 1.00 s on where the picture has settled; --start")


def test_what_is_told_of_beats_cuts_and_sizes(film, capsys):
    call(
        *(loop, film, "--mode", "crossfade", "--beats", 2, "--bpm", 125, "--fps", 25),
        *("--crop", "80x80+10+0", "--scale", "50x22", "--format", "hap", "-o", "a.mov"),
    )
    assert capsys.readouterr().out.splitlines() == [
        "a.mov: 24 frames at 25 fps, 0.960 s",
        "crossfade: 1.08 s of the film, from 0.00 s on, with a fade of 0.12 s",
        "cut to 80x80, scaled to 50x50, 28 pixels of the height cut off, so that 50x22 is filled",
        "the loop becomes 52x24: hap takes multiples of 4",
    ]
    call(loop, film, "--beats", 1, "--bpm", 174, "--fps", 25, "-o", "b.mp4")
    told = capsys.readouterr().out.splitlines()[0]
    assert told == "b.mp4: 8 frames at 25 fps, 0.320 s, 24.8 ms shorter than asked"


def test_a_job(workspace, job, film, capsys):
    job()
    film.rename(workspace.renders / "night_timecut0001.mp4")
    write_video(workspace.renders / "night_loop0001.mp4", 10, fps=60)
    call(loop, "night", "--mode", "best", "--workspace", workspace.root)
    assert capsys.readouterr().out.startswith("night_best_60frames.mp4: 60 frames")
    assert frames("night_best_60frames.mp4") == 60


def test_a_box_of_a_job(workspace, job, film):
    job(grid_width=2, render_res="160x90")
    write_video(workspace.renders / "night_box0001.mp4", 30, fps=60)
    film.rename(workspace.renders / "night_box0002.mp4")
    call(loop, "night", "--box", 2)
    assert frames("night_box0002_pingpong_238frames.mp4") == 238
    call(loop, "night")
    assert frames("night_pingpong_58frames.mp4") == 58
    with pytest.raises(UsageError, match="night has 2 boxes, so there is no box 3"):
        call(loop, "night", "--box", 3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["waves.mp4", "--beats", "4"], "beats need a tempo"),
        (["waves.mp4", "--beats", "4", "--bpm", "120", "--frames", "7"], "in one way"),
        (["waves.mp4", "--fade", "1"], "pingpong has no fade"),
        (["waves.mp4", "--box", "1"], "waves.mp4 is a file; --box is for jobs"),
        (["waves.mp4", "-o", "a.mov"], "a.mov must end in .mp4"),
        (["waves.mp4", "-o", "waves.mp4"], "waves.mp4 is there already"),
        (["waves.mp4", "-o", "waves.mp4", "--force"], "is the film itself"),
        (
            ["waves.mp4", "-o", "taken.mp4", "--force"],
            "taken.mp4 is in the way: it is not what h264",
        ),
        (["waves.mp4", "-o", "film.png", "--force"], "film.png is in the way: it is not what png"),
        (["waves.mp4", "--frames", "2000"], "the film has 120 frames (2.00 s)"),
        (["waves.mp4", "--crop", "200x20"], "a crop of 200x20 does not lie in a picture of 160x90"),
        (["waves.mp4", "--mode", "walk"], "name the job, not waves.mp4"),
        (["weaves.mp4"], "there is no film weaves.mp4"),
        (["renders/night.mp4"], "there is no film renders/night.mp4"),
        (["night"], "There is no job 'night'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_in_a_sentence(film, here, words, told):
    (here / "taken.mp4").mkdir()
    (here / "film.png").touch()
    before = listing(here)
    with pytest.raises(UsageError) as caught:
        call(loop, *words)
    assert told in str(caught.value)
    assert listing(here) == before


def test_an_older_loop_is_replaced_where_that_is_asked_for(film):
    call(loop, film, "--seconds", 0.5)
    with pytest.raises(UsageError, match=r"waves_pingpong_0\.5s\.mp4 is there already"):
        call(loop, film, "--seconds", 0.5, "--fps", 30)
    call(loop, film, "--seconds", 0.5, "--fps", 30, "--force")
    assert frames("waves_pingpong_0.5s.mp4") == 16


@pytest.mark.parametrize("name", ["h264-intra", "hap", "webm", "ffv1", "gif", "png", "dpx"])
def test_the_same_loop_again_is_named_and_stays(film, capsys, name):
    words = (film, "--seconds", 0.5, "--format", name)
    call(loop, *words)
    clip = Path(capsys.readouterr().out.split(":")[0])
    made = clip.stat().st_mtime_ns
    call(loop, *words)
    told = capsys.readouterr()
    assert told.out == f"{clip}\n"
    assert told.err == f"note: {clip} is there already; --force replaces it\n"
    with pytest.raises(UsageError, match="is there already, and nothing in it says"):
        call(loop, *words, "--speed", 2)
    write_video(film, 150, fps=60)
    with pytest.raises(UsageError, match="is there already, and nothing in it says"):
        call(loop, *words)
    assert clip.stat().st_mtime_ns == made


@pytest.mark.parametrize("words", [[], ["--crossfade", "0.2"]], ids=["copied", "faded"])
def test_the_same_films_merged_again_are_named_and_stay(workspace, capsys, words):
    workspace.renders.mkdir()
    for name in "ab":
        write_video(workspace.renders / f"{name}.mp4", 40, fps=60)
    call(merge, "renders", "a", "b", *words)
    made = Path("merged.mp4").stat().st_mtime_ns
    capsys.readouterr()
    call(merge, "renders", "a", "b", *words)
    assert capsys.readouterr().out == "merged.mp4\n"
    with pytest.raises(UsageError, match="is there already, and nothing in it says"):
        call(merge, "renders", "a", "b", "a", *words)
    assert Path("merged.mp4").stat().st_mtime_ns == made


def test_walks_are_handed_over(job, monkeypatch):
    from multitrain.commands.clips import walk

    job()
    seen = {}
    monkeypatch.setattr(walk.command, "callback", lambda **options: seen.update(options))
    call(loop, "night", "--mode", "walk", "--beats", 8, "--bpm", 128, "--scale", "720p", "--force",
         "--crop", "20x10", "--format", "hap")  # fmt: skip
    told = {key: seen[key] for key in ("job", "beats", "bpm", "scale", "force", "crop", "name")}
    assert told == {
        "job": "night", "beats": 8, "bpm": 128, "scale": (1280, 720), "force": True,
        "crop": (20, 10), "name": "hap",
    }  # fmt: skip
    with pytest.raises(UsageError, match="--speed is not for walks"):
        call(loop, "night", "--mode", "walk", "--seconds", 8, "--speed", 2)
    with pytest.raises(UsageError, match="cut from the middle: give --crop without a corner"):
        call(loop, "night", "--mode", "walk", "--seconds", 8, "--crop", "20x10+1+1")


def test_timecuts_of_a_folder_are_joined_as_ever(workspace, capsys):
    for number in (1, 2):
        write_video(workspace.root / f"a_timecut{number:04d}.mp4", 10, fps=60)
    call(merge, workspace.root)
    assert capsys.readouterr().out.strip() == str(workspace.root / "a.mp4")
    assert frames(workspace.root / "a.mp4") == 20


def test_films_of_jobs_are_joined(workspace, capsys):
    renders = workspace.renders
    renders.mkdir()
    for name in "ab":
        write_video(renders / f"{name}.mp4", 40, fps=60)
    call(merge, "renders", "a", "b")
    assert frames("merged.mp4") == 80
    told = "merged.mp4: 80 frames at 60 fps, 1.333 s\ncopied as they are\n"
    assert capsys.readouterr().out == told
    call(merge, "renders", "a", "b", "a", "--crossfade", "0.2", "-o", "set.mov", "--format", "hap")
    assert frames("set.mov") == 120 - 2 * 12
    told = "encoded anew, each fading into the next one for 12 frames (0.2 s)"
    assert told in capsys.readouterr().out
    call(merge, "renders", "a", "b", "-o", "set.gif")
    assert (workspace.root / "set.gif").read_bytes().startswith(b"GIF")
    assert capsys.readouterr().out.endswith("encoded anew\n")


def test_where_the_merged_films_are_mov_an_mp4_is_encoded(workspace, capsys):
    workspace.renders.mkdir()
    for name in "ab":
        write_video(workspace.renders / f"{name}.mov", 10, fps=60)
    call(merge, "renders", "a", "b")
    assert capsys.readouterr().out.startswith("merged.mov: 20 frames")
    call(merge, "renders", "a", "b", "-o", "set.mp4")
    assert capsys.readouterr().out.endswith("encoded anew\n")


def test_merge_tells_what_format_it_takes(capsys):
    call(merge, "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "[default: (copied as they are; with --crossfade or --scale h264)]" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a"], "a alone: name two jobs or more"),
        (["a", "c"], "holds no film of 'c'"),
        (["--crossfade", "1"], "are for films of several jobs"),
        (["a", "b", "-o", "x.mov"], "x.mov must end in .mp4, as h264 does"),
        (["--force"], "and --force are for films of several jobs"),
        (["a", "b", "-o", "renders", "--force"], "renders must end in .mp4"),
        (["a", "b", "-o", "taken.mp4", "--force"], "taken.mp4 is in the way: it is a folder"),
        (["a", "b", "-o", "renders/x.mp4"], "renders/ is for what jobs make"),
        (["a", "b", "--crossfade", "30"], "a has 40 frames (0.67 s), too few"),
    ],
    ids=str,
)
def test_what_cannot_be_merged(workspace, words, told):
    workspace.renders.mkdir()
    (workspace.root / "taken.mp4").mkdir()
    for name in "ab":
        write_video(workspace.renders / f"{name}.mp4", 40, fps=60)
    with pytest.raises(UsageError) as caught:
        call(merge, "renders", *words)
    assert told in str(caught.value)
    assert sorted(listing(workspace.root)) == ["renders", "taken.mp4"]


def test_a_merged_part_is_called_so(job, here, capsys):
    job("night", video_length=6 / 3600, auto_render_period=2 / 60)
    for number in (1, 2):
        write_video(here / "renders" / f"night_timecut000{number}.mp4", 2, fps=60)
    call(merge, "renders")
    told = capsys.readouterr()
    assert told.out == "renders/night.part.mp4\n"
    assert told.err == (
        "note: these are 2 of 3 timecuts of night, so this is no film, but a part\n"
    )


def test_a_loop_of_timecuts_tells_how_many_there_are(job, here, capsys):
    job("night", video_length=90 / 3600, auto_render_period=30 / 60)
    for number in (1, 2):
        write_video(here / "renders" / f"night_timecut000{number}.mp4", 30, fps=60)
    call(loop, "night", "--frames", 20)
    told = capsys.readouterr().err
    assert told == "note: there is no film of night yet; it is made of 2 of 3 timecuts\n"


def after(monkeypatch, place, name, do):
    """Have something done once, just after a function has returned."""
    function, done = getattr(place, name), []

    def called(*arguments, **more):
        result = function(*arguments, **more)
        if not done:
            done.append(do())
        return result

    monkeypatch.setattr(place, name, called)


@pytest.fixture(params=[False, True], ids=["moved", "replaced"])
def give_way(request, job, here):
    """A function: the film of job `night` gives its place, as to a later take's."""
    job()
    film = write_video(here / "renders" / "night.mp4", 60, fps=60)
    other = write_video(here / "other.mov", 20, fps=60)

    def give_way():
        film.rename(here / "renders" / "earlier.mp4")
        if request.param:
            other.rename(film)

    return give_way


LOOP = ("night", "--mode", "best", "--frames", 30, "--format", "ffv1")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (loop, "_find"),
        (looping, "plan_clip"),
        (asked, "asked_for"),
        (looping, "_best_start"),
    ],
)
def test_a_film_that_gives_its_place_before_it_is_opened_makes_no_loop(
    here, monkeypatch, give_way, place, name
):
    after(monkeypatch, place, name, give_way)
    with pytest.raises(MultitrainError, match=r"night\.mp4 |the film has 20 frames"):
        call(loop, *LOOP)
    assert not [each for each in listing(here) if "best" in each]


@pytest.mark.parametrize("name", ["_steps", "mixed"])
def test_one_that_does_so_later_is_read_to_its_end(monkeypatch, give_way, name):
    after(monkeypatch, looping, name, give_way)
    call(loop, *LOOP)
    assert frames("night_best_30frames.mov") == 30
