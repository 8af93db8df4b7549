"""Learning: learners, and the trainer that fits them behind the scenes."""
