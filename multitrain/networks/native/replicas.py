"""How replicas share the work that was drawn for all."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def replica() -> int:
    """This replica's number, known while the graph is built: replicas are traced separately."""
    return int(tf.get_static_value(tf.distribute.get_replica_context().replica_id_in_sync_group))


def share(drawn: Any, axis: int = 0) -> Any:
    """This replica's part of what was drawn for all, along `axis`."""
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    if replicas == 1:
        return drawn
    return tf.split(drawn, replicas, axis)[replica()]


def mean_over_replicas(tensors: Any) -> Any:
    """The mean of each tensor over all replicas."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, tensors)


def gathered(tensor: Any) -> Any:
    """The parts of a batch `(n, ...)` that all replicas have, in their order."""
    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    if replicas == 1:
        return tensor
    # Their number is not known to TensorFlow while it builds a graph.
    whole = tensor.shape[0] * replicas, *tensor.shape[1:]
    return tf.ensure_shape(context.all_gather(tensor, axis=0), whole)
