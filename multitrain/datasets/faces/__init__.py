"""Faces in pictures: found, cut out, a data set of them."""
