"""LBP cascades as OpenCV trains them, for scikit-image, which the extra `faces` installs.

P. Viola and M. Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features" (2001);
S. Liao et al., "Learning Multi-scale Block Local Binary Patterns for Face Recognition" (2007).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from jobs.errors import UsageError, how_to_install

if TYPE_CHECKING:
    from skimage.feature import Cascade

MOST_BYTES = 2**26
WORDS_OF_A_STUMP = (
    11  # two leaves, the feature, and a bit for each of 256 patterns in eight numbers
)


def read_cascade(path: Path | None = None) -> Cascade:
    """The cascade in a file, else scikit-image's own of faces from the front.

    UsageError where there is none, or no scikit-image.
    """
    if not find_spec("skimage"):
        raise UsageError(f"dataset faces needs the extra faces: {how_to_install('faces')}")
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    if path is None:
        return Cascade(lbp_frontal_face_cascade_filename())
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        _require_sound(ElementTree.parse(path).getroot())
        return Cascade(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is no cascade: it is not XML ({error})") from error
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{path} is no LBP cascade as OpenCV trains them: {error}") from error


def _require_sound(root: ElementTree.Element) -> None:
    """scikit-image trusts files: it would read memory that is not its own. Raises ValueError."""
    kind = root.findtext(".//featureType", "").strip()
    if kind != "LBP":
        raise ValueError(f"its features are {kind[:20] or 'of no kind'}")
    size = _whole(root, ".//width"), _whole(root, ".//height")
    features = _parts(root, ".//features")
    if not all(_lies_within(size, each) for each in features):
        raise ValueError("its features do not lie in its window")
    stages = _parts(root, ".//stages")
    if not stages or _whole(root, ".//stageNum") != len(stages):
        raise ValueError("it has not as many stages as it says")
    for stage in stages:
        float(stage.findtext("stageThreshold", ""))
        trees = _parts(stage, "weakClassifiers")
        if _whole(stage, "maxWeakCount") != len(trees):
            raise ValueError("a stage of it has not as many trees as it says")
        if not all(_is_stump(each, len(features)) for each in trees):
            raise ValueError("a tree of it has not just one node")


def _parts(element: ElementTree.Element, path: str) -> list[ElementTree.Element]:
    found = element.find(path)
    return [] if found is None else list(found)


def _whole(element: ElementTree.Element, path: str) -> int:
    return int(element.findtext(path, ""))


def _lies_within(size: tuple[int, int], feature: ElementTree.Element) -> bool:
    """All of its 3 x 3 blocks; the file has the first one."""
    box = [int(word) for word in feature.findtext("rect", "").split()]
    if len(box) != 4 or len(feature) != 1:
        return False
    x, y, width, height = box
    is_there = min(x, y) >= 0 and min(width, height) > 0
    return is_there and x + 3 * width <= size[0] and y + 3 * height <= size[1]


def _is_stump(tree: ElementTree.Element, features: int) -> bool:
    nodes = tree.findtext("internalNodes", "").split()
    leaves = [float(word) for word in tree.findtext("leafValues", "").split()]
    is_one = len(nodes) == WORDS_OF_A_STUMP and nodes[:2] == ["0", "-1"] and len(leaves) == 2
    return is_one and 0 <= int(nodes[2]) < features
