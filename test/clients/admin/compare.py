#!/usr/bin/env python3
"""Runs the mc commands of session.txt against two servers and compares what they print and how they end.

Usage: compare.py [-k PATTERN] [--keep DIR]     with MC, REFERENCE, ENDPOINT (URLs), ACCESS and SECRET in the environment

REFERENCE is a MinIO, ENDPOINT the server under test. Every difference is a failure, unless differences.txt lists it with
its reason; a listed difference that is not seen is a failure too, so that the list does not outlive what it excuses.

What is not compared, for both servers alike: the wording of a server's error message (its code is compared), request
ids, host names, times of now (other times are), made keys and secrets (their form is), what is measured, the order of
lists, and whether a policy writes one value as a list of one.
"""

import argparse
import base64
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
import xml.etree.ElementTree
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = datetime.datetime.now(datetime.timezone.utc)
PLACES = {
    "NOW": NOW + datetime.timedelta(minutes=5),
    "SOON": (NOW + datetime.timedelta(days=30)).replace(microsecond=0),
    "LATE": (NOW + datetime.timedelta(days=30 * 365)).replace(microsecond=0),
}
LIMIT = 60  # seconds for one command

# --- what a step gave ---------------------------------------------------------------------------------------------


class Side:
    """One server with its own mc configuration and working directory."""

    def __init__(self, name, url, root):
        self.name, self.url, self.results = name, url.rstrip("/"), {}
        self.dir = os.path.join(root, name)
        self.work = os.path.join(self.dir, "work")
        self.data = os.path.join(os.environ["TMP"], name)  # where run.sh has put the server's data
        os.makedirs(self.dir)
        shutil.copytree(os.path.join(HERE, "files"), self.work)
        self.mc = [os.environ.get("MC", "mc"), "--config-dir", os.path.join(self.dir, "mc"), "--json"]
        self.env = dict(os.environ, HOME=self.dir)
        self.run(["alias", "set", "t", url, os.environ["ACCESS"], os.environ["SECRET"]])

    def run(self, words, limit=LIMIT):
        """Runs mc and gives what it printed and its exit code."""
        try:
            done = subprocess.run(self.mc + words, cwd=self.work, env=self.env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
        except subprocess.TimeoutExpired as e:
            return {"exit": "no end after %d s" % limit, "out": documents((e.stdout or b"").decode())}
        return {"exit": done.returncode, "out": documents(done.stdout.decode()), "err": done.stderr.decode().strip()}

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

    def do_brief(self, *words):
        """Runs a command that does not end, for three seconds."""
        return self.run(list(words), 3)

    def do_file(self, name):
        """Compares a file that a command wrote."""
        with open(os.path.join(self.work, name), "rb") as f:
            return content(name, f.read())

    def do_zip(self, name):
        """Compares what is in a zip, file by file."""
        try:
            with zipfile.ZipFile(os.path.join(self.work, name)) as z:
                return {n: content(n, z.read(n)) for n in z.namelist() if not n.endswith("/")}
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
                if len(documents(read(out))) >= int(count):
                    break
        finally:
            ended = p.poll()
            if ended is None:
                p.terminate()
            p.wait()
        docs = documents(read(out))
        return {"ended": ended, "enough": len(docs) >= int(count), "forms": [form(d) for d in docs]}


def read(name):
    with open(name, encoding="utf-8", errors="replace") as f:
        return f.read()


def documents(text):
    """The JSON documents in text; a line that is none is kept as a string."""
    docs, decoder = [], json.JSONDecoder()
    text = text.strip()
    while text:
        try:
            doc, end = decoder.raw_decode(text)
        except ValueError:
            line, _, text = text.partition("\n")
            docs.append(line.strip())
        else:
            docs.append(doc)
            text = text[end:]
        text = text.lstrip()
    return docs


def content(name, data):
    """What is in a file, as JSON, XML or text."""
    try:
        return json.loads(data)
    except ValueError:
        pass
    if name.endswith(".xml"):
        try:
            return element(xml.etree.ElementTree.fromstring(data))
        except xml.etree.ElementTree.ParseError:
            pass
    return data.decode("utf-8", "replace")


def element(e):
    return {e.tag: [element(c) for c in e] or (e.text or "").strip()}


def form(value):
    """The form of a document: its names with the kinds of their values, and no value but those that name something."""
    if isinstance(value, dict):
        return {k: v if k in ("type", "api", "statusCode", "statusMsg", "method") else form(v) for k, v in value.items()}
    if isinstance(value, list):
        return [form(v) for v in value[:1]]
    return "null" if value is None else {str: "text", bool: "truth"}.get(type(value), "number")


# --- what is alike in both ------------------------------------------------------------------------------------------

TIME = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT|"
                  r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|UTC|[+-]\d\d:?\d\d))?( UTC)?")
