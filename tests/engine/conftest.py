"""Tests of one engine are collected where Keras runs on it; `test_on_jax` starts those of JAX."""

from __future__ import annotations

import os

OF_TENSORFLOW = ["test_tensorflow_*.py", "test_tf_*.py", "test_precision.py", "test_on_jax.py"]
OF_JAX = ["test_jax_*.py"]

collect_ignore_glob = OF_TENSORFLOW if os.environ.get("KERAS_BACKEND") == "jax" else OF_JAX
