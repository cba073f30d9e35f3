#!/usr/bin/env python3
"""Runs the mc commands of session.txt against two servers and compares what they print and how they end.

Usage: compare.py [-k PATTERN] [--keep DIR] [--session NAME]     with MC, REFERENCE, ENDPOINT (URLs), ACCESS and SECRET in
the environment; AWS for sessions with the aws cli. The session NAME is NAME.txt, with NAME-differences.txt.

REFERENCE is a MinIO, ENDPOINT the server under test. Every difference is a failure, unless differences.txt lists it with
its reason; a listed difference that is not seen is a failure too, so that the list does not outlive what it excuses.
alike.py says what is not compared.
"""

import argparse
import datetime
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile

import alike

PLACES = {
    "NOW": alike.NOW + datetime.timedelta(minutes=5),
    "SOON": (alike.NOW + datetime.timedelta(days=30)).replace(microsecond=0),
    "LATE": (alike.NOW + datetime.timedelta(days=30 * 365)).replace(microsecond=0),
}
LIMIT = 60  # seconds for one command


def documents_within(value):
    """The answer with the documents that it has as text, such as a policy, read."""
    if isinstance(value, dict):
        return {k: documents_within(v) for k, v in value.items()}
    if isinstance(value, list):
        return [documents_within(v) for v in value]
    if isinstance(value, str) and value.startswith("{"):
        return alike.content("", value.encode())
    return value


