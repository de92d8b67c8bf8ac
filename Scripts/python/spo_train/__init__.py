"""Labelled Chinese text to a bundle: training, pretraining, conversion of checkpoints."""
