"""The soak of tests/soak.sh: what is sent, what goes wrong meanwhile, and what must hold at the end."""

import asyncio
import collections
import json
import os
import pathlib
import random
import re
import resource
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

PROGRAM, SECONDS = sys.argv[1], int(sys.argv[2])
CONNECTIONS = 16
UNITS = [str(219000 + n) for n in range(CONNECTIONS)]
# What may be answered, beside what the request should be.
DEFINED = {503, 507}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Connection:
    """A connection that stays open, one request at a time."""

    def __init__(self, port, token):
        self.port, self.token, self.streams = port, token, None
        self.is_new = True

    async def send(self, method, path, body=None, kind="application/json"):
        self.is_new = self.streams is None
        if self.is_new:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        reader, writer = self.streams
        body = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        try:
            writer.write(head.encode() + b"\r\n" + body)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if "transfer-encoding: chunked" in head:
                content = b""
                while size := int(await reader.readline(), 16):
                    content += await reader.readexactly(size)
                    await reader.readline()
                await reader.readline()
            else:
                length = re.search(r"content-length: (\d+)", head)
                content = await reader.readexactly(int(length[1]) if length else 0)
        except BaseException:
            self.close()
            raise
        if "connection: close" in head:
            self.close()
        return int(head.split()[1]), head, content

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None


