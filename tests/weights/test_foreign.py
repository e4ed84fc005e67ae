"""Weights of Keras that others have trained: read in order, and given the names of ours."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from jobs.errors import OriginUnfit
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.engine.session import State
from multitrain.weights import checkpoints
from multitrain.weights.foreign import NoWeights, numbered, read_layers, renamed
from multitrain.weights.init_from import opening_at_origin

RANDOM = np.random.default_rng(0)
# Twelve layers: the tenth comes behind the ninth, not the first.
LAYERS = [
    (RANDOM.normal(size=(3, 3, 2, 2)).astype(np.float32), np.full(2, place, np.float32))
    for place in range(12)
]
OWN: State = {
    f"encoder/conv_{place}/{kind}": np.zeros_like(array)
    for place, layer in enumerate(LAYERS)
    for kind, array in zip(("kernel", "bias"), layer, strict=True)
}

MakeJob = Callable[..., JobFile]


def weights_of_keras_3() -> bytes:
    """As Keras 3 writes them, the optimizer's in between, and a decoder behind."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        for place, layer in enumerate([*LAYERS, LAYERS[0]]):
            name = "conv2d" if place == 0 else f"conv2d_{place}"
            for number, array in enumerate(layer):
                file[f"layers/{name}/vars/{number}"] = array
        file["layers/conv2d_transpose/vars/0"] = LAYERS[0][0]
        file["optimizer/vars/0"] = LAYERS[3][0]
    return image.getvalue()


def as_keras(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", weights_of_keras_3())


def as_older(path: Path) -> None:
    """As Keras 2 writes a network within another: any names, whose order attributes tell, in
    arrays of bytes.
    """
    half = len(LAYERS) // 2
    with h5py.File(path, "w") as file:
        whole = file.create_group("model_weights")
        whole.attrs["layer_names"] = np.array([b"input", b"second", b"first"])
        whole.create_group("input").attrs["weight_names"] = np.array([])
        for network, layers in (("second", LAYERS[:half]), ("first", LAYERS[half:])):
            group, names = whole.create_group(network), []
            for place, layer in enumerate(layers):
                for kind, array in zip(("kernel:0", "bias:0"), layer, strict=True):
                    names.append(f"{chr(122 - place)}/{kind}")
                    group[names[-1]] = array
            group.attrs["weight_names"] = np.array([name.encode() for name in names])


def holding(path: Path, **arrays: np.ndarray) -> Path:
    """A file with these arrays, `__` for each `/` in their names."""
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name.replace("__", "/")] = array
    return path


@pytest.fixture(params=["mine.keras", "mine.weights.h5", "older.h5"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    match request.param:
        case "mine.keras":
            as_keras(path)
        case "mine.weights.h5":
            path.write_bytes(weights_of_keras_3())
        case _:
            as_older(path)
    return path


def test_layers_come_in_their_order(file: Path) -> None:
    found = renamed("encoder", numbered("encoder", read_layers(file)), OWN)
    assert found.keys() == OWN.keys()
    for place, (kernel, bias) in enumerate(LAYERS):
        np.testing.assert_array_equal(found[f"encoder/conv_{place}/kernel"], kernel)
        np.testing.assert_array_equal(found[f"encoder/conv_{place}/bias"], bias)


def test_other_weights_keep_their_names() -> None:
    assert renamed("encoder", OWN, {}) is OWN


def test_layers_of_other_shapes_are_told(file: Path) -> None:
    wider = {**OWN, "encoder/conv_2/kernel": np.zeros((5, 5, 2, 2))}
    with pytest.raises(
        NoWeights, match="kernel of its convolution 3 is 3x3x2x2 there, and 5x5x2x2"
    ):
        renamed("encoder", numbered("encoder", read_layers(file)), wider)
    more = {**OWN, **{f"encoder/conv_{place}/kernel": LAYERS[0][0] for place in range(20)}}
    with pytest.raises(NoWeights, match="is missing there"):
        renamed("encoder", numbered("encoder", read_layers(file)), more)


def test_a_layer_without_a_bias_takes_no_other_ones(tmp_path: Path) -> None:
    first, second = LAYERS[:2]
    path = holding(
        tmp_path / "some.h5",
        layers__conv2d__vars__0=first[0],
        layers__conv2d_1__vars__0=second[0],
        layers__conv2d_1__vars__1=second[1],
    )
    layers = numbered("encoder", read_layers(path))
    kernels = {"encoder/conv_0/kernel": OWN["encoder/conv_0/kernel"]}
    own = {name: OWN[name] for name in OWN if name.startswith("encoder/conv_1/")} | kernels
    np.testing.assert_array_equal(renamed("encoder", layers, own)["encoder/conv_1/bias"], second[1])
    with pytest.raises(NoWeights, match="the bias of its convolution 1 is missing there"):
        renamed("encoder", layers, OWN)


def test_what_a_layer_draws_chance_from_is_no_weight(tmp_path: Path) -> None:
    path = holding(
        tmp_path / "some.h5",
        layers__conv2d__vars__0=LAYERS[0][0],
        layers__dropout__seed_generator__vars__0=np.zeros(2, np.uint32),
    )
    assert len(read_layers(path)) == 1


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({"layers__dense__vars__0": (8, 2), "layers__dense__vars__1": (2,)}, "dense"),
        ({f"norm__norm__{name}:0": (2,) for name in ("beta", "gamma", "mean")}, "norm"),
        ({"layers__separable__vars__0": (3, 3, 2, 1), "layers__separable__vars__1": (1, 1, 2, 2)},
         "separable"),
        ({"layers__slope__vars__0": (2,)}, "slope"),
        ({"layers__scaled__vars__0": (3, 3, 2, 2), "layers__scaled__vars__1": (5,)}, "scaled"),
        ({f"layers__dense_{each}__vars__0": (8, 2) for each in range(5)},
         "dense_0, dense_1, dense_2 and 2 more"),
    ],
)  # fmt: skip
def test_other_layers_are_refused_by_name(
    tmp_path: Path, others: dict[str, tuple[int, ...]], told: str
) -> None:
    kernel, bias = LAYERS[0]
    convolution = {"layers__conv2d__vars__0": kernel, "layers__conv2d__vars__1": bias}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in others.items()}
    path = holding(tmp_path / "some.h5", **convolution, **arrays)
    with pytest.raises(NoWeights, match=rf"holds more than convolutions \({told}\); name a file"):
        read_layers(path)


