"""Oracles: what several annotators' answers add up to, how reliable each is, and simulated annotators."""
