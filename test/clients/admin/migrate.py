#!/usr/bin/env python3
"""Moves the identities of a real MinIO to objsrv and asks both, with each of the old keys, what it may do.

Usage: migrate.py fill | export ZIP | same ZIP ZIP | buckets ALIAS | probe [NAME=URL ...] | refused URL     with MC, REFERENCE, ACCESS, SECRET, TMP

fill makes identities of every kind on the MinIO at REFERENCE; export writes its IAM zip; same compares what is in two of
them (differences.txt: step "move-export"); buckets sets up buckets on the MinIO, moves their metadata to the server of an
alias of mc, and compares what mc tells of them; probe makes each request of PROBES with each of these keys to REFERENCE and
to the URLs, and fails when one allows what the other refuses, or refuses it for another reason, unless differences.txt lists
it (step "NAME/KEY", place "PROBE", or "PROBE (refused)" when both refuse); refused fails when a URL takes any of the keys.
"""

import datetime
import os
import re
import subprocess
import sys
import zipfile

import alike
import sign

SOON = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")

# user -> secret; a name of an e-mail address, one of more than 20 characters, a secret of more than 40
USERS = {
    "alice": "alice-secret-1", "bob": "bob-secret-1", "carol": "carol-secret-1", "dave": "dave-secret-1",
    "erin": "erin-secret-1", "frank": "frank-secret-1", "grace": "grace-secret-1", "heidi": "heidi-secret-1",
    "locked": "locked-secret-1", "first.last@example.org": "mail+secret/1=", "a-name-of-more-than-20-letters": "long-name-secret",
    "ivan": "a-secret-that-is-longer-than-forty-characters-0123456789",
}
# key of a service account -> (parent, secret, words of mc)
ACCOUNTS = {
    "alicekey": ("alice", "alicekey-secret", []),
    "alicenarrow": ("alice", "alicenarrow-secret", ["--policy", "narrow.json", "--name", "reader", "--description", "Reads only"]),
    "alicesoon": ("alice", "alicesoon-secret", ["--policy", "narrow.json", "--expiry", SOON]),
    "aliceoff": ("alice", "aliceoff-secret", []),
    "carolkey": ("carol", "carolkey-secret", []),
    "davekey": ("dave", "davekey-secret", []),
    "erinkey": ("erin", "erinkey-secret", []),
    "lockedkey": ("locked", "lockedkey-secret", []),
    "frankwide": ("frank", "frankwide-secret", ["--policy", "wide.json"]),
    "rootkey": ("ROOT", "rootkey-secret", []),
    "rootnarrow": ("ROOT", "rootnarrow-secret", ["--policy", "narrow.json"]),
}
ATTACHED = [
    (["team"], "--user", "alice"), (["readonly", "nodelete", "lists"], "--user", "bob"), (["readwrite"], "--user", "carol"),
    (["helpdesk"], "--user", "dave"), (["own"], "--user", "grace"), (["consoleAdmin"], "--user", "heidi"), (["readwrite"], "--user", "locked"),
    (["team"], "--user", "first.last@example.org"), (["writeonly"], "--user", "a-name-of-more-than-20-letters"),
    (["readwrite", "nodelete"], "--user", "ivan"),
    (["team", "lists"], "--group", "staff"), (["readonly"], "--group", "guests"), (["writeonly"], "--group", "closed"),
]
GROUPS = {"staff": ["erin", "grace"], "guests": ["grace"], "closed": ["locked"], "idle": ["frank"]}
POLICIES = ["team", "lists", "own", "nodelete", "helpdesk", "office"]
BUCKETS = ["team-one", "open", "home"]

