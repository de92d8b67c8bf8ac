"""What `spo_decode` and the compact exports have in common: tensors, their sizes, their fillings."""

import numpy as np

NAMES = ("triples", "scores", "spans", "span_scores", "not_finite")
SPANS, TRIPLES = 32, 64  # K of each kind and T, where nothing else is asked for
LOWEST, HIGHEST = float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)
