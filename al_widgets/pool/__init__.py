"""Pools: what is to be labelled, with stable ids, read one item at a time."""
