"""compare.py DIR: compares what the same steps gave on a MinIO and on the server under test.

DIR/minio and DIR/ours have a file for each step with its output, and the file hook with what the webhook got. Each step
is the same but those below, which must differ as the reason says. Of events the names, keys, sizes, tags of content and
metadata are compared, in their order, and every field that MinIO's records have must be there.
"""
import json
import os
import re
import sys

DIFFERENT = {
    "aws-topic": "what is not built is 501 NotImplemented, MinIO's code is UnsupportedNotification",
    "aws-function": "the same",
    "aws-eventbridge": "501 NotImplemented; MinIO takes it and sends nothing there",
    "aws-same-id": "refused as by AWS; MinIO takes two rules of one Id",
    "aws-twice": "refused as by AWS; MinIO takes two rules of one target that share an event",
    "aws-never-sent": "an event that is never sent is refused",
    "mc-add-region": "a region that is not the server's is refused; MinIO without a region takes any",
}
# MinIO's name of an event where it has none of AWS's: by a rule that names it, see docs/events.md
SAME = {"s3:ObjectTagging:Put": "s3:ObjectCreated:PutTagging", "s3:ObjectTagging:Delete": "s3:ObjectCreated:DeleteTagging"}


def text(name):
    with open(name, encoding="utf-8") as f:
        s = f.read()
    s = re.sub(r"http://127\.0\.0\.1:\d+", "URL", s)
    return re.sub(r"(?m)^(real|usage).*$", "", s).strip()


def read_events(name):
    with open(name, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def shape(value, path=""):
    """The paths of an object's members."""
    if isinstance(value, dict):
        return {p for k, v in value.items() for p in shape(v, f"{path}.{k}")}
    if isinstance(value, list):
        return {p for v in value for p in shape(v, path + "[]")}
    return {path}


def brief(event):
    body = event["body"]
    record = body["Records"][0]
    obj = record["s3"]["object"]
    name = SAME.get(body["EventName"], body["EventName"])
    return [name, body["Key"], obj["key"], obj.get("size"), obj.get("eTag"), obj.get("contentType"), obj.get("userMetadata"), record["s3"]["configurationId"],
            record["s3"]["bucket"]["arn"], event["authorization"], event["type"]]


def main():
    root = sys.argv[1]
    failed = 0

    def result(name, why):
        nonlocal failed
        failed += bool(why)
        print(f"FAIL events {name}: {why}" if why else f"ok   events {name}", flush=True)

    for step in sorted(os.listdir(root + "/minio")):
        if step == "hook":
            continue
        theirs, ours = text(f"{root}/minio/{step}"), text(f"{root}/ours/{step}")
        if step in DIFFERENT:
            result(step + " (differs: " + DIFFERENT[step] + ")", "" if theirs != ours else "it does not differ any more")
        else:
            result(step, "" if theirs == ours else f"MinIO {theirs[-300:]!r}, ours {ours[-300:]!r}")
    theirs, ours = read_events(root + "/minio/hook"), read_events(root + "/ours/hook")
    # Each request of `mc rm` and `mc stat` looks at the object as often as it likes: reads are compared as a set.
    for kind, keep in (("reads", lambda e: "ObjectAccessed" in e[0]), ("writes", lambda e: "ObjectAccessed" not in e[0])):
        a, b = [x for x in map(brief, theirs) if keep(x)], [x for x in map(brief, ours) if keep(x)]
        if kind == "reads":
            a, b = sorted({json.dumps(x) for x in a}), sorted({json.dumps(x) for x in b})
        result(f"what the webhook got of {kind}", "" if a == b and a else f"\nMinIO {a}\nours  {b}")
    missing = set.union(*(shape(e["body"]) for e in theirs)) - set.union(*(shape(e["body"]) for e in ours)) - {".Records[].responseElements.content-length"}
    result("fields of records", f"missing {sorted(missing)}" if missing else "")
    sys.exit(1 if failed else 0)


main()
