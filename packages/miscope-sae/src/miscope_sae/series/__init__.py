"""Autoencoders of one configuration at many checkpoints and sites."""
