"""Session of boto3; started by run.sh, which gives ENDPOINT, FILES and credentials in the environment. One line a check."""
import base64
import hashlib
import io
import os
import sys
import threading
import traceback
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError, MissingDependencyException

ENDPOINT, FILES = os.environ["ENDPOINT"], os.environ["FILES"]
MIB = 1 << 20
s3 = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}))
# presigned URLs and forms: botocore makes those of Signature V2 for us-east-1 unless told otherwise
v4 = boto3.client("s3", endpoint_url=ENDPOINT, config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
BUCKET = f"boto3-{os.getpid()}"


def data(size):
    with open(f"{FILES}/{size}", "rb") as f:
        return f.read()


def get(key, **kw):
    return s3.get_object(Bucket=BUCKET, Key=key, **kw)["Body"].read()


def put(key, body=b"", **kw):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **kw)


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {str(got)[:200]!r}, wanted {str(wanted)[:200]!r}")


def refused(codes, call, *args, **kw):
    try:
        got = call(*args, **kw)
    except ClientError as e:
        if e.response["Error"]["Code"] not in codes.split():
            raise AssertionError(f"wanted {codes}, got {e}") from e
    else:
        raise AssertionError(f"not refused, expected {codes}: {str(got)[:200]}")


def sizes():
    for size in (0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 64 * MIB):
        put(f"size/{size}", data(size))
        equal(hashlib.md5(get(f"size/{size}")).digest(), hashlib.md5(data(size)).digest())
        equal(s3.head_object(Bucket=BUCKET, Key=f"size/{size}")["ContentLength"], size)


