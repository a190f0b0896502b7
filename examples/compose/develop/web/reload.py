"""Runs a program and starts it again whenever a Python file beside it changes."""

import pathlib
import signal
import subprocess
import sys
import time


def state():
    return {path: path.stat().st_mtime_ns for path in pathlib.Path(".").rglob("*.py")}


def main(command):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        seen, child = state(), subprocess.Popen([sys.executable, *command])
        try:
            while state() == seen:
                time.sleep(0.3)
        finally:
            child.terminate()
            child.wait()
        print("a file changed: starting again", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
