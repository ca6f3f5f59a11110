#!/usr/bin/env bash
# Kills the primary of a PostgreSQL cluster again and again while three servers on it are written to and read from, and looks
# whether every answered write is there, once.
#
#   tests/cluster.sh [ROUNDS]         2 failovers unless told otherwise; JIXIAO=path/to/jixiao for another build
#
# It starts a primary, a synchronous streaming replica, PgBouncer in transaction mode and three servers: two of them through
# PgBouncer, one with the addresses of both nodes; all read from the replica too. In each round it kills the primary and, in passing,
# one of the servers, promotes the replica, and makes the dead node the new replica. Writers go from server to server and read at
# another one what was just answered. At the end it holds against each other what was answered, the change feed of each server,
# the audit trail and what a webhook was sent.
#
# Needs python3, PostgreSQL and pgbouncer (Debian: packages postgresql and pgbouncer); all on 127.0.0.1, in a folder that goes
# when it ends. Ends with 1 if anything is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-2}
program=${JIXIAO:-target/debug/jixiao}
missing=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing=postgresql
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
if [ -n "$missing" ]; then
  [ -z "${CI:-}" ] || { echo "not installed: $missing" >&2; exit 1; }
  echo "SKIPPED: not installed: $missing"
  exit 0
fi
[ -x "$program" ] || cargo build --quiet --locked
exec python3 - "$program" "$rounds" <<'PYTHON'
import collections, glob, http.client, http.server, itertools, json, os, pathlib, pwd, re, shutil, signal, socket
import subprocess, sys, tempfile, threading, time

program, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2])
BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
BOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
# Neither PostgreSQL nor PgBouncer runs as root.
AS = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.getuid() == 0 else []
USER = "postgres" if AS else pwd.getpwuid(os.getuid()).pw_name
WRITERS, READERS = 6, 3
signal.alarm(180 + 90 * rounds)
signal.signal(signal.SIGALRM, lambda *_: sys.exit("it took too long"))
signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))

work = pathlib.Path(tempfile.mkdtemp())
started = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, check=True):
    done = subprocess.run([*AS, *map(str, command)], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        sys.exit(f"{command}: {done.stdout}")
    return done.stdout


def start(name, *command, own=False, env=None):
    output = open(work / f"{name}.log", "a")
    child = subprocess.Popen([*([] if own else AS), *map(str, command)], cwd=work, stdin=subprocess.DEVNULL, stdout=output,
                             stderr=output, env=env)
    started.append(child)
    return child


def until(what, test, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {seconds} seconds")
        time.sleep(0.05)


class Node:
    """A PostgreSQL server."""

    def __init__(self, name):
        self.name, self.port, self.data = name, free_port(), work / name

    def start(self):
        self.process = start(self.name, BIN + "/postgres", "-D", self.data, "-p", self.port, "-k", work,
                             "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=32MB", "-c", "max_connections=100",
                             "-c", "wal_keep_size=64MB", "-c", "max_wal_size=256MB")
        until(self.name, lambda: self.sql("SELECT 1") == "1")

    def sql(self, text):
        return run(BIN + "/psql", "-h", "127.0.0.1", "-p", self.port, "-U", USER, "-XAtc", text,
                   "jixiao" if getattr(self, "made", True) else "postgres", check=False).strip()

    def synchronous(self, on):
        """Whether a commit waits for the replica."""
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{'*' if on else ''}'")
        self.sql("SELECT pg_reload_conf()")

    def follow(self, primary):
        """Begins anew as the replica of another, which then waits for it."""
        shutil.rmtree(self.data, ignore_errors=True)
        run(BIN + "/pg_basebackup", "-h", "127.0.0.1", "-p", primary.port, "-U", USER, "-D", self.data, "-R", "-X", "stream",
            "--checkpoint=fast")
        self.start()
        primary.synchronous(True)
        until("replication", lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync")

    def kill(self):
        """As when its power goes: nothing of it answers or writes any more."""
        parent = self.process.pid
        # PostgreSQL's own processes, each a group of its own, would live on for a moment.
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for pid in [parent, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        until("its end", lambda: not any(os.path.exists(f"/proc/{pid}/cmdline") and open(f"/proc/{pid}/cmdline").read()
                                         for pid in children))


class Bouncer:
    """PgBouncer, which knows one primary at a time."""

    def __init__(self, primary):
        self.port, self.file = free_port(), work / "pgbouncer.ini"
        self.write(primary)
        self.process = start("pgbouncer", BOUNCER, self.file)

    def write(self, primary):
        self.file.write_text(f"""
            [databases]
            jixiao = host=127.0.0.1 port={primary.port} dbname=jixiao user={USER}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 6
            max_client_conn = 200
            server_login_retry = 1
            query_wait_timeout = 10
            """.replace("            ", ""))

    def point_at(self, primary):
        self.write(primary)
        self.process.send_signal(signal.SIGHUP)


class Server:
    """One of ours."""

    def __init__(self, number, url):
        self.number, self.port, self.url = number, free_port(), url

    def start(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("JIXIAO_", "DATABASE_"))}
        env.update(DATABASE_URL=self.url, DATABASE_REPLICA_URL=REPLICA)
        for _ in range(3):
            self.process = start(f"server-{self.number}", program, "serve", "--listen", f"127.0.0.1:{self.port}", "--log", "warn",
                                 "--rate-limit", "0", "--address-rate-limit", "0", "--webhook-allow", "http,loopback",
                                 "--webhook-retry", "200", own=True, env=env)
            ended = lambda: self.process.poll() is not None
            until(f"server {self.number}", lambda: ended() or request(self, "GET", "/health/ready")[0] == 200)
            if not ended():
                return
            # Another program may have taken the port since it was found free.
            self.port = free_port()
        sys.exit(f"server {self.number} does not start: {(work / f'server-{self.number}.log').read_text()}")


local = threading.local()
refused = collections.Counter()
stray = []


def request(server, method, path, body=None, headers=None):
    """Status and document; status 0 where there is no answer, as from a server that was killed."""
    kept = local.__dict__.setdefault("connections", {})
    connection = kept.get(server.number) or http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})}
    try:
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException):
        kept.pop(server.number, None)
        return 0, None
    kept[server.number] = connection
    if answer.status == 503:
        refused[json.loads(text).get("type")] += 1
        if not answer.headers.get("Retry-After"):
            stray.append(f"{method} {path}: 503 without Retry-After")
    elif answer.status >= 500:
        stray.append(f"{method} {path} at server {server.number}: {answer.status} {text.decode()}")
    return answer.status, json.loads(text) if text else None


