"""The store: the durable, append-only truth of a session."""