def default_checksum():
    equal(put("sum", b"hello")["ChecksumCRC32"], base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode())
    equal(s3.head_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")["ChecksumType"], "FULL_OBJECT")


def algorithm(name):
    def run():
        try:
            answer = put(f"sum/{name}", b"hello" * 1000, ChecksumAlgorithm=name)
        except (MissingDependencyException, FlexibleChecksumError) as e:  # raised before anything is sent
            raise Skip(str(e)[:90])
        field = "Checksum" + name
        equal(s3.head_object(Bucket=BUCKET, Key=f"sum/{name}", ChecksumMode="ENABLED")[field], answer[field])
        equal(get(f"sum/{name}", ChecksumMode="ENABLED"), b"hello" * 1000)
    return run


def wrong_checksum():
    refused("BadDigest", put, "bad", b"hello", ChecksumSHA256=base64.b64encode(hashlib.sha256(b"other").digest()).decode())
    refused("InvalidRequest", put, "bad", b"hello", ChecksumCRC32="not base64")
    refused("BadDigest", put, "bad", b"hello", ContentMD5=base64.b64encode(hashlib.md5(b"other").digest()).decode())
    refused("404", s3.head_object, Bucket=BUCKET, Key="bad")


def streaming_body():
    class Stream(io.RawIOBase):
        """No seek and no length: the SDK sends chunks with a trailer."""
        left = 7 * MIB

        def readable(self):
            return True

        def readinto(self, b):
            n = min(len(b), self.left, 100_001)
            b[:n], self.left = b"z" * n, self.left - n
            return n
    s3.upload_fileobj(io.BufferedReader(Stream()), BUCKET, "stream")
    equal(hashlib.md5(get("stream")).digest(), hashlib.md5(b"z" * 7 * MIB).digest())
    body = s3.get_object(Bucket=BUCKET, Key="stream")["Body"]
    equal(sum(len(c) for c in body.iter_chunks(65536)), 7 * MIB)


def transfer_threads():
    conf = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file(f"{FILES}/{64 * MIB}", BUCKET, "up", Config=conf, ExtraArgs={"ContentType": "text/x", "Metadata": {"a": "ü".encode().hex()}})
    out = io.BytesIO()
    s3.download_fileobj(BUCKET, "up", out, Config=conf)
    equal(hashlib.md5(out.getvalue()).digest(), hashlib.md5(data(64 * MIB)).digest())
    # A copy by parts has the headers that the client asks for, and it asks for none; one in a piece has the source's.
    for key, copying in (("up-copy", conf), ("up-copied", TransferConfig(multipart_threshold=128 * MIB))):
        s3.copy({"Bucket": BUCKET, "Key": "up"}, BUCKET, key, Config=copying)
        equal(hashlib.md5(get(key)).digest(), hashlib.md5(data(64 * MIB)).digest())
    equal(s3.head_object(Bucket=BUCKET, Key="up-copied")["ContentType"], "text/x")


def multipart(algorithm, kind):
    def run():
        body, key = data(64 * MIB)[: 5 * MIB + 3], f"mp/{algorithm}-{kind}"
        up = s3.create_multipart_upload(Bucket=BUCKET, Key=key, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        ref = {"Bucket": BUCKET, "Key": key, "UploadId": up["UploadId"]}
        parts, field = [], "Checksum" + algorithm
        for n, chunk in enumerate((body[: 5 * MIB], body[5 * MIB:]), 1):
            r = s3.upload_part(**ref, PartNumber=n, Body=chunk, ChecksumAlgorithm=algorithm)
            parts.append({"PartNumber": n, "ETag": r["ETag"], field: r[field]})
        equal([p["Size"] for p in s3.list_parts(**ref)["Parts"]], [5 * MIB, 3])
        refused("InvalidPart", s3.complete_multipart_upload, **ref, MultipartUpload={"Parts": [dict(parts[0], ETag='"0"'), parts[1]]})
        done = s3.complete_multipart_upload(**ref, MultipartUpload={"Parts": parts}, ChecksumType=kind)
        sums = hashlib.md5(hashlib.md5(body[: 5 * MIB]).digest() + hashlib.md5(body[5 * MIB:]).digest()).hexdigest()
        equal(done["ETag"], f'"{sums}-2"')
        equal(done[field].endswith("-2"), kind == "COMPOSITE")
        if algorithm == "CRC32" and kind == "FULL_OBJECT":
            equal(done[field], base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode())
        equal(get(key), body)
        equal(get(key, PartNumber=2), body[5 * MIB:])
        attrs = s3.get_object_attributes(Bucket=BUCKET, Key=key, ObjectAttributes=["ObjectParts", "Checksum", "ObjectSize"])
        equal((attrs["ObjectParts"]["TotalPartsCount"], attrs["ObjectSize"]), (2, len(body)))
    return run


def multipart_edges():
    ref = {"Bucket": BUCKET, "Key": "mp/edge"}
    ref["UploadId"] = s3.create_multipart_upload(**ref)["UploadId"]
    small = [{"PartNumber": n, "ETag": s3.upload_part(**ref, PartNumber=n, Body=b"tiny")["ETag"]} for n in (1, 2)]
    refused("EntityTooSmall", s3.complete_multipart_upload, **ref, MultipartUpload={"Parts": small})
    refused("InvalidPartOrder", s3.complete_multipart_upload, **ref, MultipartUpload={"Parts": small[::-1]})
    s3.upload_part_copy(**ref, PartNumber=3, CopySource={"Bucket": BUCKET, "Key": "size/67108864"}, CopySourceRange="bytes=5-5242884")
    listed = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="mp/edge")["Uploads"]
    equal([u["UploadId"] for u in listed], [ref["UploadId"]])
    s3.abort_multipart_upload(**ref)
    refused("NoSuchUpload", s3.upload_part, **ref, PartNumber=1, Body=b"x")


def conditional_writes():
    etag = put("cond", b"1", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", put, "cond", b"2", IfNoneMatch="*")
    refused("PreconditionFailed", put, "cond", b"2", IfMatch='"0"')
    put("cond", b"3", IfMatch=etag)
    equal(get("cond"), b"3")
    won, lost = [], []

    def race(n):
        try:
            put("race", b"%d" % n, IfNoneMatch="*")
            won.append(n)
        except ClientError as e:
            lost.append(e.response["Error"]["Code"])
    threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal((len(won), set(lost) <= {"PreconditionFailed", "ConditionalRequestConflict"}), (1, True))
    equal(get("race"), b"%d" % won[0])


def conditional_reads():
    head = s3.head_object(Bucket=BUCKET, Key="size/1")
    refused("304", get, "size/1", IfNoneMatch=head["ETag"])
    refused("304", get, "size/1", IfModifiedSince=head["LastModified"])
    refused("PreconditionFailed", get, "size/1", IfMatch='"x"')
    equal(len(get("size/1", IfMatch=head["ETag"])), 1)


def conditional_deletes():
    etag = put("condel", b"1")["ETag"]
    refused("PreconditionFailed", s3.delete_object, Bucket=BUCKET, Key="condel", IfMatch='"0"')
    errors = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "condel", "ETag": '"0"'}]}).get("Errors", [])
    equal([e["Code"] for e in errors], ["PreconditionFailed"])
    s3.delete_object(Bucket=BUCKET, Key="condel", IfMatch=etag)
    refused("NoSuchKey", get, "condel")


