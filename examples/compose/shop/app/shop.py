"""The shop's application: items as JSON over HTTP, kept in PostgreSQL."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import postgres


def connect():
    with open(os.environ["DATABASE_PASSWORD_FILE"]) as file:
        password = file.read().strip()
    env = os.environ
    return postgres.Connection(env["DATABASE_HOST"], env["DATABASE_USER"], password, env["DATABASE_NAME"])


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/":
            self.answer(200, {"greeting": os.environ.get("GREETING", ""), "items": "/items"})
        elif self.path == "/health":
            with connect() as db:
                db.query("SELECT 1")
            self.answer(200, {"status": "ok"})
        elif self.path == "/items":
            with connect() as db:
                rows = db.query("SELECT id, name, cents FROM item ORDER BY id")
            self.answer(200, [{"id": int(i), "name": name, "cents": int(cents)} for i, name, cents in rows])
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self):
        if self.path != "/items":
            return self.answer(404, {"error": "no such page"})
        try:
            item = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            name, cents = str(item["name"]), int(item["cents"])
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": "give name and cents"})
        try:
            with connect() as db:
                [[number]] = db.query("INSERT INTO item (name, cents) VALUES ($1, $2) RETURNING id", name, cents)
        except postgres.Error as error:
            return self.answer(409, {"error": str(error)})
        self.answer(201, {"id": int(number), "name": name, "cents": cents})

    def answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening on port 8000")
    ThreadingHTTPServer(("", 8000), Shop).serve_forever()