COPY = {"x-amz-copy-source": "/open/there"}
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
VERSIONING = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
POLICY = b'{"Version":"2012-10-17","Statement":[]}'
# what is asked of each key: name, method, path, body, headers. Nothing of it changes what a later one finds.
PROBES = [
    ("list buckets", "GET", "/", b"", {}),
    ("make bucket", "PUT", "/made", b"", {}),
    ("head bucket", "HEAD", "/team-one", b"", {}),
    ("list team", "GET", "/team-one?list-type=2", b"", {}),
    ("list open", "GET", "/open?list-type=2", b"", {}),
    ("list home of alice", "GET", "/home?list-type=2&prefix=alice/", b"", {}),
    ("list home of grace", "GET", "/home?list-type=2&prefix=grace/", b"", {}),
    ("get team", "GET", "/team-one/there", b"", {}),
    ("get team that is not there", "GET", "/team-one/nosuch", b"", {}),
    ("get open", "GET", "/open/there", b"", {}),
    ("get home of alice", "GET", "/home/alice/there", b"", {}),
    ("get home of grace", "GET", "/home/grace/there", b"", {}),
    ("put team", "PUT", "/team-one/put", b"x", {}),
    ("put open", "PUT", "/open/put", b"x", {}),
    ("put home of grace", "PUT", "/home/grace/put", b"x", {}),
    ("put with tags", "PUT", "/open/tagged", b"x", {"x-amz-tagging": "a=1"}),
    ("delete team", "DELETE", "/team-one/nosuch", b"", {}),
    ("delete open", "DELETE", "/open/nosuch", b"", {}),
    ("copy open to team", "PUT", "/team-one/copied", b"", COPY),
    ("get location", "GET", "/open?location", b"", {}),
    ("get policy", "GET", "/open?policy", b"", {}),
    ("get versioning", "GET", "/open?versioning", b"", {}),
    ("list versions", "GET", "/open?versions", b"", {}),
    ("list uploads", "GET", "/open?uploads", b"", {}),
    ("put tags of a bucket", "PUT", "/open?tagging", TAGS, {}),
    ("get tags of an object", "GET", "/team-one/there?tagging", b"", {}),
    ("delete bucket that is not empty", "DELETE", "/open", b"", {}),
    ("list users", "GET", "/minio/admin/v3/list-users", b"", {}),
    ("disable nobody", "PUT", "/minio/admin/v3/set-user-status?accessKey=nobody&status=disabled", b"", {}),
    ("list policies", "GET", "/minio/admin/v3/list-canned-policies", b"", {}),
    ("remove nobody", "DELETE", "/minio/admin/v3/remove-user?accessKey=nobody", b"", {}),
    ("list own keys", "GET", "/minio/admin/v3/list-service-accounts", b"", {}),
    ("export", "GET", "/minio/admin/v3/export-iam", b"", {}),
]


