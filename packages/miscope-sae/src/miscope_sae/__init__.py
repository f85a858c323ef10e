"""Sparse autoencoders for miscope: built on a checkpoint of another variant, at one of its sites."""
