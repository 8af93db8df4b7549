"""Features: encoders that turn images into vectors, and their cache on disk."""
