"""Films side by side: where they stand, the command, and a real one whose numbers are read back.

To refresh the golden command after a change that is meant, run

    REFRESH_GOLDEN=1 .venv/bin/pytest tests/render/test_comparison.py
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageFont

from jobs.errors import MultitrainError, UsageError
from jobs.settings.spec import JobSpec
from jobs.workspace.jobfile import JobFile
from jobs.workspace.states import State
from jobs.workspace.store import Store
from multitrain.engine.session import SessionSettings
from multitrain.families.testcard.session import open_session, read_number
from render.clips.comparing import check_output, compare, find_take
from render.clips.comparison import LARGEST_SIDE, Comparison, Take, comparison_command
from render.clips.labels import drawable, shortened
from render.encoding import ffmpeg
from render.encoding.commands import encode_command
from render.encoding.watching import frames_done
from tests.wild import H264, TURNS, as_player, corners, quadrants, remuxed

GOLDEN = Path(__file__).parents[2] / "golden" / "comparison.txt"
WHITE_ENOUGH = 200


def take(name="a", frames=100, size=(320, 180), fps=60, rate=2, cuts=1):
    files = tuple(Path(f"/w/renders/{name}_{number}.mp4") for number in range(cuts))
    return Take(name, files, frames, *size, fps, Fraction(rate))


def test_the_command_is_the_golden_one():
    plan = Comparison((take("a"), take("b", 90, (90, 160), 30, 1, cuts=2)))
    inputs = [Path("/w/renders/a_0.mp4"), Path("/tmp/1.ffconcat")]
    command = comparison_command(
        "ffmpeg", plan, Path("/tmp/c.png"), inputs, Path("/tmp/p.txt"), Path("/w/c.mp4.part")
    )
    text = "\n".join(command) + "\n"
    if os.environ.get("REFRESH_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_steps_are_lined_up_and_the_fastest_film_sets_the_pace():
    update, step = take(fps=30), take("b", rate=1, fps=60)
    plan = Comparison((update, step))
    assert (plan.repeats(update), plan.repeats(step)) == (1, 2)
    assert (plan.frames, plan.fps) == (200, 60)
    assert list(plan.ends_early()) == [(update, 100 / 60)]
    by_frame = Comparison((update, step), by="frame")
    assert (by_frame.frames, list(by_frame.ends_early())) == (100, [])


@pytest.mark.parametrize(
    ("rates", "repeats"),
    [
        (("2", "1/10"), (1, 20)),
        (("1/10", "1/15"), (2, 3)),
        (("1/10", "1/10"), (1, 1)),
        (("2", "1", "1/3"), (1, 2, 6)),
    ],
)
def test_films_that_skip_steps_are_lined_up_too(rates, repeats):
    takes = tuple(take(str(number), rate=rate) for number, rate in enumerate(rates))
    plan = Comparison(takes)
    assert tuple(plan.repeats(each) for each in takes) == repeats
    steps = {plan.repeats(each) * each.rate for each in takes}
    assert len(steps) == 1, "a frame of the comparison is as many steps in each"


@pytest.mark.parametrize("count", range(2, 10))
@pytest.mark.parametrize("columns", [None, 1, 3, 99])
@pytest.mark.parametrize("size", [(320, 180), (54, 96), (3840, 2160), (96, 2), (2000, 31)])
def test_no_two_things_stand_in_one_place(count, columns, size):
    plan = Comparison(
        (take("first"), *[take(str(n), size=size) for n in range(count - 1)]), columns=columns
    )
    areas = plan.film_areas() + plan.label_areas()
    used = np.zeros((plan.height, plan.width), np.uint8)
    for area in areas:
        assert all(side % 2 == 0 for side in area)
        used[area.y : area.y + area.height, area.x : area.x + area.width] += 1
    assert used.max() == 1
    assert used.sum() == sum(area.width * area.height for area in areas)  # none reaches out
    assert max(plan.width, plan.height) <= LARGEST_SIDE
    assert len({area.height for area in plan.film_areas()}) == 1


def test_films_keep_their_shape():
    plan = Comparison((take(size=(320, 180)), take("b", size=(90, 160)), take("c", size=(64, 64))))
    shapes = [area.width / area.height for area in plan.film_areas()]
    assert shapes == pytest.approx([16 / 9, 9 / 16, 1], abs=0.02)


def test_nine_wide_films_stand_three_by_three():
    plan = Comparison(tuple(take(str(n)) for n in range(9)))
    assert len({area.x for area in plan.film_areas()}) == 3


def test_a_long_name_keeps_its_ends():
    font = ImageFont.load_default(20)
    short = shortened("neon-m01-lrg1e-4-and-very-much-more-tanh", 150, font)
    assert font.getlength(short) <= 150
    assert short.startswith("neo")
    assert short.endswith("-tanh")
    assert shortened("neon", 150, font) == "neon"
    assert shortened("neon", 3, font) == ""


def test_letters_that_a_font_lacks_are_replaced():
    assert drawable("été 猫 a-b", ImageFont.load_default(20)) == "ete ? a-b"


def test_the_progress_that_ffmpeg_tells():
    assert frames_done([]) == 0
    assert frames_done(["frame=3", "progress=continue", "frame=17", "fps=0", "fra"]) == 17


@pytest.fixture
def make_film(make_job):
    """`make_film(name, frames=.., size=.., cuts=1, **columns)`: a film of the test card."""

    def make(name, cuts=1, **options):
        paths, job = make_job(name, family="testcard", **options)
        paths.workspace.renders.mkdir(exist_ok=True)
        session = open_session(job, {}, SessionSettings())
        frames = session.run(job.plan.steps_total).frames[: job.plan.frames_total]
        for number, part in enumerate(np.array_split(frames, cuts), start=1):
            raw = paths.run / "raw"
            raw.write_bytes(part.tobytes())
            output = paths.film() if cuts == 1 else paths.timecut(number)
            command = encode_command(
                ffmpeg.find(), raw, job.plan, [output], crf=10, preset="ultrafast"
            )
            ffmpeg.run(command)

    return make


def numbers(plan, picture):
    """The numbers that the films in a frame of the comparison show."""
    shown = []
    for each, area in zip(plan.takes, plan.film_areas(), strict=True):
        film = picture[area.y : area.y + area.height, area.x : area.x + area.width]
        whole = np.asarray(Image.fromarray(film).resize((each.width, each.height)))
        shown.append(read_number(whole, each.width, each.height))
    return shown


def test_films_of_different_kinds_are_at_the_same_step(make_film, workspace, tmp_path):
    make_film("both", frames=24, size=(96, 54), snapshot="update")
    make_film("one", frames=16, size=(48, 64), cuts=3, fps=30, video_length=16 / 1800)
    make_film("short", frames=5, size=(40, 40))
    plan = Comparison(tuple(find_take(workspace, name) for name in ("both", "one", "short")))
    told = []
    output = tmp_path / "all.mp4"
    compare(plan, output, told.append)
    assert told[-1] == plan.frames == 32
    with av.open(str(output)) as video:
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert [numbers(plan, picture) for picture in pictures] == [
        [min(k, 23), k // 2, min(k // 2, 4)] for k in range(32)
    ]
    for area in plan.label_areas():
        strip = pictures[0][area.y : area.y + area.height, area.x : area.x + area.width]
        assert strip.max() > WHITE_ENOUGH
    assert [each.name for each in tmp_path.glob("*.mp4*")] == ["all.mp4"]


def test_without_labels_there_are_no_strips(make_film, workspace, tmp_path):
    make_film("a", frames=4)
    make_film("b", frames=4)
    plan = Comparison(
        tuple(find_take(workspace, name) for name in "ab"), by="frame", columns=1, labels=False
    )
    compare(plan, tmp_path / "ab.mp4", lambda frames: None)
    with av.open(str(tmp_path / "ab.mp4")) as video:
        assert video.streams.video[0].codec_context.height == 2 * 180 + 4


def test_an_alpha_film_is_laid_over_black(make_job, make_film, workspace, tmp_path):
    paths, job = make_job("alpha", frames=2, colour_model="rgba", format="prores-4444")
    workspace.renders.mkdir()
    frame = np.full((32, 32, 4), 255, np.uint8)
    frame[:, :16, 3] = 0
    raw = paths.run / "raw"
    raw.write_bytes(frame.tobytes() * 2)
    film = workspace.renders / "alpha.mov"
    ffmpeg.run(
        encode_command(
            ffmpeg.find(), raw, job.plan, [film], crf=17, preset="fast", name="prores-4444"
        )
    )
    make_film("b", frames=2)
    plan = Comparison(tuple(find_take(workspace, name) for name in ("alpha", "b")))
    compare(plan, tmp_path / "c.mp4", lambda frames: None)
    with av.open(str(tmp_path / "c.mp4")) as video:
        picture = next(video.decode(video=0)).to_ndarray(format="rgb24")
    area = plan.film_areas()[0]
    shown = picture[area.y + 20 : area.y + 160, area.x : area.x + area.width]
    assert shown[:, : area.width // 2 - 20].max() < 10
    assert shown[:, area.width // 2 + 20 :].min() > 245


def test_a_damaged_film_leaves_no_comparison(make_film, workspace, tmp_path):
    make_film("a", frames=30)
    make_film("b", frames=30, cuts=2)
    plan = Comparison(tuple(find_take(workspace, name) for name in "ab"))
    (workspace.renders / "b_timecut0002.mp4").write_bytes(b"nothing")
    with pytest.raises(MultitrainError):
        compare(plan, tmp_path / "ab.mp4", lambda frames: None)
    assert not list(tmp_path.glob("ab.mp4*"))


def test_what_there_is_to_see_of_a_job(make_job, make_film, workspace):
    with pytest.raises(UsageError, match="There is no job 'a'"):
        find_take(workspace, "a")
    make_film("a", frames=30, cuts=3)
    assert find_take(workspace, "a").frames == 30
    (workspace.renders / "a_timecut0002.mp4").unlink()
    assert find_take(workspace, "a").frames == 10
    (workspace.renders / "a_timecut0001.mp4").unlink()
    with pytest.raises(UsageError, match=r"a has no film and no timecut in .* yet"):
        find_take(workspace, "a")


def test_of_a_job_with_boxes_the_first_is_shown(make_film, workspace):
    make_film("a", frames=6)
    film = workspace.renders / "a_box0001.mp4"
    (workspace.renders / "a.mp4").rename(film)
    assert find_take(workspace, "a").files == (film,)
    cuts = [workspace.renders / f"a_timecut000{number}_box0001.mp4" for number in (1, 2)]
    for cut in cuts:
        shutil.copy(film, cut)
    film.unlink()
    assert find_take(workspace, "a").files == tuple(cuts)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("c.avi", "must end in .mp4"),
        ("renders/c.mp4", "is for the films"),
        ("c.mp4", "is there already"),
    ],
)
def test_where_a_comparison_cannot_go(workspace, name, reason):
    (workspace.root / "c.mp4").touch()
    with pytest.raises(UsageError, match=reason):
        check_output(workspace, workspace.root / name, force=False)
    if name == "c.mp4":
        check_output(workspace, workspace.root / name, force=True)


@pytest.fixture
def job_without_film(workspace):
    """`job_without_film(state, error="", **columns)`: job `a`, which ended so."""

    def make(state, error="", **columns):
        settings = {"name": "a", "dataset": "demo", "grid_width": 1, "grid_height": 1}
        spec = JobSpec(**settings, video_length=1, family="testcard", **columns)
        JobFile(spec=spec, image_width=32, image_height=32).save(workspace.job("a"))
        store = Store(workspace.store)
        store.add([("a", 10)])
        row = store.job("a")
        store.save([replace(row, state=state, error=error)])
        store.close()

    return make


@pytest.mark.parametrize(
    ("state", "columns", "told"),
    [
        (State.QUEUED, {}, " yet; wait for its first one"),
        (State.RENDERING, {}, " yet; wait for its first one"),
        (State.FAILED, {"error": "NaN at step 3"},
         ", and it is failed (NaN at step 3); run its sheet again"),
        (State.CANCELLED, {}, ", and it is cancelled; run its sheet again"),
        (State.DONE, {}, ", and it is done; run it with --fresh a"),
        (State.DONE, {"render_video": False},
         ", nor will it: render_video is False, which leaves PNG frames"),
    ],
)  # fmt: skip
def test_whether_a_film_will_come_is_told(workspace, job_without_film, state, columns, told):
    job_without_film(state, **columns)
    with pytest.raises(UsageError) as caught:
        find_take(workspace, "a")
    assert str(caught.value) == f"a has no film and no timecut in {workspace.renders}{told}"


def test_where_nothing_is_known_of_it_a_film_may_come(workspace, job_without_film):
    job_without_film(State.DONE)
    workspace.store.unlink()
    with pytest.raises(UsageError, match="wait for its first one"):
        find_take(workspace, "a")


def test_films_are_turned_and_of_the_shape_that_players_show(make_film, workspace, tmp_path):
    """All eight display matrices, with pixels that are not square."""
    for name in "ab":
        make_film(name, frames=10)
    plain = quadrants(tmp_path / "plain.mp4", *H264, "-vf", "setsar=4/3")
    for turn in TURNS:
        film = remuxed(plain, workspace.renders / "a.mp4", *turn)
        right = as_player(film)
        plan = Comparison(tuple(find_take(workspace, name) for name in "ab"), labels=False)
        compare(plan, tmp_path / "comparison.mp4", lambda _: None)
        area = plan.film_areas()[0]
        shown = as_player(tmp_path / "comparison.mp4")
        seen = shown[area.y : area.y + area.height, area.x : area.x + area.width]
        assert corners(seen) == corners(right)
        across = 3 / 4 if right.shape[0] > right.shape[1] else 4 / 3
        assert area.width / area.height == pytest.approx(
            right.shape[1] / right.shape[0] * across, abs=0.02
        )
