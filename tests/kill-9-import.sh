#!/usr/bin/env bash
# Kills the server with SIGKILL while it imports a file of units, and looks whether every row that it said was stored is
# there; then sends the same file again, and looks whether it is complete and nothing was stored twice.
#
#   tests/kill-9-import.sh [ROUNDS] [ROWS]      5 rounds of 100,000 rows unless told otherwise; JIXIAO=path/to/jixiao
#
# Needs curl and python3. Ends with 1 if anything was lost or doubled.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
rows=${2:-100000}
program=${JIXIAO:-target/debug/jixiao}
[ -x "$program" ] || cargo build --quiet --locked
exec python3 - "$program" "$rounds" "$rows" <<'PYTHON'
import json, pathlib, random, re, shutil, socket, sqlite3, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request

program, rounds, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def serve(folder, port, output):
    server = subprocess.Popen(
        [program, "serve", "--data-dir", str(folder / "data"), "--listen", f"127.0.0.1:{port}", "--log", "warn"],
        stdout=output, stderr=output)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).read()
            return server
        except OSError:
            if server.poll() is not None:
                sys.exit("the server does not start: " + (folder / "output").read_text())
            time.sleep(0.05)


def ask(method, path, body=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", data=body, method=method, headers={
        "Authorization": "Bearer " + token, "Content-Type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=600) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return {"status": error.code, "problem": error.read().decode()}
    except (OSError, ValueError):
        return None


failed = 0
file = "".join(f'{{"code":"{10**9 + n}","name":"单位{n}","kind":"town"}}\n' for n in range(rows)).encode()
query = "/imports?resource=units&mode=each&id=killed"
for number in range(1, rounds + 1):
    folder = pathlib.Path(tempfile.mkdtemp())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    output = open(folder / "output", "wb")
    server = serve(folder, port, output)
    token = re.search(r"jx_\w+", (folder / "output").read_text()).group()
    first = threading.Thread(target=ask, args=("POST", query, file))
    first.start()
    # Killed at some moment after the first rows were said to be stored.
    told, until = 0, time.monotonic() + random.uniform(0.2, 3)
    while told == 0 or time.monotonic() < until:
        told = max(told, (ask("GET", "/imports/killed") or {}).get("position") or 0)
        if told >= rows:
            break
    server.kill()
    server.wait()
    first.join()
    units = sqlite3.connect(folder / "data" / "jixiao.db").execute("SELECT count(*) FROM units").fetchone()[0]
    server = serve(folder, port, output)
    after = ask("GET", "/imports/killed")
    report = ask("POST", query, file)
    database = sqlite3.connect(folder / "data" / "jixiao.db")
    stored, versions = database.execute("SELECT count(*), max(version) FROM units").fetchone()
    log = database.execute("SELECT count(*) FROM changes WHERE resource = 'unit'").fetchone()[0]
    good = (units >= told and after["position"] == units and report.get("counts", {}).get("created") == rows
            and (stored, versions, log) == (rows, 1, rows))
    failed += not good
    print(f"round {number}: {told} rows were told, {units} were there ({after['state']}); after the rerun {stored}, "
          f"{log} in the log: {'good' if good else 'NOT GOOD ' + json.dumps(report, ensure_ascii=False)[:500]}", flush=True)
    server.kill()
    server.wait()
    shutil.rmtree(folder)
print(f"{rounds} rounds, {failed} of them not good")
sys.exit(1 if failed else 0)
PYTHON
