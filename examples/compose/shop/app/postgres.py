"""A small PostgreSQL client in plain Python, so that the image builds without a network.

It speaks protocol 3.0 with SCRAM-SHA-256, sends each query as parse, bind, execute, sync, and gives
every column back as text (NULL as None).
"""

import base64
import hashlib
import hmac
import os
import socket
import struct


class Error(Exception):
    pass


class Connection:
    def __init__(self, host, user, password, database, port=5432, timeout=5):
        self.stream = socket.create_connection((host, port), timeout)
        self.file = self.stream.makefile("rb")
        words = "\0".join(["user", user, "database", database]).encode() + b"\0\0"
        self.send(b"", struct.pack("!i", 196608) + words)
        self.log_in(password)
        self.read_until(b"Z")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.send(b"X", b"")
        self.file.close()
        self.stream.close()

    def query(self, text, *values):
        bound = b"".join(struct.pack("!i", len(v)) + v for v in (str(v).encode() for v in values))
        self.send(b"P", b"\0" + text.encode() + b"\0\0\0")
        self.send(b"B", b"\0\0\0\0" + struct.pack("!h", len(values)) + bound + b"\0\0")
        self.send(b"E", b"\0\0\0\0\0")
        self.send(b"S", b"")
        return [self.columns(body) for kind, body in self.read_until(b"Z") if kind == b"D"]

    @staticmethod
    def columns(body):
        (count,), at, row = struct.unpack_from("!h", body), 2, []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", body, at)
            at += 4
            row.append(None if size < 0 else body[at : at + size].decode())
            at += max(size, 0)
        return row

    def send(self, kind, body):
        self.stream.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def read(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise Error("the server closed the connection")
        return head[:1], self.file.read(struct.unpack("!i", head[1:])[0] - 4)

    def read_until(self, last):
        """All messages up to the one of kind `last`; an error among them is raised after it."""
        messages, error = [], None
        while not messages or messages[-1][0] != last:
            kind, body = self.read()
            if kind == b"E":
                parts = dict((p[:1], p[1:].decode()) for p in body.split(b"\0") if p)
                error = Error(parts.get(b"M", "unknown error"))
                if last != b"Z" or parts.get(b"S") == "FATAL":
                    raise error
            messages.append((kind, body))
        if error:
            raise error
        return messages

    def log_in(self, password):
        body = self.read_until(b"R")[-1][1]
        method = struct.unpack_from("!i", body)[0]
        if method == 0:
            return
        if method != 10:
            raise Error("the server asks for a way of logging in other than SCRAM")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        start = ("n,," + first).encode()
        self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(start)) + start)
        challenge = self.read_until(b"R")[-1][1][4:].decode()
        part = dict(p.split("=", 1) for p in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(part["s"]), int(part["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        last = f"c=biws,r={part['r']}"
        proof = hmac.digest(hashlib.sha256(key).digest(), ",".join([first, challenge, last]).encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, proof))).decode()
        self.send(b"p", f"{last},p={proof}".encode())
        while struct.unpack_from("!i", self.read_until(b"R")[-1][1])[0] != 0:
            pass
