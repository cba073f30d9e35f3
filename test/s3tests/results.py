"""What came of a run of s3-tests.

results.py table JUNIT           prints one line a test: id, TAB, pass|fail|error|skip, TAB, error in one line
results.py compare TSV EXPECTED [partial]
                                 compares with a list of expected failures ("id: reason" lines, grouped by "# " headings);
                                 exits with 1 when a test failed that is not listed or a listed one passed;
                                 partial: tests that did not run are no matter
results.py groups TSV            prints the failures grouped by their error, largest group first
results.py prune TSV EXPECTED    takes the tests that passed out of EXPECTED
results.py expect TSV            prints the failures in the form of EXPECTED, with the error as reason, to be edited
"""
import re
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict


RANK = {"pass": 0, "skip": 1, "error": 2, "fail": 3}


def error_line(node):
    """The most telling line of a failure: the exception, without what changes from run to run."""
    lines = [line[1:].strip() for line in (node.text or "").splitlines() if line.startswith("E ")]
    text = next((x for x in lines if x), None) or node.get("message", "").splitlines()[:1]
    text = text if isinstance(text, str) else (text[0] if text else "?")
    text = re.sub(r"test-[a-z0-9]{4,}-?[a-z0-9-]*|yournamehere-[a-z0-9-]*", "BUCKET", text)
    return re.sub(r"\s+", " ", text)[:300]


def table(path):
    """Yields test, result and error; of a test that is reported twice (a test that passes and fails to clean up) the worse."""
    found = {}
    for test, result, why in cases(path):
        if test not in found or RANK[result] > RANK[found[test][0]]:
            found[test] = (result, why)
    return [(test, *found[test]) for test in found]


def cases(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        test = case.get("classname").split(".")[-1] + "::" + case.get("name")
        result, why = "pass", ""
        for node in case:
            if node.tag in ("failure", "error", "skipped"):
                kind = {"failure": "fail", "skipped": "skip"}.get(node.tag, node.tag)
                if result == "pass" or kind == "fail":
                    result, why = kind, (node.get("message") or "")[:200] if kind == "skip" else error_line(node)
        yield test, result, why.replace("\t", " ").replace("\n", " ")


def read(tsv):
    with open(tsv) as f:
        return [(line.rstrip("\n").split("\t") + ["", ""])[:3] for line in f if line.strip()]


def expectations(path):
    listed = {}
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                test, _, reason = line.strip().partition(": ")
                if not reason:
                    sys.exit(f"{path}: {test} has no reason")
                listed[test] = reason
    return listed


def compare(tsv, path, partial):
    rows, listed, bad = read(tsv), expectations(path), 0
    for test, result, why in rows:
        if result in ("fail", "error") and test not in listed:
            bad += 1
            print(f"FAIL {test}: {why}")
        elif result == "pass" and test in listed:
            bad += 1
            print(f"FAIL {test}: passes, but is listed ({listed[test]})")
        elif result in ("fail", "error"):
            print(f"known {test}: {listed[test]}")
        elif result == "skip":
            print(f"skip {test}: {why}")
    ran = {row[0] for row in rows}
    for test in sorted(set(listed) - ran) if not partial else ():
        bad += 1
        print(f"FAIL {test}: listed, but there is no such test")
    count = defaultdict(int)
    for _, result, _ in rows:
        count[result] += 1
    failed = count["fail"] + count["error"]
    print(f"{len(rows)} tests: {count['pass']} passed, {failed} failed ({bad} against expectation), {count['skip']} skipped")
    return bad == 0 and len(rows) > 0


def groups(tsv):
    found = defaultdict(list)
    for test, result, why in read(tsv):
        if result in ("fail", "error"):
            found[why].append(test)
    for why, tests in sorted(found.items(), key=lambda kv: -len(kv[1])):
        print(f"{len(tests):4} {why}")
        for test in tests:
            print(f"       {test}")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    what, args = sys.argv[1], sys.argv[2:]
    if what == "table":
        for row in sorted(table(args[0])):
            print("\t".join(row))
    elif what == "compare":
        sys.exit(0 if compare(args[0], args[1], len(args) > 2 and args[2]) else 1)
    elif what == "groups":
        groups(args[0])
    elif what == "prune":
        passed = {test for test, result, _ in read(args[0]) if result == "pass"}
        with open(args[1]) as f:
            kept = [line for line in f if line.partition(": ")[0] not in passed]
        with open(args[1], "w") as f:
            f.writelines(kept)
    elif what == "expect":
        for test, result, why in read(args[0]):
            if result in ("fail", "error"):
                print(f"{test}: {why}")
    else:
        sys.exit(__doc__)


main()
