"""results.py LOG RC EXPECTED TSV   judges the JSON lines of minio-go's functional tests.

A test may log several lines; the worst counts. Some tests run twice under one name, with Signature V2 and V4: those
that were refused for their V2 go by "NAME [SigV2]". EXPECTED has lines "test: reason" of those that may fail. TSV gets one line
a test: name, TAB, status, TAB, error.
"""
import json
import sys

RANK = {"PASS": 0, "NA": 1, "FAIL": 2}


def read_log(path):
    tests = {}
    with open(path, errors="replace") as f:
        for line in f:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if "status" not in entry:
                continue
            name = entry["name"].removeprefix("minio-go: ")
            why = " ".join(str(entry.get(k, "")) for k in ("function", "message", "alert", "error")).split()
            status = entry["status"]
            if "use AWS4-HMAC-SHA256" in " ".join(why):
                name += " [SigV2]"
            if name not in tests or RANK[status] > RANK[tests[name][0]]:
                tests[name] = (status, " ".join(why)[:400] if status != "PASS" else "")
    return tests


def expectations(path):
    listed = {}
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.strip().partition(": ")
                if not reason:
                    sys.exit(f"{path}: {name} has no reason")
                listed[name] = reason
    return listed


def main():
    log, rc, expected, tsv = sys.argv[1:]
    tests, listed, bad = read_log(log), expectations(expected), 0
    with open(tsv, "w") as f:
        f.writelines(f"{n}\t{s}\t{w}\n" for n, (s, w) in tests.items())
    for name, (status, why) in tests.items():
        if status == "PASS" and name not in listed:
            print("ok  ", name)
        elif status == "PASS":
            bad += 1
            print(f"FAIL {name}: passes, but is listed ({listed[name]})")
        elif name in listed:
            print(f"skip {name}: {status}: {listed[name]}")
        else:
            bad += 1
            print(f"FAIL {name}: {status}: {why}")
    for name in sorted(set(listed) - set(tests)):
        bad += 1
        print(f"FAIL {name}: is listed, but did not run")
    if rc != "0":
        bad += 1
        print(f"FAIL the program ended with {rc} before all tests had run" + (" (time limit)" if rc == "124" else ""))
    passed = sum(s == "PASS" for s, _ in tests.values())
    known = sum(s != "PASS" and n in listed for n, (s, _) in tests.items())
    print(f"{passed} passed, {bad} failed, {known} skipped")
    sys.exit(0 if bad == 0 and passed else 1)


main()
