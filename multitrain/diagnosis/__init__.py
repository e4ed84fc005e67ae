"""Causes of failure, by the words of CUDA and the frameworks."""
