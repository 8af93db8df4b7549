"""Readers: files to arrays, with axes and units where the format has them."""
