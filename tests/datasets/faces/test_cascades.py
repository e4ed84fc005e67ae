from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from jobs.errors import UsageError
from multitrain.datasets.faces import cascades
from multitrain.datasets.faces.cascades import read_cascade
from multitrain.datasets.faces.finding import find_faces
from tests.disk.dataset_scenes import ANY_FACE

STUMP = "0 -1 0 0 0 0 0 0 0 0 0"


def test_a_cascade_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "any.xml"
    file.write_text(ANY_FACE)
    assert find_faces(np.zeros((40, 50, 3), np.uint8), read_cascade(file), least=24)


@pytest.mark.parametrize(
    ("sound", "bad", "reason"),
    [
        ("</cascade>", "", "it is not XML"),
        ("LBP", "HAAR", "its features are HAAR"),
        ("<rect>0 0 4 4", "<rect>1 0 4 4", "do not lie in its window"),
        ("<rect>0 0 4 4", "<rect>0 0 4", "do not lie in its window"),
        ("<stageNum>1", "<stageNum>2", "as many stages as it says"),
        ("<maxWeakCount>1", "<maxWeakCount>9", "as many trees as it says"),
        (STUMP, "0 -1 1" + STUMP[6:], "has not just one node"),  # of a feature that is not there
        (STUMP, "1 -1 0" + STUMP[6:] + " -1 -2 0" + 8 * " 0", "has not just one node"),
        (STUMP, STUMP + "9" * 20, "no LBP cascade"),
        ("<width>12", "<width>wide", "no LBP cascade"),
    ],
)
def test_what_is_no_cascade(tmp_path: Path, sound: str, bad: str, reason: str) -> None:
    file = tmp_path / "bad.xml"
    file.write_text(ANY_FACE.replace(sound, bad))
    with pytest.raises(UsageError, match=reason):
        read_cascade(file)


def test_a_missing_extra_is_told_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascades, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"needs the extra faces: .*install .*'\.\[faces\]'"):
        read_cascade()
