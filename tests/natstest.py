# SPDX-License-Identifier: Apache-2.0
"""What black-box tests of the server share: a server of its own for each case, and a client that
speaks the protocol by hand."""
import json
import os
import re
import socket
import subprocess
import time

import agogtest

WAIT_SECONDS = 20


class Message:
    def __init__(self, subject, sid, reply, headers, body):
        self.subject = subject
        self.sid = sid
        self.reply = reply
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        for line in self.headers.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode()
        return None

    def status(self):
        return self.headers.split(b"\r\n")[0].decode().partition(" ")[2]


class Closed(Exception):
    pass


class Client:
    """One connection. Everything that the server says is read on demand, in order."""

    def __init__(self, address, connect=True, **options):
        self.socket = socket.create_connection(address, timeout=WAIT_SECONDS) if isinstance(
            address, tuple) else self.unix(address)
        if isinstance(address, tuple):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.errors = []
        self.messages = []
        self.sids = 0
        kind, rest = self.line().split(b" ", 1)
        assert kind == b"INFO", kind
        self.info = json.loads(rest)
        if connect:
            self.connect(**options)

    @staticmethod
    def unix(path):
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(WAIT_SECONDS)
        made.connect(str(path))
        return made

    def connect(self, **options):
        self.send(b"CONNECT " + json.dumps(
            {"verbose": False, "pedantic": False, "headers": True, "no_responders": True,
             **options}).encode() + b"\r\n")

    def send(self, data):
        self.socket.sendall(data)

    def fill(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Closed(self.errors)
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def next(self):
        """The next thing the server says: a Message, or the line."""
        line = self.line()
        word, *rest = line.split(b" ")
        if word == b"PING":
            self.send(b"PONG\r\n")
            return self.next()
        if word == b"-ERR":
            self.errors.append(line.decode())
            return line
        if word not in (b"MSG", b"HMSG"):
            return line
        parts = [part.decode() for part in rest]
        sizes = 2 if word == b"HMSG" else 1
        total = int(parts[-1])
        head = int(parts[-2]) if sizes == 2 else 0
        reply = parts[2] if len(parts) == 3 + sizes else ""
        payload = self.take(total + 2)[:-2]
        return Message(parts[0], parts[1], reply, payload[:head], payload[head:])

    def message(self):
        """The next message; anything else before it must not come."""
        got = self.next()
        if not isinstance(got, Message):
            raise AssertionError(f"a message was wanted, the server said {got!r}")
        return got

    def flush(self):
        """Everything sent so far has been dealt with; gives the messages that came meanwhile."""
        self.send(b"PING\r\n")
        came = []
        while (got := self.next()) != b"PONG":
            if isinstance(got, Message):
                came.append(got)
        return came

    def until_closed(self):
        """Reads to the end of the connection; what was said, as lines and messages."""
        said = []
        try:
            while True:
                said.append(self.next())
        except (Closed, ConnectionResetError, BrokenPipeError):
            return said

    def subscribe(self, subject, queue=""):
        self.sids += 1
        self.send(f"SUB {subject} {queue} {self.sids}\r\n".encode())
        return str(self.sids)

    def publish(self, subject, body=b"", reply="", headers=None):
        if isinstance(body, str):
            body = body.encode()
        if headers is None:
            self.send(f"PUB {subject} {reply} {len(body)}\r\n".encode() + body + b"\r\n")
            return
        block = b"NATS/1.0\r\n" + b"".join(
            f"{key}: {value}\r\n".encode() for key, value in headers.items()) + b"\r\n"
        self.send(f"HPUB {subject} {reply} {len(block)} {len(block) + len(body)}\r\n".encode() +
                  block + body + b"\r\n")

    def request(self, subject, body=b"", headers=None):
        self.sids += 1
        inbox = f"_INBOX.test.{os.getpid()}.{id(self)}.{self.sids}"
        self.send(f"SUB {inbox} {self.sids}\r\nUNSUB {self.sids} 1\r\n".encode())
        self.publish(subject, body, inbox, headers)
        while True:
            got = self.next()
            if isinstance(got, Message) and got.sid == str(self.sids):
                return got
            if isinstance(got, Message):
                self.messages.append(got)

    def api(self, what, body=None):
        """A request of JetStream's API; the answer's JSON."""
        return self.request("$JS.API." + what,
                            b"" if body is None else json.dumps(body).encode()).json()

    def close(self):
        self.socket.close()


class Server:
    def __init__(self, folder, *arguments, environment=None):
        self.folder = folder
        self.log_path = folder / "server.log"
        self.arguments = arguments
        self.environment = environment
        self.process = None
        self.port = None
        self.start()

    def start(self):
        log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [agogtest.AGOG, "serve", "-a", "127.0.0.1", "-p", str(self.port or -1), "-sd",
             str(self.folder / "store"), *map(str, self.arguments)],
            stdout=log, stderr=subprocess.STDOUT, env=self.environment)
        log.close()
        self.port = int(self.wait_for(r"Listening for client connections on 127\.0\.0\.1:(\d+)"))
        self.wait_for(r"Server is ready")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, pattern):
        """Reads the log until it says that; the first group."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = re.search(pattern, self.log())
            if found:
                return found.group(1) if found.groups() else found.group(0)
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log()}")
            time.sleep(0.01)
        raise AssertionError(f"the server's log does not say {pattern!r}:\n{self.log()}")

    def client(self, **options):
        return Client(("127.0.0.1", self.port), **options)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(WAIT_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_SECONDS)


class Case(agogtest.Case):
    def server(self, *arguments):
        made = Server(self.root, *arguments, environment=self.environment)
        self.addCleanup(lambda: made.process.poll() is None and made.kill())
        return made

    def config(self, text):
        path = self.root / "server.conf"
        path.write_text(text)
        return path