def ranges():
    body = data(5 * MIB + 1)
    for r, want in (("0-0", body[:1]), ("-5", body[-5:]), ("100-", body[100:]), ("5242880-9999999", body[5242880:])):
        answer = s3.get_object(Bucket=BUCKET, Key="size/5242881", Range="bytes=" + r)
        equal((answer["ResponseMetadata"]["HTTPStatusCode"], answer["Body"].read() == want), (206, True))
    refused("InvalidRange", get, "size/5242881", Range="bytes=6000000-")


def metadata_and_headers():
    put("meta", b"x", ContentType="text/x", CacheControl="max-age=1", ContentDisposition='attachment; filename="a b"', ContentLanguage="de",
        ContentEncoding="gzip", Metadata={"plain": "1", "spaces": "a b  c"}, StorageClass="STANDARD")
    h = s3.head_object(Bucket=BUCKET, Key="meta")
    equal((h["ContentType"], h["CacheControl"], h["ContentDisposition"], h["ContentLanguage"], h["ContentEncoding"]),
          ("text/x", "max-age=1", 'attachment; filename="a b"', "de", "gzip"))
    equal(h["Metadata"], {"plain": "1", "spaces": "a b  c"})
    answer = s3.get_object(Bucket=BUCKET, Key="meta", ResponseContentType="text/y", ResponseContentDisposition="inline")
    equal((answer["ContentType"], answer["ContentDisposition"]), ("text/y", "inline"))


KEYS = ["a", "a/b", "a//b", "a/", "./x", "../x", "/leading", "//", "c" * 1000 + "/d", "k" * 1024, "ünï/日本語 ☃ 😀", "sp ace", "+plus", "%25", "?q=1", "#h",
        "&amp;", "<xml>", "'\"", "\x01ctl\x7f", "tab\t", "nl\n", "back\\slash", "*", "aux", "..", "~", ";:,@!$()"]


def keys():
    """The whole key space, stored as sent, and listed bytewise."""
    bad = []
    for key in KEYS:
        try:
            put(key, key.encode())
            equal(get(key), key.encode())
            s3.head_object(Bucket=BUCKET, Key=key)
        except Exception as e:
            bad.append(f"{key[:20]!r}: {str(e)[:80]}")
    equal(bad, [])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})
    listed = [o["Key"] for p in pages for o in p.get("Contents", [])]
    equal(listed, sorted(listed, key=str.encode))
    equal(set(KEYS) - set(listed), set())
    left = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": k} for k in KEYS if all(c >= " " for c in k)]})
    equal(left.get("Errors", []), [])
    for key in KEYS:  # those that XML can't carry
        s3.delete_object(Bucket=BUCKET, Key=key)
    equal(s3.list_objects_v2(Bucket=BUCKET, Prefix="k" * 1024)["KeyCount"], 0)
    refused("KeyTooLongError", put, "k" * 1025)


def listings():
    for n in range(12):
        put(f"list/{n % 3}/{n:02}")
    put("list/z")
    for op, start in (("list_objects", "Marker"), ("list_objects_v2", "StartAfter"), ("list_object_versions", "KeyMarker")):
        pages = list(s3.get_paginator(op).paginate(Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 2}))
        equal([x["Prefix"] for p in pages for x in p.get("CommonPrefixes", [])], ["list/0/", "list/1/", "list/2/"])
        rest = getattr(s3, op)(Bucket=BUCKET, Prefix="list/", **{start: "list/2/08"})
        equal([o["Key"] for o in rest.get("Contents", rest.get("Versions", []))], ["list/2/11", "list/z"])
    first = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/0/", MaxKeys=2)
    put("list/0/00a")
    rest = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/0/", ContinuationToken=first["NextContinuationToken"])
    equal([o["Key"] for o in rest["Contents"]], ["list/0/06", "list/0/09"] if first["Contents"][-1]["Key"] == "list/0/03" else None)


