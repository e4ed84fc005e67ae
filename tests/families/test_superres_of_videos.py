"""Low pictures that a video has kept: they are those of the high ones, wherever steps see both."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from PIL import Image

from jobs.errors import SheetError
from jobs.families.enlarging import LOW
from jobs.families.feed import PICTURES
from jobs.families.translation import INPUTS, SAMPLES, VALIDATION
from jobs.settings.translation import Degradation
from jobs.sheets.sheet import read_sheet
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.datasets.decoded.compressing import compressed
from multitrain.datasets.drawn.landscapes import draw_landscape
from multitrain.engine.session import SessionSettings
from multitrain.families import open_session
from multitrain.trainer.feeds import open_job_pictures

SIZE = (48, 32)
CELLS = {
    "name": "sharp", "family": "superres", "dataset": "film", "scale": 2,
    "net": "genome", "genome": "4k3 out3",
    "preprocess": "crop", "crop_size": 24, "batch_size": 2, "grid_width": 1, "grid_height": 1,
    "steps": 8, "show": "input+output+target", "degrade": "video(40),noise(9)",
    "sample_from": "seen", "validation": "other", "precision": "float32",
}  # fmt: skip


@pytest.fixture
def job_of(workspace: Workspace):
    """`job_of(**more)`: of a sheet, over three folders of a few frames each."""
    for number, folder in enumerate(("film", "seen", "other", "odd")):
        pan = draw_landscape(number, SIZE[0] + 20, SIZE[1])
        place = workspace.dataset(folder)
        place.mkdir(parents=True)
        for each in range(5):
            width = SIZE[0] - (folder == "odd")
            Image.fromarray(pan[:, 4 * each : 4 * each + width]).save(place / f"{each}.png")

    def make(**more: object) -> JobFile:
        sheet = workspace.root / "s.yaml"
        sheet.write_text(yaml.safe_dump({"jobs": [CELLS | more]}))
        (job,) = read_sheet(sheet, workspace).jobs
        return job

    return make


def as_video(high: np.ndarray) -> np.ndarray:
    small = [
        np.asarray(Image.fromarray(each).resize((24, 16), Image.Resampling.LANCZOS))
        for each in high
    ]
    named = ((("", 0), each) for each in small)
    return np.stack(list(compressed(named, Degradation.parse("video(40)"))))


def test_steps_frames_and_measures_are_given_pairs(job_of, workspace: Workspace) -> None:
    job = job_of()
    pictures = open_job_pictures(job, workspace, keep_free=0)

    assert [*pictures.feeds] == [PICTURES, INPUTS, SAMPLES + PICTURES, SAMPLES + INPUTS,
                                 VALIDATION, LOW[VALIDATION]]  # fmt: skip
    for high, low in LOW.items():
        high_ones, low_ones = (pictures.pictures[name].images for name in (high, low))
        np.testing.assert_array_equal(low_ones, as_video(high_ones))
    assert {INPUTS, PICTURES} <= pictures.fingerprints.keys()

    session = open_session(job, pictures.feeds, SessionSettings())
    (frame,) = session.run(1).frames
    shown = pictures.pictures[SAMPLES + INPUTS].images[0, 2:14, 6:18].astype(int)
    small = frame[::2, 0:24:2].astype(int)
    assert 4 < np.abs(small - shown).mean() < 12, "with the noise of the chain's second step"
    target = pictures.pictures[SAMPLES + PICTURES].images[0, 4:28, 12:36]
    np.testing.assert_array_equal(frame[:, 48:72], target)
    assert 10 < session.measured()["psnr_bicubic"] < 30


def test_what_is_held_out_is_held_out_of_both(job_of, workspace: Workspace) -> None:
    feeds = open_job_pictures(job_of(validation="40%"), workspace, keep_free=0).feeds
    items = {
        name: feed.numbers[:, 0].tolist() for name, feed in feeds.items() if SAMPLES not in name
    }
    assert items[PICTURES] == items[INPUTS]
    assert items[VALIDATION] == items[LOW[VALIDATION]]
    assert sorted(items[PICTURES] + items[VALIDATION]) == [*range(5)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"degrade": "blur,video"}, "degrade: has video behind another step"),
        ({"degrade": "video,shrink"}, "degrade: shrinks, and video is made of small pictures"),
        ({"colour_model": "rgba"}, "degrade: makes a video, which keeps no alpha; rgba has it"),
        ({"dataset": "odd"}, "dataset: is made 2 times smaller beforehand, and pictures of 47x32"),
        ({"crop_size": 25}, "dataset: is made 2 times smaller beforehand, and crop_size 25x25"),
    ],
)
def test_what_cannot_be_is_told(job_of, more: dict[str, object], told: str) -> None:
    with pytest.raises(SheetError) as error:
        job_of(**more)
    assert told in str(error.value)
