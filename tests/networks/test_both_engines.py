"""Networks of the same job answer alike on TensorFlow and on JAX."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jobs.workspace.jobfile import JobFile

MakeJob = Callable[..., JobFile]

REPOSITORY = Path(__file__).parents[2]

VARIATIONS: list[dict[str, object]] = [
    {"stride_g": "3,2", "stride_d": "3,2"},
    {"convolution_g": "upconv", "convolution_d": "dilated", "normalization_d": "spectral"},
    {"convolution_g": "upconv-bilinear", "dilation_g": "2", "normalization_g": "instance"},
    {"convolution_g": "subpixel", "convolution_d": "separable", "normalization_g": "layer"},
    {"stride_g": "1", "dilation_g": "2", "normalization_g": "spectral", "activation_g": "sine"},
    {"normalization_g": "pixel", "activation_g": "mish", "activation_d": "gelu", "k_w": "4"},
]

ANSWERS = """
import sys
from itertools import count
from pathlib import Path
import numpy as np
from jobs.workspace.jobfile import JobFile
from jobs.families.dcgan.layers import discriminator_layers, generator_layers
from multitrain.families.dcgan.building import build_discriminator, build_generator

answers = []
latents = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
for text in Path(sys.argv[1]).read_text().splitlines():
    job = JobFile.model_validate_json(text)
    size = job.image_width, job.image_height
    generate = build_generator(generator_layers(job.spec, *size), count())
    judge = build_discriminator(discriminator_layers(job.spec, *size), job.spec, count())
    pictures = generate(latents, training=True)
    answers += [pictures, judge(10 * pictures, training=True)[1]]
np.savez(sys.argv[2], *[np.asarray(answer) for answer in answers])
"""


def test_the_same_weights_make_the_same_on_both(tiny_job: MakeJob, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    jobs.write_text("\n".join(tiny_job(**each).model_dump_json() for each in VARIATIONS))
    told = {}
    for engine in ("tensorflow", "jax"):
        file = tmp_path / f"{engine}.npz"
        environment = os.environ | {"KERAS_BACKEND": engine, "JAX_PLATFORMS": "cpu"}
        done = subprocess.run(
            [sys.executable, "-c", ANSWERS, jobs, file],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        told[engine] = list(np.load(file).values())

    assert len(told["jax"]) == 2 * len(VARIATIONS)
    for ours, theirs in zip(told["tensorflow"], told["jax"], strict=True):
        assert ours.std() > 1e-3, "they say nothing"
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)