def versions():
    name = BUCKET + "-v"
    s3.create_bucket(Bucket=name)
    null = s3.put_object(Bucket=name, Key="k", Body=b"null")
    equal("VersionId" in null, False)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=name, Key="k", Body=b"%d" % n)["VersionId"] for n in range(3)]
    marker = s3.delete_object(Bucket=name, Key="k")
    equal(marker["DeleteMarker"], True)
    second = s3.delete_object(Bucket=name, Key="k")
    equal(second["VersionId"] != marker["VersionId"], True)
    refused("NoSuchKey", s3.get_object, Bucket=name, Key="k")
    refused("MethodNotAllowed", s3.get_object, Bucket=name, Key="k", VersionId=marker["VersionId"])
    refused("NoSuchVersion", s3.get_object, Bucket=name, Key="k", VersionId="00000000000000000000000000000000")
    for n, vid in enumerate(ids):
        equal(s3.get_object(Bucket=name, Key="k", VersionId=vid)["Body"].read(), b"%d" % n)
    equal(s3.get_object(Bucket=name, Key="k", VersionId="null")["Body"].read(), b"null")
    page = s3.list_object_versions(Bucket=name)
    equal([v["VersionId"] for v in page["Versions"]], ids[::-1] + ["null"])
    equal([m["VersionId"] for m in page["DeleteMarkers"]], [second["VersionId"], marker["VersionId"]])
    equal([m["IsLatest"] for m in page["DeleteMarkers"]], [True, False])
    s3.copy_object(Bucket=name, Key="k", CopySource={"Bucket": name, "Key": "k", "VersionId": ids[0]})
    equal(s3.get_object(Bucket=name, Key="k")["Body"].read(), b"0")
    s3.put_object_tagging(Bucket=name, Key="k", VersionId=ids[1], Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    equal(s3.get_object_tagging(Bucket=name, Key="k", VersionId=ids[1])["TagSet"], [{"Key": "a", "Value": "b"}])
    equal(s3.get_object_tagging(Bucket=name, Key="k", VersionId=ids[2])["TagSet"], [])
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=name, Key="k", Body=b"again")
    equal(s3.get_object(Bucket=name, Key="k", VersionId="null")["Body"].read(), b"again")
    for n in range(2):
        page = s3.list_object_versions(Bucket=name)
        for v in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=name, Key="k", VersionId=v["VersionId"])
    s3.delete_bucket(Bucket=name)


def tags():
    put("tagged", b"x", Tagging="a=1&b=%C3%BC%20x")
    equal(s3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "ü x"}])
    equal(s3.get_object(Bucket=BUCKET, Key="tagged")["TagCount"], 2)
    refused("InvalidTag", s3.put_object_tagging, Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": "a", "Value": "1"}] * 2})
    refused("BadRequest InvalidTag", s3.put_object_tagging, Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]})


def http(url, method="GET", body=None, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method, headers=headers or {})) as r:
            return r.status, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def presigned():
    url = v4.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "pre signed", "ContentType": "text/x"}, ExpiresIn=60)
    equal(http(url, "PUT", b"hello", {"Content-Type": "text/x"})[0], 200)
    equal(http(url, "PUT", b"hello", {"Content-Type": "text/other"})[0], 403)
    url = v4.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "pre signed", "ResponseContentType": "text/z"}, ExpiresIn=60)
    equal(http(url), (200, b"hello"))
    equal(http(url.replace("pre%20signed", "sum"))[0], 403)
    equal(http(url, "DELETE")[0], 403)
    old = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "pre signed"})
    if "AWSAccessKeyId" in old:
        status, answer = http(old)
        equal((status, b"AWS4-HMAC-SHA256" in answer), (400, True))  # refused, and it says what to use
    equal(http(v4.generate_presigned_url("head_object", Params={"Bucket": BUCKET, "Key": "pre signed"}), "HEAD")[0], 200)


