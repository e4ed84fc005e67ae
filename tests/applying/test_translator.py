"""What networks make of pictures of any size: as in training, alone or side by side, with alpha."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.errors import OriginUnfit, UsageError
from jobs.settings.kinds import Resolution
from jobs.settings.translation import Filter
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import JobPaths
from multitrain.applying.asked import Asked
from multitrain.applying.translator import MIRRORS, Translator
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device, Placed
from multitrain.weights.moments import at_step
from tests.applying.conftest import Learn
from tests.applying.weights import noise

SIZE = Resolution(45, 36)
PICTURES = noise(7, 36, 45, 3)
CYCLES = {"family": "cyclegan", "blocks": 1, "dataset": None, "inputs": "a", "targets": "b"}
CARTOON = {**CYCLES, "family": "cartoon"}
CODER = {"family": "autoencoder", "features": 4, "latent_channels": 3, "quantise": 0.05}
KINDS = [{"family": "pix2pix"}, CYCLES, CARTOON]


def opened(
    job: JobFile, paths: JobPaths, size: Resolution = SIZE, **how: object
) -> tuple[Translator, Placed]:
    asked = Asked(paths.workspace, job, **how)
    translator = Translator(asked, Device(job, SessionSettings()), size)
    return translator, translator.place(at_step(paths, job.spec.family, None).load(0))


def far(one: np.ndarray, other: np.ndarray) -> int:
    """Levels, at most."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("kind", [*KINDS, pytest.param(CODER, marks=pytest.mark.long_on_jax)])
def test_pictures_come_out_as_the_frames_of_the_training_show_them(
    learn: Learn, paths: JobPaths, kind: dict[str, object]
) -> None:
    """At once, and each alone."""
    job, model = learn(**kind, show="output")
    shown = model.shown.draw(
        lambda name, inputs, training: model.networks[name](inputs, training=training),
        dict.fromkeys(model.shown.pictures, PICTURES[:3]),
    )
    translator, weights = opened(job, paths)

    made = translator.make(weights, PICTURES[:3])

    assert made.std() > 1
    assert far(made, np.asarray(shown)) <= 1
    alone = [translator.make(weights, picture[None])[0] for picture in PICTURES[:3]]
    assert far(np.stack(alone), made) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_any_size_come_back_whole(
    learn: Learn, paths: JobPaths, kind: dict[str, object]
) -> None:
    job, _ = learn(**kind)
    for width, height in ((45, 36), (61, 40), (97, 51)):
        translator, weights = opened(job, paths, Resolution(width, height))
        assert translator.make(weights, noise(1, height, width, 3)).shape == (1, height, width, 3)


