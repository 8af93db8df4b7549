"""Tasks: what may be answered to a query, checked and turned into what a learner needs.

A task holds no labels and no state of a session; it may be shared between sessions and threads.
"""

from __future__ import annotations

from al_widgets.task.base import MAX_CLASS_NAME, Task, check_class_name, check_classes
from al_widgets.task.boxes import Boxes
from al_widgets.task.classification import Classification
from al_widgets.task.segmentation import Segmentation
from al_widgets.task.wording import isolated

__all__ = [
    "MAX_CLASS_NAME",
    "Boxes",
    "Classification",
    "Segmentation",
    "Task",
    "check_class_name",
    "check_classes",
    "isolated",
]
