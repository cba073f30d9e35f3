"""What is alike in the answers of two servers, where they differ, and which difference is listed.

What is not compared, for both servers alike: the wording of a server's error message (its code is compared), request
ids, host names, times of now (other times are), made keys and secrets (their form is), what is measured, the order of
lists, and whether a policy writes one value as a list of one.
"""

import base64
import datetime
import fnmatch
import json
import os
import re
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
NOW = datetime.datetime.now(datetime.timezone.utc)

# --- reading --------------------------------------------------------------------------------------------------------


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
    """An element without its namespace, which MinIO leaves out at times."""
    return {e.tag.rpartition("}")[2]: [element(c) for c in e] or (e.text or "").strip()}


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
    ("<made rule>", re.compile(r"[0-9a-v]{20}")),  # mc makes the id
    ("<uuid>", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    ("<token>", re.compile(r"[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}")),
)
PROBE = re.compile(r"probe-bsign-[a-z0-9]+")  # the bucket that mc asks for to learn of the signature
# what is measured, and differs from run to run of one server
MEASURED = set("""restartDuration waitingDuration timeTaken duration speed uptime Alloc TotalAlloc Mallocs Frees HeapAlloc num_gc
    pause pause_total pause_end totalspace usedspace availspace used_inodes free_inodes rawUsage rawCapacity""".split())

VERSIONS = {"versionId", "VersionId", "versionID"}  # each server has its own form of ids


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


def plain(value, own=(), key=""):
    """The value without what must differ between two servers; own is what one calls its own, with a word for it."""
    if key in VERSIONS and isinstance(value, str) and value not in ("", "null"):
        return "<version>"
    if key in MEASURED and isinstance(value, (int, float, list)):
        return "<measured>"
    if isinstance(value, dict):
        error = value.get("error")
        if isinstance(error, dict) and error.get("Code"):  # the cause that mc prints: a server's answer
            return {"code": error["Code"]}
        if "Effect" in value:
            value = statement(value)
        return {plain(k, own): plain(v, own, k) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((plain(v, own, key) for v in value), key=in_order)
    if not isinstance(value, str):
        return value
    for text, word in own:
        value = value.replace(text, word)
    for name, pattern in MADE:
        if pattern.fullmatch(value):
            return name
    return TIME.sub(moment, PROBE.sub("<probe>", value))


def canonical(result, own):
    """A result as it is compared."""
    result = plain(result, own)
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


# --- the list -------------------------------------------------------------------------------------------------------


def lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n")


AT_TIMES = "(at times)"  # in the reason of what need not be seen in a run


class Listed:
    """A list such as differences.txt: which difference is right, and why."""

    def __init__(self, name="differences.txt"):
        self.rows = []
        for line in lines(name):
            parts = [p.strip() for p in line.split("|")]
            if len(parts) != 3 or not all(parts):
                sys.exit(name + ": not 'step | path | reason': " + line)
            if AT_TIMES in parts[2] or os.environ.get("PEER") != "minio":  # which differs from itself by chance only
                self.rows.append(parts + [0])

    def has(self, step, path):
        found = False
        for row in self.rows:
            # brackets are ours, and no character class
            if fnmatch.fnmatchcase(step, row[0]) and fnmatch.fnmatchcase(path, row[1].replace("[", "[[]")):
                row[3] += 1
                found = True
        return found

    def stale(self, about):
        """The rows that were not seen, of those whose step is in question."""
        return [r[:3] for r in self.rows if not r[3] and AT_TIMES not in r[2] and about(r[0])]


def short(value):
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) < 600 else text[:600] + "..."
