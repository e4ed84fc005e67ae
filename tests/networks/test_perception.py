from __future__ import annotations

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest

from jobs.errors import MultitrainError
from multitrain.networks.perception import MEAN, STAGES, Convolution, Perception, read_vgg16


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def save(path: Path, names: str, filters: tuple[int, ...], first: int = 3) -> list[np.ndarray]:
    """Weights as Keras writes them; `names` such as `conv2d_{}/vars`. Returns their biases."""
    biases, channels = [], first
    with h5py.File(path, "w") as file:
        for number, count in enumerate(filters):
            biases.append(drawn(number, count))
            file[f"{names.format(number)}/0"] = drawn(number, 3, 3, channels, count)
            file[f"{names.format(number)}/1"] = biases[-1]
            channels = count
    return biases


VGG16 = tuple(filters for stage in STAGES for filters in stage)


@pytest.mark.parametrize("more", [(), (512, 512, 512, 512, 512, 512)])
def test_weights_are_read_in_the_order_of_their_names(
    tmp_path: Path, more: tuple[int, ...]
) -> None:
    biases = save(tmp_path / "vgg.h5", "layers/conv2d_{}/vars", VGG16 + more)

    read = read_vgg16(tmp_path / "vgg.h5")

    assert [each.kernel.shape[-1] for each in read] == list(VGG16)
    for each, bias in zip(read, biases, strict=False):
        np.testing.assert_array_equal(each.bias, bias)


def test_files_of_other_networks_are_refused(tmp_path: Path) -> None:
    other, damaged = tmp_path / "other.h5", tmp_path / "damaged.h5"
    save(other, "block_{}", (64, 32))
    damaged.write_bytes(b"no weights")

    with pytest.raises(MultitrainError, match=r"its convolution 2 would be \(3, 3, 64, 64\)"):
        read_vgg16(other)
    with pytest.raises(MultitrainError, match=r"perceptual: .*damaged.h5 cannot be read"):
        read_vgg16(damaged)


@pytest.fixture
def tiny() -> list[Convolution]:
    sizes = [3, 2, 2, 3, 2, 2, 4, 3]
    pairs = itertools.pairwise(sizes)
    return [Convolution(drawn(n, 3, 3, a, b) / 9, drawn(n, b)) for n, (a, b) in enumerate(pairs)]


def features(convolutions: list[Convolution], pictures: np.ndarray) -> list[np.ndarray]:
    """By hand."""
    x = (pictures[..., ::-1] + 1) * 127.5 - np.array(MEAN, np.float32)
    found, left = [], list(convolutions)
    for number, stage in enumerate(STAGES):
        if number:
            n, height, width, channels = x.shape
            x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
        for _ in stage:
            kernel, bias = left.pop(0)
            padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
            height, width = x.shape[1:3]
            x = bias + sum(
                padded[:, row : row + height, column : column + width] @ kernel[row, column]
                for row in range(3)
                for column in range(3)
            )
            x = np.maximum(x, 0)
        found.append(x)
    return found


@pytest.mark.long_on_jax
def test_pictures_lie_apart_by_the_directions_of_their_features(tiny: list[Convolution]) -> None:
    one, other = np.clip(drawn(0, 2, 2, 8, 12, 3), -1, 1)

    wanted = 0.0
    for a, b in zip(features(tiny, one), features(tiny, other), strict=True):
        a, b = (each / np.sqrt((each**2).sum(-1, keepdims=True) + 1e-8) for each in (a, b))
        wanted += ((a - b) ** 2).sum(-1).mean()
    found = Perception(tiny)
    assert float(found.apart(one, other)) == pytest.approx(wanted, rel=1e-3)
    assert wanted > 0.01
    assert float(found.apart(one, one)) == 0