class Side:
    """One server with its own mc configuration and working directory."""

    def __init__(self, name, url, root):
        self.name, self.url, self.results = name, url.rstrip("/"), {}
        self.dir = os.path.join(root, name)
        self.work = os.path.join(self.dir, "work")
        self.data = os.path.join(os.environ["TMP"], name)  # where run.sh has put the server's data
        os.makedirs(self.dir)
        shutil.copytree(os.path.join(alike.HERE, "files"), self.work)
        self.mc = [os.environ.get("MC", "mc"), "--config-dir", os.path.join(self.dir, "mc"), "--json"]
        self.own = [(self.url, "<url>"), (self.url.split("//")[1], "<host>"), (self.dir, "<dir>"), (self.data, "<data>")]
        self.env = dict(os.environ, HOME=self.dir)
        self.run(["alias", "set", "t", url, os.environ["ACCESS"], os.environ["SECRET"]])

    def run(self, words, limit=LIMIT, stdin=subprocess.DEVNULL):
        """Runs mc and gives what it printed and its exit code."""
        try:
            done = subprocess.run(self.mc + words, cwd=self.work, env=self.env, stdin=stdin,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
        except subprocess.TimeoutExpired as e:
            return {"exit": "no end after %d s" % limit, "out": alike.documents((e.stdout or b"").decode())}
        return {"exit": done.returncode, "out": alike.documents(done.stdout.decode()), "err": done.stderr.decode().strip()}

    def step(self, words):
        """Runs one step of the session."""
        places = {"URL": self.url, "LONG": "words " * 50}
        places.update({k: v.strftime("%Y-%m-%dT%H:%M:%SZ") for k, v in PLACES.items()})
        words = [re.sub(r"\{([A-Z]+)\}", lambda m: places[m.group(1)], w) for w in words]
        words = [re.sub(r"\{([a-z-]+)\}", lambda m: self.made(m.group(1)), w) for w in words]
        if not words[0].startswith("@"):
            return self.run(words)
        try:
            return getattr(self, "do_" + words[0][1:])(*words[1:])
        except OSError as e:
            return {"failed": type(e).__name__}

    def made(self, name):
        """The access key that an earlier step gave."""
        out = self.results[name].get("out") or [{}]
        return out[0].get("accessKey", "none-was-made") if isinstance(out[0], dict) else "none-was-made"

    def do_aws(self, *words):
        """Runs the aws cli and gives its answer, or the code of the error that it tells."""
        env = dict(self.env, AWS_ACCESS_KEY_ID=os.environ["ACCESS"], AWS_SECRET_ACCESS_KEY=os.environ["SECRET"])
        done = subprocess.run([os.environ.get("AWS", "aws"), "--endpoint-url", self.url, "--output", "json"] + list(words), cwd=self.work,
                              env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT)
        code = re.search(r"An error occurred \((\w+)\)", done.stderr.decode())
        return {"exit": done.returncode, "out": documents_within(alike.documents(done.stdout.decode())), "error": code.group(1) if code else done.stderr.decode().strip()}

    def do_stdin(self, name, *words):
        with open(os.path.join(self.work, name), "rb") as f:
            return self.run(list(words), stdin=f)

    def do_brief(self, *words):
        """Runs a command that does not end, for three seconds."""
        return self.run(list(words), 3)

    def do_file(self, name):
        """Compares a file that a command wrote."""
        with open(os.path.join(self.work, name), "rb") as f:
            return alike.content(name, f.read())

    def do_zip(self, name):
        """Compares what is in a zip, file by file."""
        try:
            with zipfile.ZipFile(os.path.join(self.work, name)) as z:
                return {n: alike.content(n, z.read(n)) for n in z.namelist() if not n.endswith("/")}
        except zipfile.BadZipFile:
            return {"failed": "not a zip"}

    def do_ready(self):
        """Waits until the server is ready again after a restart, which takes it away at first."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            time.sleep(0.5)
            try:
                with urllib.request.urlopen(self.url + "/minio/health/ready", timeout=5) as r:
                    return {"status": r.status}
            except OSError:
                pass
        return {"status": "not ready after %d s" % LIMIT}

    def do_scrape(self, *words):
        """Asks for metrics with the path and the token of the written configuration."""
        config = self.run(list(words))
        try:
            job = config["out"][0]
            req = urllib.request.Request(self.url + job["metricsPath"], headers={"Authorization": "Bearer " + job["bearerToken"]})
        except (KeyError, IndexError, TypeError):
            return config
        with urllib.request.urlopen(req, timeout=LIMIT) as r:
            return {"status": r.status, "type": r.headers.get_content_type(),
                    "families": sorted(l.split()[2] for l in r.read().decode().splitlines() if l.startswith("# TYPE"))}

    def do_stream(self, count, *words):
        """Reads count documents of a command that does not end, while requests are made, and gives their form."""
        out = os.path.join(self.dir, "stream")
        with open(out, "wb") as f:
            p = subprocess.Popen(self.mc + list(words), cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        end = time.monotonic() + 15
        try:
            while time.monotonic() < end and p.poll() is None:
                self.run(["ls", "t/team-one"])
                self.run(["stat", "t/team-one/nosuch"])
                if len(alike.documents(alike.read(out))) >= int(count):
                    break
        finally:
            ended = p.poll()
            if ended is None:
                p.terminate()
            p.wait()
        docs = alike.documents(alike.read(out))
        return {"ended": ended, "enough": len(docs) >= int(count), "forms": [alike.form(d) for d in docs]}


    def do_watch(self, count, target, *words):
        """Watches a bucket while an object comes and goes, until count kinds of events were told, and gives them."""
        out = os.path.join(self.dir, "watch")
        with open(out, "wb") as f:
            p = subprocess.Popen(self.mc + ["watch"] + list(words), cwd=self.work, env=self.env, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        told, end = {}, time.monotonic() + 2 * LIMIT
        try:
            # what happens before the watch has begun is not told: so again
            while time.monotonic() < end and p.poll() is None and len(told) < int(count):
                self.run(["cp", "plain.txt", target])
                self.run(["rm", target])
                events = [d.get("events") for d in alike.documents(alike.read(out)) if isinstance(d, dict)]
                told = {e["type"]: {k: v for k, v in e.items() if k in ("path", "size", "type")} for e in events if isinstance(e, dict)}
        finally:
            ended = p.poll()
            if ended is None:
                p.terminate()
            p.wait()
        return {"ended": ended, "told": told}


def session(file, pattern):
    """The steps: (name, words). Names are unique."""
    steps, names = [], set()
    for line in alike.lines(file + ".txt"):
        words = shlex.split(line)
        if words[0] in names or len(words) < 2:
            sys.exit(file + ".txt: %s is there twice, or has no command" % words[0])
        names.add(words[0])
        steps.append((words[0], words[1:]))
    return steps, {n for n, _ in steps if fnmatch.fnmatch(n, pattern)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-k", default="*", metavar="PATTERN", help="steps to compare (all are run)")
    p.add_argument("--keep", metavar="DIR", help="keeps what both gave, as DIR/NAME.json")
    p.add_argument("--session", default="session", metavar="NAME", help="the session")
    args = p.parse_args()
    steps, chosen = session(args.session, args.k)
    excuses = "differences.txt" if args.session == "session" else args.session + "-differences.txt"
    root = os.path.join(os.environ["TMP"], "compare")
    sides = [Side("reference", os.environ["REFERENCE"], root), Side("ours", os.environ["ENDPOINT"], root)]

    def run(side):
        for name, words in steps:
            side.results[name] = side.step(words)

    threads = [threading.Thread(target=run, args=(s,)) for s in sides]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

    listed, equal, excused, different = alike.Listed(excuses), 0, 0, 0
    for name, words in steps:
        if name not in chosen:
            continue
        a, b = (alike.canonical(s.results[name], s.own) for s in sides)
        if args.keep:
            os.makedirs(args.keep, exist_ok=True)
            for s, c in zip(sides, (a, b)):
                with open(os.path.join(args.keep, s.name + ".jsonl"), "a", encoding="utf-8") as f:
                    f.write(json.dumps({"step": name, "command": words, "result": c, "raw": s.results[name]}) + "\n")
        found = list(alike.differences(a, b))
        left = [d for d in found if not listed.has(name, d[0])]
        if not found:
            equal += 1
        elif not left:
            excused += 1
        else:
            different += 1
            print("FAIL %s: mc %s" % (name, shlex.join(words)))
            for path, x, y in left:
                print("       at %s\n         MinIO %s\n         ours  %s" % (path or "all", alike.short(x), alike.short(y)))
    if args.k == "*":
        for row in listed.stale(lambda step: "/" not in step and any(fnmatch.fnmatchcase(n, step) for n in chosen)):
            different += 1
            print("FAIL %s lists what is not seen: %s" % (excuses, " | ".join(row)))
    print("compared %d commands: %d equal, %d with listed differences only, %d different" % (
        len(chosen), equal, excused, different))
    sys.exit(1 if different or not chosen else 0)


if __name__ == "__main__":
    main()
