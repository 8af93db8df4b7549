"""The session: the loop that ties pool, store, learner and strategy together."""