HTTP_TIME = "%a, %d %b %Y %H:%M:%S GMT"
MADE = (
    ("<made key>", re.compile(r"[A-Z0-9]{20}")),
    ("<made secret>", re.compile(r"[A-Za-z0-9+/]{40}")),
    ("<uuid>", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("<token>", re.compile(r"[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}")),
)
PROBE = re.compile(r"probe-bsign-[a-z0-9]+")  # the bucket that mc asks for to learn of the signature
# what is measured, and differs from run to run of one server
MEASURED = set("""restartDuration waitingDuration timeTaken duration speed uptime Alloc TotalAlloc Mallocs Frees HeapAlloc num_gc
    pause pause_total pause_end totalspace usedspace availspace used_inodes free_inodes rawUsage rawCapacity""".split())


def moment(match):
    """A time of about now becomes a word, and one in days is kept to the hour."""
    text = match.group(0)
    try:
        if text.endswith("GMT"):
            t = datetime.datetime.strptime(text, HTTP_TIME)
        else:
            t = datetime.datetime.strptime(text[:19].replace(" ", "T"), "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return text
    t = t.replace(tzinfo=datetime.timezone.utc)
    if abs(t - NOW) < datetime.timedelta(hours=1):
        return "<now>"
    for name, days in (("<in a day>", 1), ("<in 30 days>", 30)):
        if abs(t - NOW - datetime.timedelta(days=days)) < datetime.timedelta(hours=1):
            return name
    return text


def statement(s):
    """A statement of a policy in one of the forms that mean the same: one value is a list of one, no Sid an empty one."""
    s = {k: v if k in ("Effect", "Sid", "Principal", "NotPrincipal", "Condition") or isinstance(v, list) else [v] for k, v in s.items() if v != ""}
    if isinstance(s.get("Condition"), dict):
        s["Condition"] = {op: {k: v if isinstance(v, list) else [v] for k, v in keys.items()} for op, keys in s["Condition"].items()}
    for k in ("Principal", "NotPrincipal"):
        if isinstance(s.get(k), dict):
            s[k] = {kind: v if isinstance(v, list) else [v] for kind, v in s[k].items()}
    return s


def in_order(value):
    """The key by which lists are sorted: what names a thing comes first, so that what differs otherwise stays beside its like."""
    names = [str(value.get(k, "")) for k in ("user", "accessKey", "policy", "group", "name", "Sid", "key")] if isinstance(value, dict) else []
    return names, json.dumps(value, sort_keys=True)


def plain(value, side, key=""):
    """The value without what must differ between two servers."""
    if key in MEASURED and isinstance(value, (int, float, list)):
        return "<measured>"
    if isinstance(value, dict):
        error = value.get("error")
        if isinstance(error, dict) and error.get("Code"):  # the cause that mc prints: a server's answer
            return {"code": error["Code"]}
        if "Effect" in value:
            value = statement(value)
        return {plain(k, side): plain(v, side, k) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((plain(v, side, key) for v in value), key=in_order)
    if not isinstance(value, str):
        return value
    value = value.replace(side.url, "<url>").replace(side.url.split("//")[1], "<host>").replace(side.dir, "<dir>").replace(side.data, "<data>")
    for name, pattern in MADE:
        if pattern.fullmatch(value):
            return name
    return TIME.sub(moment, PROBE.sub("<probe>", value))


def canonical(result, side):
    """A result as it is compared."""
    result = plain(result, side)
    if isinstance(result.get("out"), list):
        for doc in result["out"]:
            if isinstance(doc, dict) and isinstance(doc.get("value"), str):  # mc's config export is base64
                doc["value"] = sorted(base64.b64decode(doc["value"]).decode().splitlines())
    if isinstance(result.get("forms"), list):
        result["forms"] = list({json.dumps(d, sort_keys=True): d for d in result["forms"]}.values())
    return result


def differences(a, b, path=""):
    """The places where a and b differ: (path, a's value, b's value)."""
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            sub = path + "." + k if path else k
            if k not in a or k not in b:
                yield sub, a.get(k, "<absent>"), b.get(k, "<absent>")
            else:
                yield from differences(a[k], b[k], sub)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, "%s[%d]" % (path, i))
    elif a != b or type(a) is not type(b):
        yield path, a, b


# --- the list and the read-out --------------------------------------------------------------------------------------


def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n")


def session(pattern):
    """The steps: (name, words). Names are unique."""
    steps, names = [], set()
    for line in lines("session.txt"):
        words = shlex.split(line)
        if words[0] in names or len(words) < 2:
            sys.exit("session.txt: %s is there twice, or has no command" % words[0])
        names.add(words[0])
        steps.append((words[0], words[1:]))
    return steps, {n for n, _ in steps if fnmatch.fnmatch(n, pattern)}


class Listed:
    """differences.txt: which difference is right, and why."""

    def __init__(self):
        self.rows = []
        for line in lines("differences.txt") if os.environ.get("PEER") != "minio" else []:
            parts = [p.strip() for p in line.split("|")]
            if len(parts) != 3 or not all(parts):
                sys.exit("differences.txt: not 'step | path | reason': " + line)
            self.rows.append(parts + [0])

    def has(self, step, path):
        found = False
        for row in self.rows:
            # brackets are ours, and no character class
            if fnmatch.fnmatchcase(step, row[0]) and fnmatch.fnmatchcase(path, row[1].replace("[", "[[]")):
                row[3] += 1
                found = True
        return found


def short(value):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) < 600 else text[:600] + "..."


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-k", default="*", metavar="PATTERN", help="steps to compare (all are run)")
    p.add_argument("--keep", metavar="DIR", help="keeps what both gave, as DIR/NAME.json")
    args = p.parse_args()
    steps, chosen = session(args.k)
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

    listed, equal, excused, different = Listed(), 0, 0, 0
    for name, words in steps:
        if name not in chosen:
            continue
        a, b = (canonical(s.results[name], s) for s in sides)
        if args.keep:
            os.makedirs(args.keep, exist_ok=True)
            for s, c in zip(sides, (a, b)):
                with open(os.path.join(args.keep, s.name + ".jsonl"), "a", encoding="utf-8") as f:
                    f.write(json.dumps({"step": name, "command": words, "result": c, "raw": s.results[name]}) + "\n")
        found = list(differences(a, b))
        left = [d for d in found if not listed.has(name, d[0])]
        if not found:
            equal += 1
        elif not left:
            excused += 1
        else:
            different += 1
            print("FAIL %s: mc %s" % (name, shlex.join(words)))
            for path, x, y in left:
                print("       at %s\n         MinIO %s\n         ours  %s" % (path or "all", short(x), short(y)))
    stale = [r for r in listed.rows if not r[3] and "/" not in r[0] and any(fnmatch.fnmatchcase(n, r[0]) for n in chosen)]
    if args.k == "*":
        for row in stale:
            different += 1
            print("FAIL differences.txt lists what is not seen: %s" % " | ".join(row[:3]))
    print("compared %d commands: %d equal, %d with listed differences only, %d different" % (
        len(chosen), equal, excused, different))
    sys.exit(1 if different or not chosen else 0)


if __name__ == "__main__":
    main()
