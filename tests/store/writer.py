"""A process that appends events and prints each acknowledgement: run by the tests, killed by some."""

import sys

from al_widgets.store import open_store
from al_widgets.testing.store import make_event


def main() -> None:
    path, client, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    store = open_store(path, timeout_s=30)
    print("ready", flush=True)
    for seq in range(first, first + count):
        ack = store.append(make_event(seq, client=client))
        print(f"{seq} {ack.position}", flush=True)
    store.close()


if __name__ == "__main__":
    main()
