"""Trained networks as files that need nothing of this program: plain Keras, TensorFlow or ONNX."""
