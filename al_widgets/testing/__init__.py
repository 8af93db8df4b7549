"""Contract tests for stores, strategies, learners and readers, to be subclassed by whoever writes one."""
