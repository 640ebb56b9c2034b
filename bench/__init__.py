"""Measurements of speed and cost: each figure a ratio against a named peer or limit in the same run. See README.md."""
