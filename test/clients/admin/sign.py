"""Requests signed with Signature V4, by the standard library alone: what a probe needs of an S3 client."""

import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Answer:
    """What came back: status, code (of an error's body, or of the header that says it for HEAD) and body."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        found = re.search(rb'<Code>(\w+)</Code>|"Code":\s*"(\w+)"', body)
        self.code = (found.group(1) or found.group(2)).decode() if status >= 300 and found else headers.get("x-minio-error-code", "")


def request(url, method, path, access, secret, body=b"", headers=None, region="us-east-1"):
    """Makes one signed request; path may have a query. Without access the request is anonymous."""
    host = urllib.parse.urlsplit(url).netloc
    path, _, query = path.partition("?")
    path = urllib.parse.quote(path, safe="/-._~")
    query = "&".join(sorted("%s=%s" % (urllib.parse.quote(k, safe="-._~"), urllib.parse.quote(v, safe="-._~"))
                            for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True)))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    sha = hashlib.sha256(body).hexdigest()
    sent = {"host": host, "x-amz-date": now, "x-amz-content-sha256": sha}
    sent.update({k.lower(): v for k, v in (headers or {}).items()})
    if access:
        names = ";".join(sorted(sent))
        lines = "".join("%s:%s\n" % (k, sent[k].strip()) for k in sorted(sent))
        scope = "%s/%s/s3/aws4_request" % (now[:8], region)
        canonical = "\n".join([method, path, query, lines, names, sha])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in (now[:8], region, "s3", "aws4_request"):
            key = _hmac(key, part)
        sent["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            access, scope, names, hmac.new(key, text.encode(), hashlib.sha256).hexdigest())
    conn = http.client.HTTPConnection(host, timeout=30)
    try:
        conn.request(method, path + ("?" + query if query else ""), body=body or None, headers=sent)
        r = conn.getresponse()
        return Answer(r.status, r.headers, r.read())
    finally:
        conn.close()
