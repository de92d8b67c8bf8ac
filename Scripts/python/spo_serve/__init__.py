"""A bundle to what Triton serves, and Triton on this machine's CPU."""
