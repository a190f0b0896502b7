"""Counts visits in Redis."""

import logging
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = logging.getLogger("web")


def redis(*words):
    """One command to Redis; gives a number or a text back."""
    request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
    with socket.create_connection((os.environ.get("REDIS_HOST", "redis"), 6379), 5) as stream:
        stream.sendall(request.encode())
        answer = stream.makefile("rb").readline().decode().rstrip()
    if answer.startswith("-"):
        raise RuntimeError(answer[1:])
    return int(answer[1:]) if answer.startswith(":") else answer[1:]


def page(visits):
    return f"{os.environ.get('BANNER', 'release')}: visit {visits}\n"


class Web(BaseHTTPRequestHandler):
    def do_GET(self):
        body = redis("PING") + "\n" if self.path == "/health" else page(redis("INCR", "visits"))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, text, *values):
        log.debug(text, *values)


if __name__ == "__main__":
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "warning").upper())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log.info("listening on port 8000")
    ThreadingHTTPServer(("", 8000), Web).serve_forever()
