"""Widgets: the only layer that knows anywidget, ipywidgets and bqplot. It never trains, scores or writes a row."""