def presigned_post():
    post = v4.generate_presigned_post(BUCKET, "form/${filename}", Fields={"Content-Type": "text/x", "success_action_status": "201"},
                                      Conditions=[["starts-with", "$key", "form/"], {"Content-Type": "text/x"}, {"success_action_status": "201"},
                                                  ["content-length-range", 1, 100]], ExpiresIn=60)

    def send(fields, body):
        edge = "edge7d1"
        form = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
        form += f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="n.txt"\r\nContent-Type: text/x\r\n\r\n'
        return http(post["url"], "POST", form.encode() + body + f"\r\n--{edge}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={edge}"})
    equal(send(post["fields"], b"posted")[0], 201)
    equal(get("form/n.txt"), b"posted")
    equal(send(post["fields"], b"x" * 101)[0], 400)
    equal(send(dict(post["fields"], key="elsewhere"), b"posted")[0], 403)
    equal(send(dict(post["fields"], **{"x-amz-signature": "0" * 64}), b"posted")[0], 403)


def credentials():
    for key, secret, code in ((os.environ["AWS_ACCESS_KEY_ID"], "wrong", "SignatureDoesNotMatch"), ("nobody", "x" * 20, "InvalidAccessKeyId")):
        c = boto3.client("s3", endpoint_url=ENDPOINT, aws_access_key_id=key, aws_secret_access_key=secret)
        refused(code, c.list_buckets)
        refused(code, c.put_object, Bucket=BUCKET, Key="x", Body=b"x")
    refused("NoSuchBucket", s3.list_objects_v2, Bucket=BUCKET + "-none")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=BUCKET)


def rename_and_append():
    if not hasattr(s3, "rename_object") or "WriteOffsetBytes" not in s3.meta.service_model.operation_model("PutObject").input_shape.members:
        raise Skip("this botocore has neither RenameObject nor WriteOffsetBytes")
    put("old/a b+ü", b"hello", Metadata={"k": "v"})
    s3.rename_object(Bucket=BUCKET, Key="new/name", RenameSource="old/a%20b%2B%C3%BC")
    equal(get("new/name"), b"hello")
    equal(s3.head_object(Bucket=BUCKET, Key="new/name")["Metadata"], {"k": "v"})
    refused("NoSuchKey", get, "old/a b+ü")
    put("taken", b"x")
    refused("PreconditionFailed", s3.rename_object, Bucket=BUCKET, Key="taken", RenameSource="new/name", DestinationIfNoneMatch="*")
    equal(put("new/name", b" world", WriteOffsetBytes=5)["Size"], 11)
    refused("InvalidWriteOffset", put, "new/name", b" world", WriteOffsetBytes=5)
    equal(get("new/name", ChecksumMode="ENABLED"), b"hello world")


def clean_up():
    boto3.resource("s3", endpoint_url=ENDPOINT).Bucket(BUCKET).objects.all().delete()
    s3.delete_bucket(Bucket=BUCKET)


class Skip(Exception):
    pass


def check(name, run):
    try:
        run()
        print("ok   boto3", name, flush=True)
        return True
    except Skip as e:
        print(f"skip boto3 {name}: {e}", flush=True)
    except Exception as e:
        traceback.print_exc(file=sys.stdout)
        print(f"FAIL boto3 {name}: {' '.join(str(e).split())[:500] or type(e).__name__}", flush=True)
    return False


def main():
    if not check("create_bucket", lambda: s3.create_bucket(Bucket=BUCKET)):
        return
    check("sizes from 0 to 64 MiB", sizes)
    check("default checksum", default_checksum)
    model = s3.meta.service_model.shape_for("ChecksumAlgorithm").enum
    for name in model:
        check(f"ChecksumAlgorithm {name}", algorithm(name))
    for name, kind in (("CRC32", "FULL_OBJECT"), ("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("SHA1", "COMPOSITE")):
        check(f"multipart {name} {kind}", multipart(name, kind))
    for run in (wrong_checksum, streaming_body, transfer_threads, multipart_edges, conditional_writes, conditional_reads, conditional_deletes, ranges,
                metadata_and_headers, keys, listings, versions, tags, presigned, presigned_post, credentials, rename_and_append, clean_up):
        check(run.__name__.replace("_", " "), run)


main()