def mc(*words, where=os.path.join(alike.HERE, "files")):
    """Runs mc and gives the documents that it prints."""
    done = subprocess.run([os.environ.get("MC", "mc"), "--config-dir", os.path.join(os.environ["TMP"], "move-mc"), "--json"] + list(words),
                          cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit("mc %s: %s" % (" ".join(words), done.stdout.decode()))
    return alike.documents(done.stdout.decode())


def fill():
    root = os.environ["ACCESS"]
    mc("alias", "set", "m", os.environ["REFERENCE"], root, os.environ["SECRET"])
    for name in POLICIES:
        mc("admin", "policy", "create", "m", name, name + ".json")
    for name, secret in USERS.items():
        mc("admin", "user", "add", "m", name, secret)
    for name, members in GROUPS.items():
        mc("admin", "group", "add", "m", name, *members)
    for policies, kind, name in ATTACHED:
        mc("admin", "policy", "attach", "m", *policies, kind, name)
    for key, (parent, secret, words) in ACCOUNTS.items():
        mc("admin", "user", "svcacct", "add", "m", root if parent == "ROOT" else parent, "--access-key", key, "--secret-key", secret, *words)
    mc("admin", "user", "svcacct", "disable", "m", "aliceoff")
    mc("admin", "user", "disable", "m", "carol")
    mc("admin", "group", "disable", "m", "closed")


def buckets(target):
    """Moves the metadata of buckets to the server of an alias; gives the number of differences."""
    mc("mb", "m/moved-plain")
    mc("version", "enable", "m/moved-plain")
    mc("quota", "set", "m/moved-plain", "--size", "1GiB")
    mc("tag", "set", "m/moved-plain", "a=1&b=2 3")
    mc("anonymous", "set", "download", "m/moved-plain/public")
    mc("mb", "--with-lock", "m/moved-locked")
    mc("retention", "set", "--default", "governance", "30d", "m/moved-locked")
    where = os.environ["TMP"]
    mc("admin", "cluster", "bucket", "export", "m", where=where)
    mc("admin", "cluster", "bucket", "import", target, "m-bucket-metadata.zip", where=where)
    wrong = 0
    for bucket, asked in (("moved-plain", ["version info", "quota info", "tag list", "anonymous get-json"]),
                          ("moved-locked", ["version info", "retention info --default"])):
        for words in asked:
            a, b = ([alike.plain(d, [(alias + "/", "<alias>/")]) for d in mc(*words.split(), alias + "/" + bucket)]
                    for alias in ("m", target))
            for path, x, y in alike.differences(a, b):
                if path.endswith((".url", ".name")):  # which have the server in them
                    continue
                wrong += 1
                print("mc %s %s, at %s: MinIO %s, ours %s" % (words, bucket, path, alike.short(x), alike.short(y)))
    return wrong


def keys():
    """All keys with their secrets, and one whose secret is wrong."""
    pairs = list(USERS.items()) + [(k, v[1]) for k, v in ACCOUNTS.items()]
    return pairs + [("alice", "not-the-secret"), ("alicekey", "not-the-secret"), ("nobody", "nobody-secret-1"), ("", "")]


def prepare(url):
    """The buckets and objects that the probes ask for."""
    for path, body in [("/" + b, b"") for b in BUCKETS + ["made"]] + [
            (p, b"content") for p in ("/team-one/there", "/open/there", "/home/alice/there", "/home/grace/there")]:
        a = sign.request(url, "PUT", path, os.environ["ACCESS"], os.environ["SECRET"], body)
        if a.status != 200 and a.code != "BucketAlreadyOwnedByYou":
            sys.exit("PUT %s at %s: %d %s" % (path, url, a.status, a.code))


def verdict(answer, probe):
    """allowed, or the code of the refusal; a list of buckets with its names."""
    if answer.status in (401, 403):
        return answer.code or "refused"
    if answer.status >= 500:
        return "%d %s" % (answer.status, answer.code)
    if probe == "list buckets" and answer.status == 200:
        return "allowed: " + " ".join(n.decode() for n in re.findall(rb"<Name>([^<]*)</Name>", answer.body))
    return "allowed"


def refusal(verdict):
    return not verdict.startswith("allowed") and not verdict.startswith("5")


def probe(targets):
    """Compares the verdicts of all keys on all probes; gives the number of wrong ones."""
    reference = os.environ["REFERENCE"]
    listed, wrong = alike.Listed(), 0
    for url in [reference] + [u for _, u in targets]:
        prepare(url)
    counts = {name: [0, 0, 0] for name, _ in targets}
    allowed = 0
    for access, secret in keys():
        name = access or "anonymous"
        if secret == "not-the-secret":
            name += " with another secret"
        for what, method, path, body, headers in PROBES:
            wanted = verdict(sign.request(reference, method, path, access, secret, body, headers), what)
            allowed += wanted.startswith("allowed")
            for target, url in targets:
                got = verdict(sign.request(url, method, path, access, secret, body, headers), what)
                place = what if wanted.startswith("allowed") or not refusal(got) else what + " (refused)"
                excused = got != wanted and listed.has(target + "/" + name, place)
                counts[target][0 if got == wanted else 1 if excused else 2] += 1
                if got != wanted and not excused:
                    wrong += 1
                    print("FAIL %s/%s | %s: MinIO %s, ours %s" % (target, name, place, wanted, got))
    for target, (same, excused, other) in counts.items():
        print("%s: %d requests (%d allowed by MinIO): %d as MinIO, %d with listed differences, %d different" % (
            target, same + excused + other, allowed, same, excused, other))
    if os.environ.get("PEER") != "minio":
        for row in listed.stale(lambda step: "/" in step):
            wrong += 1
            print("FAIL differences.txt lists what is not seen: %s" % " | ".join(row))
    return wrong or not targets


def same(first, second):
    """Compares the contents of two zips; gives the number of differences that are not listed."""
    listed, wrong, contents = alike.Listed(), 0, []
    for name in (first, second):
        with zipfile.ZipFile(name) as z:
            contents.append({n: alike.plain(alike.content(n, z.read(n))) for n in z.namelist()})
    for path, a, b in alike.differences(*contents):
        if not listed.has("move-export", path):
            wrong += 1
            print("at %s: MinIO %s, ours %s" % (path, alike.short(a), alike.short(b)))
    return wrong


def refused(url):
    """Succeeds when no key is known there."""
    bad = 0
    for access, secret in keys():
        a = sign.request(url, "GET", "/", access, secret)
        if access and a.code != "InvalidAccessKeyId":
            bad += 1
            print("FAIL %s is known before the import: %d %s" % (access, a.status, a.code))
    return bad


def main():
    verb, args = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if verb == "fill":
        fill()
    elif verb == "export":
        subprocess.run([os.environ.get("MC", "mc"), "--config-dir", os.path.join(os.environ["TMP"], "move-mc"), "admin", "cluster", "iam", "export", "m", "--output", args[0]], check=True)
    elif verb == "probe":
        sys.exit(1 if probe([a.split("=", 1) for a in args]) else 0)
    elif verb == "same":
        sys.exit(1 if same(*args) else 0)
    elif verb == "buckets":
        sys.exit(1 if buckets(*args) else 0)
    elif verb == "refused":
        sys.exit(1 if refused(args[0]) else 0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
