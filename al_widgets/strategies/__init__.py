"""Query strategies: pure functions from arrays to the rows that should be labelled next."""