def again(servers, method, path, body=None, headers=None):
    """The same request at one server after the other, until it is answered."""
    for server in servers:
        status, document = request(server, method, path, body, headers)
        # 408: so little of a processor was left that the request took seconds to arrive.
        if status not in (0, 408, 503):
            return status, document
        time.sleep(0.05)


answered = collections.defaultdict(list)
answers_at = []
reads = collections.Counter()
stop = threading.Event()


def unit(writer):
    return f"/api/v1/units/{100 + writer}"


def write(writer):
    """Ever higher numbers in one unit's sheet, and a fund beside each tenth; each is read elsewhere at once."""
    turn = itertools.islice(itertools.cycle(servers), writer, None)
    for n in itertools.count(1):
        if stop.is_set():
            return
        sheet = unit(writer) + "/evaluations/2019/base-data"
        status, document = again(turn, "PUT", sheet, {"staff": {"retired": n}})
        if status not in (200, 201):
            stray.append(f"PUT {sheet}: {status} {document}")
            return
        answered[writer].append(n)
        answers_at.append(time.monotonic())
        status, document = again(turn, "GET", sheet)
        if status != 200 or document["staff"]["retired"] != n:
            stray.append(f"{n} was written to {sheet}, and then read: {status} {document}")
        # A unit may have 200 in a year.
        if n % 50 == 0:
            fund = {"unit": str(100 + writer), "year": 2019, "name": f"专项{n}"}
            status, document = again(turn, "POST", "/api/v1/special-funds", fund, {"Idempotency-Key": f"{writer}-{n}"})
            if status != 201:
                stray.append(f"POST of fund {n} of {writer}: {status} {document}")
            else:
                answered["funds"].append(document["id"])


def read(reader):
    for turn in itertools.count(reader):
        if stop.is_set():
            return
        path = ["/api/v1/units?limit=100", "/api/v1/events?limit=100", "/api/v1/units/101"][turn % 3]
        status, document = request(servers[turn % len(servers)], "GET", path)
        reads[status] += 1
        if status not in (0, 200, 408, 503):
            stray.append(f"GET {path}: {status} {document}")
        time.sleep(0.01)


sent = []


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what the webhook is sent."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        sent.append(int(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Receiving(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A server was killed while it sent."""


def feed(server):
    """The whole change feed, from one server."""
    found, after = [], 0
    while True:
        status, page = again(itertools.repeat(server), "GET", f"/api/v1/events?after={after}&limit=200")
        if status != 200:
            sys.exit(f"the feed of server {server.number}: {status} {page}")
        found += page["items"]
        if not page["items"]:
            return found
        after = page["next_after"]


faults = []


def expect(what, is_so):
    print(f"  {'ok   ' if is_so else 'WRONG'} {what}", flush=True)
    if not is_so:
        faults.append(what)


