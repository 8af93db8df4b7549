"""Export: labels in the formats of other programs, each readable back.

Layer of its own above readers and task; it imports neither store nor session. Names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from al_widgets.export.alarms import Alarm as Alarm
    from al_widgets.export.alarms import alarm_at as alarm_at
    from al_widgets.export.alarms import read_alarms as read_alarms
    from al_widgets.export.alarms import write_alarms as write_alarms
    from al_widgets.export.boxes import Box as Box
    from al_widgets.export.class_folders import read_class_folders as read_class_folders
    from al_widgets.export.class_folders import write_class_folders as write_class_folders
    from al_widgets.export.coco import CocoLabels as CocoLabels
    from al_widgets.export.coco import read_coco as read_coco
    from al_widgets.export.coco import write_coco as write_coco
    from al_widgets.export.label_volume import read_label_volume as read_label_volume
    from al_widgets.export.label_volume import write_label_volume as write_label_volume
    from al_widgets.export.png_masks import read_png_masks as read_png_masks
    from al_widgets.export.png_masks import write_png_masks as write_png_masks
    from al_widgets.export.tables import read_labels as read_labels
    from al_widgets.export.tables import write_labels as write_labels
    from al_widgets.export.voc import read_voc as read_voc
    from al_widgets.export.voc import write_voc as write_voc
    from al_widgets.export.yolo import read_yolo as read_yolo
    from al_widgets.export.yolo import write_yolo as write_yolo

_WHERE = {
    "Alarm": "alarms",
    "Box": "boxes",
    "CocoLabels": "coco",
    "alarm_at": "alarms",
    "read_alarms": "alarms",
    "read_class_folders": "class_folders",
    "read_coco": "coco",
    "read_label_volume": "label_volume",
    "read_labels": "tables",
    "read_png_masks": "png_masks",
    "read_voc": "voc",
    "read_yolo": "yolo",
    "write_alarms": "alarms",
    "write_class_folders": "class_folders",
    "write_coco": "coco",
    "write_label_volume": "label_volume",
    "write_labels": "tables",
    "write_png_masks": "png_masks",
    "write_voc": "voc",
    "write_yolo": "yolo",
}

__all__ = [
    "Alarm",
    "Box",
    "CocoLabels",
    "alarm_at",
    "read_alarms",
    "read_class_folders",
    "read_coco",
    "read_label_volume",
    "read_labels",
    "read_png_masks",
    "read_voc",
    "read_yolo",
    "write_alarms",
    "write_class_folders",
    "write_coco",
    "write_label_volume",
    "write_labels",
    "write_png_masks",
    "write_voc",
    "write_yolo",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"al_widgets.export.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
