"""Frames into films: the spool, ffmpeg, segments, timecuts and the render worker.

Imports `jobs`, never `multitrain`, and no TensorFlow.
"""