try:
    if AS:
        shutil.chown(work, "postgres", "postgres")
    os.chmod(work, 0o755)
    one, two = Node("one"), Node("two")
    run(BIN + "/initdb", "-D", one.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C")
    one.made = False
    one.start()
    one.sql("CREATE DATABASE jixiao")
    one.made = True
    two.follow(one)
    bouncer = Bouncer(one)
    pooled = f"postgres://{USER}@127.0.0.1:{bouncer.port}/jixiao?pgbouncer=true"
    hosts = f"postgres://{USER}@127.0.0.1:{one.port},127.0.0.1:{two.port}/jixiao?target_session_attrs="
    # Both, since each is the replica at some time; what is the primary just then answers too.
    REPLICA = ",".join(f"postgres://{USER}@127.0.0.1:{node.port}/jixiao" for node in (one, two))
    token = "none"
    servers = [Server(1, pooled), Server(2, pooled), Server(3, hosts + "read-write")]
    # The tables are made through PgBouncer too.
    for server in servers:
        server.start()
    token = re.search("jx_.*", (work / "server-1.log").read_text())[0]
    home = servers[0]
    ok = [again([home], "PUT", "/api/v1/fiscal-years/2019", {"scheme": "hunan-2019"})[0]]
    ok += [again([home], "PUT", unit(writer), {"name": "单位", "kind": "town"})[0] for writer in range(WRITERS)]
    if set(ok) != {201}:
        sys.exit(f"it cannot be set up: {ok}")
    receiver = Receiving(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    webhook = {"url": f"http://127.0.0.1:{receiver.server_port}/"}
    status, webhook = again([home], "POST", "/api/v1/webhooks", webhook)
    if status != 201:
        sys.exit(f"no webhook: {status} {webhook}")
    threads = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    threads += [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for thread in threads:
        thread.start()
    primary, replica = one, two
    for number in range(1, rounds + 1):
        time.sleep(3)
        before = len(answers_at)
        killed = time.monotonic()
        victim = servers[number % len(servers)]
        victim.process.kill()
        primary.kill()
        # It must be dead by now, else two would take writes; and nobody replicates yet, else no commit would come to its end.
        replica.synchronous(False)
        run(BIN + "/pg_ctl", "promote", "-w", "-D", replica.data)
        bouncer.point_at(replica)
        victim.process.wait()
        victim.start()
        promoted = time.monotonic()
        until("a write after the failover", lambda: any(at > promoted for at in answers_at[before:]))
        silent = max(later - sooner for sooner, later in itertools.pairwise(
            sorted(at for at in [killed, *answers_at] if at >= killed)))
        primary, replica = replica, primary
        replica.follow(primary)
        print(f"failover {number}: {len(answers_at)} writes answered so far, none for {silent:.1f} s, "
              f"{sum(refused.values())} times 503, {len(stray)} wrong answers", flush=True)
        if stray:
            break
    time.sleep(3)
    stop.set()
    for thread in threads:
        thread.join()

    print("at the end:", flush=True)
    feeds = [feed(server) for server in servers]
    events = feeds[0]
    expect("the feeds of all servers are the same", all(other == events for other in feeds))
    numbers = [int(event["id"]) for event in events]
    expect(f"the {len(events)} changes are numbered without a gap", numbers == list(range(1, len(numbers) + 1)))
    sheets, funds = collections.defaultdict(list), collections.Counter()
    for event in events:
        if event["type"].startswith("jixiao.base_data."):
            sheets[int(event["unit"]) - 100].append(event["data"]["document"]["staff"]["retired"])
        elif event["type"] == "jixiao.special_fund.created":
            funds[event["subject"].rsplit("/", 1)[1]] += 1
    for writer in range(WRITERS):
        told, stored = answered[writer], sheets[writer]
        expect(f"unit {100 + writer}: {len(told)} writes answered, each there once and in order", stored == told)
    expect(f"{len(answered['funds'])} funds answered, each there once",
           set(funds) == set(answered["funds"]) and set(funds.values()) <= {1})
    expect("no answer was wrong or stale", not stray)
    first = list(dict.fromkeys(sent))
    until("the webhook", lambda: max(sent, default=0) >= numbers[-1], 90)
    first = list(dict.fromkeys(sent))
    begins = first[0]
    expect(f"the webhook was sent all changes in order ({len(sent) - len(first)} again, after a kill)",
           first == list(range(begins, numbers[-1] + 1)))
    verified = subprocess.run([program, "audit", "verify", "--database-url", pooled], capture_output=True, text=True)
    expect("the audit trail is whole: " + verified.stdout.strip().replace("\n", " "), verified.returncode == 0)
    hits = int(replica.sql("SELECT xact_commit FROM pg_stat_database WHERE datname = 'jixiao'") or 0)
    expect(f"the replica answered reads ({hits} of its transactions since it follows)", hits > 20)
    for line in stray[:10]:
        print("  " + line)
    print(f"{rounds} failovers, {len(answers_at)} writes, {sum(reads.values())} reads; 503: {dict(refused)}; "
          f"{len(faults)} faults")
    if faults or os.environ.get("KEEP"):
        for log in sorted(work.glob("server-*.log")):
            print(f"-- {log.name}\n" + "\n".join(log.read_text().splitlines()[-15:]))
    sys.exit(1 if faults else 0)
finally:
    stop.set()
    for child in reversed(started):
        if child.poll() is None:
            # SIGQUIT is PostgreSQL's word for at once.
            child.send_signal(signal.SIGQUIT if child.args[-1:] and "/postgres" in " ".join(child.args) else signal.SIGKILL)
    for child in started:
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
    shutil.rmtree(work, ignore_errors=True)
PYTHON