class Soak:
    def __init__(self, folder):
        self.folder, self.port, self.hook_port = folder, free_port(), free_port()
        self.statuses, self.times, self.faults = collections.Counter(), [], []
        self.sent, self.answered = collections.Counter(), collections.Counter()
        self.followed, self.delivered, self.samples = 0, 0, []
        self.disk_fails, self.works_since = False, 0

    async def start(self):
        self.settings = self.folder / "jixiao.toml"
        self.settings.write_text('log = "warn"\nrate_limit = 0\naddress_rate_limit = 0\n')
        arguments = f"serve --config {self.settings} --data-dir {self.folder}/data --listen 127.0.0.1:{self.port}"
        arguments += " --client-timeout 10 --webhook-allow http,loopback --workers 2"
        self.output = open(self.folder / "output", "wb")
        # Python ignores the signal for files that grow too large, and so does what it starts: a disk sends none.
        self.server = subprocess.Popen([PROGRAM, *arguments.split()], stdout=self.output, stderr=self.output, restore_signals=False)
        for _ in range(400):
            if token := re.search(r"^jx_\S+", (self.folder / "output").read_text(), re.M):
                self.token = token[0]
                try:
                    connection = self.connection()
                    if (await connection.send("GET", "/health/ready"))[0] == 200:
                        break
                except OSError:
                    pass
            await asyncio.sleep(0.05)
        else:
            sys.exit("the server does not start:\n" + (self.folder / "output").read_text())

        async def must(expected, *request):
            status, _, content = await connection.send(*request)
            assert status == expected, (request, status, content)

        await must(201, "PUT", "/api/v1/fiscal-years/2019", {"scheme": "hunan-2019"})
        for unit in UNITS:
            await must(201, "PUT", f"/api/v1/units/{unit}", {"name": f"单位{unit}", "kind": "town"})
            await must(201, "PUT", f"/api/v1/units/{unit}/evaluations/2019/base-data", {"staff": {"retired": 0}})
        self.receiver = await asyncio.start_server(self.receive, "127.0.0.1", self.hook_port)
        hook = {"url": f"http://127.0.0.1:{self.hook_port}/hook", "types": ["jixiao.unit"]}
        await must(201, "POST", "/api/v1/webhooks", hook)

    def connection(self):
        return Connection(self.port, self.token)

    # What is sent.

    async def one(self, connection, n):
        """One request of connection n, as the mix has it."""
        unit, dice = UNITS[n], random.random()
        evaluation = f"/api/v1/units/{unit}/evaluations/2019"
        if dice < 0.45:
            request, expected = ("GET", f"/api/v1/units/{unit}"), {200}
        elif dice < 0.60:
            request, expected = ("GET", f"{evaluation}/score"), {200}
        elif dice < 0.68:
            request, expected = ("GET", "/api/v1/units?limit=100"), {200}
        elif dice < 0.83:
            self.sent[unit] += 1
            request, expected = ("PUT", f"{evaluation}/base-data", {"staff": {"retired": self.sent[unit]}}), {200}
        elif dice < 0.91:
            preview = {"scheme": "hunan-2019", "base_data": {"staff": {"posts": 60, "in_post": 59}}}
            request, expected = ("POST", "/api/v1/scores:preview", preview), {200}
        elif dice < 0.94:
            request, expected = ("PUT", f"/api/v1/units/{unit}", {"name": f"单位{random.random()}", "kind": "town"}), {200}
        elif dice < 0.97:
            wrong = random.choice([b"{", b"[]", b'{"staff": {"retired": "x"}}', b"\xff\xfe", b"9" * 5000])
            request, expected = ("PUT", f"{evaluation}/base-data", wrong), {400, 422}
        elif dice < 0.99:
            rows = "".join(f'{{"code": "{300000 + k}", "name": "单位{k}", "kind": "town"}}\n' for k in range(50))
            request = ("POST", "/api/v1/imports?resource=units", rows.encode(), "application/x-ndjson")
            expected = {200, 201, 409}
        else:
            request, expected = ("GET", "/api/v1/exports/units"), {200}
        started = time.perf_counter()
        status, head, content = await connection.send(*request)
        self.times.append((started, time.perf_counter() - started))
        self.statuses[status] += 1
        of_disk = status == 507 or status == 503 and re.search(rb'"/problems/(not-saved|storage-failed)"', content)
        if status in DEFINED:
            if "retry-after:" not in head:
                self.faults.append(f"{request[:2]}: {status} without Retry-After")
            if of_disk and not self.disk_fails and started > self.works_since:
                self.faults.append(f"{request[:2]}: {status} with a disk that works")
        elif status not in expected:
            self.faults.append(f"{request[:2]}: {status} {content[:300].decode(errors='replace')}")
        elif "base-data" in request[1] and request[0] == "PUT" and status == 200:
            self.answered[unit] = self.sent[unit]

    async def load(self, seconds, rate=None):
        """All connections ask for so long, at so many requests a second in all, or as fast as they can; how many there were."""
        begin, count = time.monotonic(), 0

        async def ask(n):
            nonlocal count
            connection, due = self.connection(), begin + random.random() * (CONNECTIONS / rate if rate else 0)
            while time.monotonic() < begin + seconds:
                if rate:
                    await asyncio.sleep(max(0, due - time.monotonic()))
                    due = max(due + CONNECTIONS / rate, time.monotonic() - 1)
                try:
                    await self.one(connection, n)
                except (OSError, asyncio.IncompleteReadError) as error:
                    # An idle connection may be closed at any time; a new one has no excuse.
                    if connection.is_new:
                        self.faults.append(f"a new connection: {error!r}")
                    connection.close()
                    self.statuses[type(error).__name__] += 1
                count += 1
            connection.close()

        await asyncio.gather(*(ask(n) for n in range(CONNECTIONS)))
        return count

    # Who listens.

    async def follow(self):
        """Follows the changes as a stream, and misses none."""
        last = 0
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
            writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                         f"Last-Event-ID: {last}\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode())
            while line := await reader.readline():
                if line.startswith(b"id:"):
                    number = int(line[3:])
                    if number != last + 1:
                        self.faults.append(f"event {number} came after {last}")
                    last = number
                    self.followed = max(self.followed, last)
            writer.close()

    async def receive(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
                self.delivered += 1
                # Now and then it fails.
                writer.write(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % random.choice([b"204 ok"] * 19 + [b"500 no"]))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    # What goes wrong.

    async def bad_clients(self):
        """Clients that stop in the middle, read nothing, or are gone before they are answered."""
        kept = []
        request = (f"PUT /api/v1/units/{UNITS[0]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
                   "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{").encode()
        while True:
            for bytes_ in (b"GET / HT", request, b"\x16\x03\x01" * 50, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 30):
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.write(bytes_)
                    kept.append(writer)
                except OSError:
                    pass
            while len(kept) > 40:
                kept.pop(random.randrange(len(kept))).transport.abort()
            await asyncio.sleep(0.2)

    async def reload(self):
        """Settings that are read again, every other time wrong ones."""
        good = self.settings.read_text()
        while True:
            for more in ("lockout = 5\n", "lockot = 5\n"):
                self.settings.write_text(good + more)
                self.server.send_signal(signal.SIGHUP)
                await asyncio.sleep(2.5)

    async def break_disk(self, seconds):
        """Twice the disk refuses what is written, for a while."""
        for _ in range(2):
            await asyncio.sleep(seconds / 4)
            self.disk_fails = True
            resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            await asyncio.sleep(min(seconds / 20, 10))
            resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.disk_fails, self.works_since = False, time.perf_counter()

    async def sample(self):
        while True:
            status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
            number = lambda name: int(re.search(rf"{name}:\s+(\d+)", status)[1])
            fds = len(os.listdir(f"/proc/{self.server.pid}/fd"))
            self.samples.append((time.monotonic(), number("VmRSS") / 1024, fds, number("Threads")))
            await asyncio.sleep(0.5)

    # What must hold.

    async def judge(self):
        connection = self.connection()
        for unit in UNITS:
            status, _, content = await connection.send("GET", f"/api/v1/units/{unit}/evaluations/2019/base-data")
            stored = json.loads(content)["staff"]["retired"] if status == 200 else status
            if not self.answered[unit] <= stored <= self.sent[unit]:
                self.faults.append(f"unit {unit}: {self.answered[unit]} was answered, {stored} is there")
        connection.close()
        times, memory, _, _ = zip(*self.samples[len(self.samples) // 3:])
        slope = statistics.linear_regression(times, memory).slope
        growth = slope * (times[-1] - times[0])
        if growth > 8 + 0.1 * statistics.mean(memory):
            self.faults.append(f"memory grew by {growth:.0f} MB")
        for name, column in (("open files", 2), ("threads", 3)):
            if self.samples[-1][column] > self.samples[len(self.samples) // 3][column] + 64:
                self.faults.append(f"{name} grew to {self.samples[-1][column]}")
        if not self.followed or not self.delivered:
            self.faults.append(f"{self.followed} events were followed, {self.delivered} sent on")
        self.server.send_signal(signal.SIGTERM)
        if (code := self.server.wait(60)) != 0:
            self.faults.append(f"the server ended with {code}")
        file = sqlite3.connect(self.folder / "data" / "jixiao.db")
        if (integrity := file.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            self.faults.append(f"integrity: {integrity}")
        audit = subprocess.run([PROGRAM, "audit", "verify", "--data-dir", self.folder / "data"], capture_output=True)
        if audit.returncode:
            self.faults.append(f"the audit trail: {audit.stdout.decode()}")
        if "panicked" in (log := (self.folder / "output").read_text()):
            self.faults.append("a panic: " + log[log.index("panicked") - 200:][:1000])
        begin, thirds = self.times[0][0], [0, 0, 0]
        for started, _ in self.times:
            thirds[min(2, int((started - begin) * 3 / SECONDS))] += 1
        print("requests a second in each third: " + ", ".join(f"{count * 3 / SECONDS:.0f}" for count in thirds))
        took = sorted(time for _, time in self.times)
        at = lambda share: took[int(len(took) * share)] * 1000
        print(f"answers: {dict(self.statuses)}; p50 {at(0.5):.1f} ms, p99 {at(0.99):.1f} ms, p99.9 {at(0.999):.1f} ms")
        print(f"memory: {memory[0]:.0f} MB after warming up, {memory[-1]:.0f} MB at the end, {max(memory):.0f} MB at most, "
              f"trend {growth:+.1f} MB; {self.followed} events followed, {self.delivered} sent on")
        for fault in self.faults[:20]:
            print("  " + fault)
        print(f"{len(self.faults)} faults")
        return not self.faults


async def main():
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(pathlib.Path(folder))
        try:
            await soak.start()
            most = await soak.load(5) / 5
            print(f"at most {most:.0f} requests a second, so {most * 0.8:.0f} for {SECONDS} s", flush=True)
            soak.times.clear()
            tasks = [soak.follow(), soak.follow(), soak.bad_clients(), soak.reload(), soak.break_disk(SECONDS), soak.sample()]
            tasks = [asyncio.create_task(task) for task in tasks]
            await soak.load(SECONDS, most * 0.8)
            for task in tasks:
                if task.done() and task.exception():
                    soak.faults.append(f"the soak itself: {task.exception()!r}")
                task.cancel()
            await asyncio.sleep(1)
            return await soak.judge()
        finally:
            soak.server.kill()


sys.exit(0 if asyncio.run(main()) else 1)