def test_inputs_are_made_of_pictures_unless_they_are_raw(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(family="pix2pix", input_from="grey")
    colours, raw = (opened(job, paths, raw=each)[0] for each in (False, True))
    weights = colours.place(at_step(paths, "pix2pix", None).load(0))
    luma = np.round(PICTURES[:1] @ [0.2126, 0.7152, 0.0722])
    grey = np.repeat(luma[..., None], 3, axis=-1).astype(np.uint8)

    made = colours.make(weights, PICTURES[:1])

    assert far(made, raw.make(weights, grey)) <= 1
    assert far(made, raw.make(weights, PICTURES[:1])) > 1


def test_the_way_back_is_another_network(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**CYCLES)
    there, back = (
        translator.make(weights, PICTURES[:1])
        for translator, weights in (opened(job, paths), opened(job, paths, back=True))
    )
    assert far(there, back) > 1


def test_a_cartoon_is_filtered_as_it_is_asked_for(learn: Learn, paths: JobPaths) -> None:
    """As that of a job which is trained so."""
    sharp, flat = Filter("none"), Filter.parse("guided(radius=4,eps=0.5)")

    def made(job: JobFile, **how: object) -> np.ndarray:
        translator, weights = opened(job, paths, **how)
        return translator.make(weights, PICTURES[:1])

    trained = learn(**CARTOON, output_filter=str(flat)).job
    job = trained.replaced(spec=trained.spec.model_copy(update={"output_filter": sharp}))
    np.testing.assert_array_equal(made(trained), made(job, output_filter=flat))
    assert far(made(trained), made(job)) > 1


def test_alpha_stays_as_it_is_where_the_network_knows_nothing_of_it(
    learn: Learn, paths: JobPaths
) -> None:
    job, _ = learn(family="pix2pix")
    translator, weights = opened(job, paths)
    clear = noise(1, 36, 45, 4, seed=1)

    made = translator.make(weights, clear)

    np.testing.assert_array_equal(made[..., 3], clear[..., 3])
    np.testing.assert_array_equal(made[..., :3], translator.make(weights, clear[..., :3]))


def test_a_network_that_knows_alpha_takes_pictures_without_as_opaque(
    learn: Learn, paths: JobPaths
) -> None:
    job, _ = learn(family="pix2pix", colour_model="rgba")
    translator, weights = opened(job, paths)
    opaque = np.concatenate([PICTURES[:1], np.full((1, 36, 45, 1), 255, np.uint8)], axis=-1)

    made = translator.make(weights, PICTURES[:1])

    assert made.shape[-1] == 4
    np.testing.assert_array_equal(made, translator.make(weights, opaque))


def test_between_two_weights_lies_what_their_mean_makes(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(family="pix2pix")
    translator, _ = opened(job, paths)
    loaded = [at_step(paths, "pix2pix", step).load(0) for step in (0, 4)]
    mean = {name: (each + loaded[1][name]) / 2 for name, each in loaded[0].items()}
    a, b, middle = (translator.place(each) for each in (*loaded, mean))

    def between(share: float) -> np.ndarray:
        return translator.make(translator.between(a, b, share), PICTURES[:1])

    assert far(between(0.5), translator.make(middle, PICTURES[:1])) <= 1
    assert far(between(0), translator.make(a, PICTURES[:1])) <= 1
    assert far(between(1), translator.make(b, PICTURES[:1])) <= 1
    assert far(between(0), between(1)) > 1


def test_with_an_ensemble_mirror_images_come_out_as_mirror_images(
    learn: Learn, paths: JobPaths
) -> None:
    job, _ = learn(family="pix2pix")

    def made(pictures: np.ndarray, **how: bool) -> np.ndarray:
        translator, weights = opened(job, paths, **how)
        return translator.make(weights, pictures)

    picture, mirrored = PICTURES[:1], PICTURES[:1, ::-1, ::-1].copy()
    assert far(made(mirrored), made(picture)[:, ::-1, ::-1]) > 1
    calm = made(picture, ensemble=True)
    assert far(made(mirrored, ensemble=True), calm[:, ::-1, ::-1]) <= 1
    alone = [
        made(np.flip(picture, axes), ensemble=False).astype(float)
        for axes in ((), (1,), (2,), (1, 2))
    ]
    mean = np.mean([np.flip(each, axes) for each, axes in zip(alone, MIRRORS, strict=True)], axis=0)
    assert far(calm, mean.round()) <= 1


def test_weights_of_other_networks_are_refused(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(family="pix2pix")
    other = job.model_copy(update={"spec": job.spec.model_copy(update={"gf_dim": 3})})
    with pytest.raises(OriginUnfit, match="do not fit the networks of tiny"):
        opened(other, paths)


@pytest.mark.long_on_jax
def test_the_first_channels_of_latents_may_do(learn: Learn, paths: JobPaths) -> None:
    job, _ = learn(**CODER)

    def made(channels: int | None) -> np.ndarray:
        translator, weights = opened(job, paths, channels=channels)
        return translator.make(weights, PICTURES[:1])

    whole = made(None)
    assert far(made(3), whole) == 0
    assert far(made(1), whole) > 3
    with pytest.raises(UsageError, match="tiny has 3 latent channels; --channels 4 is more"):
        Asked(paths.workspace, job, channels=4).check()
    other, _ = learn(family="pix2pix")
    with pytest.raises(UsageError, match="tiny is a pix2pix, which sends nothing from one"):
        Asked(paths.workspace, other, channels=1).check()