class Taking:
    """A session that has an encoder, and keeps what it is given."""

    def __init__(self) -> None:
        self.adopted: State = {}

    def state(self) -> State:
        return {**OWN, "decoder/conv_0/kernel": np.zeros(1)}

    def adopt(self, weights: State, *, fitting: bool) -> list[str]:
        self.adopted = dict(weights)
        return ["decoder/conv_0/kernel"]


def opening(tiny_job: MakeJob, paths: JobPaths, origin: str) -> Taking:
    session = Taking()
    spec = tiny_job(family="autoencoder", encoder_weights=origin).spec
    opening_at_origin(spec, paths, lambda: session)()  # type: ignore[arg-type, return-value]
    return session


def test_a_job_starts_from_the_encoder_of_a_file_even_when_it_is_gone(
    tiny_job: MakeJob, paths: JobPaths, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = opening(tiny_job, paths, str(file))
    file.unlink()
    again = opening(tiny_job, paths, str(file))
    for each in (first, again):
        np.testing.assert_array_equal(each.adopted["encoder/conv_11/kernel"], LAYERS[11][0])
    assert "at random" not in caplog.text  # a decoder always does


def test_of_a_checkpoint_the_encoder_alone_is_taken(tiny_job: MakeJob, paths: JobPaths) -> None:
    both = {**OWN, "decoder/conv_0/kernel": np.ones(1, np.float32)}
    checkpoints.save_weights(paths.workspace.root / "kept.h5", "autoencoder", both)
    assert opening(tiny_job, paths, "kept.h5").adopted.keys() == OWN.keys()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gone.keras", "is not there any more"),
        ("odd.keras", "is damaged, or holds no weights of Keras"),
        ("odd.h5", "is damaged, or holds no weights of Keras"),
        ("empty.h5", "holds no convolution"),
        ("some.h5", r"holds more than convolutions \(some\)"),
        ("checkpoint.h5", "is a checkpoint, and damaged"),
    ],
)
def test_files_without_such_weights_are_told(
    tiny_job: MakeJob, paths: JobPaths, name: str, told: str
) -> None:
    root = paths.workspace.root
    for each in ("odd.keras", "odd.h5"):
        (root / each).write_text("an odd file that is long enough")
    holding(root / "empty.h5")
    holding(root / "some.h5", some=np.zeros((2, 2)))
    checkpoints.save_weights(root / "checkpoint.h5", "autoencoder", OWN)
    with (root / "checkpoint.h5").open("ab") as damaged:
        damaged.write(b"x")
    with pytest.raises(OriginUnfit, match=told):
        opening(tiny_job, paths, name)
    assert not paths.beginning.exists()
