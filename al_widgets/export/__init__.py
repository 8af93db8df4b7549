"""Exports: labels in the formats that others read."""
