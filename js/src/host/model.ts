// The anywidget model, and what its host tells of the kernel. The only place that knows either.

import type { AnyModel } from "@anywidget/types";
import type { Mode } from "../core/cards";
import type { KernelStatus } from "../core/connection";
import type { Port } from "../core/link";
import type { VolumeInfo } from "../volume-wire";

/** Traits that Python defines. Small, JSON: what a reloaded page needs before the first message. */
export interface WidgetTraits {
  store_id: string;
  annotator: string;
  title: string;
  classes: string[];
  class_keys: Record<string, string>;
  show_model: boolean;
  height: number;
  /** Of the volume widget only: the volume, and the tools that its task takes. */
  info?: VolumeInfo;
  tools?: string[];
  /** Of a sheet only. */
  mode?: Mode;
}

export type WidgetModel = AnyModel<WidgetTraits>;

/** JupyterLab's and Notebook's manager know the kernel; other hosts' may not. */
interface KernelHolder {
  kernel?: { status?: unknown; connectionStatus?: unknown; isDisposed?: unknown } | null;
}

export function kernelStatus(manager: unknown): KernelStatus {
  if (typeof manager !== "object" || manager === null || !("kernel" in manager)) return "unknown";
  const { kernel } = manager as KernelHolder;
  if (kernel === null) return "dead";
  if (kernel === undefined) return "unknown";
  if (kernel.isDisposed === true || kernel.connectionStatus === "disconnected") return "dead";
  if (["dead", "restarting", "autorestarting", "terminating"].includes(String(kernel.status))) return "dead";
  if (kernel.status === "busy") return "busy";
  return kernel.status === "idle" ? "alive" : "unknown";
}

export function portOf(model: WidgetModel): Port {
  return {
    send: (message) => model.send(message),
    kernel: () => {
      try {
        return kernelStatus(model.widget_manager);
      } catch {
        return "unknown";
      }
    },
  };
}

/** Calls back when the host cuts the line between this model and the kernel. */
export function onLost(model: WidgetModel, lost: () => void, signal: AbortSignal | undefined): void {
  // `comm_live_update` comes from ipywidgets' base model: at a kernel restart its manager disconnects all models.
  for (const name of ["comm_live_update", "comm:close"]) {
    model.on(name, lost);
    signal?.addEventListener("abort", () => model.off(name as "msg:custom", lost));
  }
}
