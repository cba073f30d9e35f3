"""config.py SAMPLE ENDPOINT CA   prints the suite's sample configuration with our endpoint and the users s3tests-{main,alt,tenant}, roots of accounts.

Who a user is (the owner id and display name that S3 answers with) is asked of the server, since each server has its own form.
"""
import configparser
import sys
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

sample, endpoint, ca = sys.argv[1:]
cfg = configparser.RawConfigParser()
cfg.read(sample)
url = urlsplit(endpoint)
cfg["DEFAULT"].update(host=url.hostname, port=str(url.port), is_secure="True", ssl_verify="False")  # the clients of the suite know no CA of ours

for name in ("main", "alt", "tenant"):
    key, secret = f"s3tests-{name}", f"s3tests-{name}-secret"
    s3 = boto3.client("s3", endpoint_url=endpoint, verify=ca, aws_access_key_id=key, aws_secret_access_key=secret)
    owner = s3.list_buckets().get("Owner", {})
    cfg[f"s3 {name}"].update(
        access_key=key,
        secret_key=secret,
        user_id=owner.get("ID") or key,
        display_name=owner.get("DisplayName") or key,
        email=f"{name}@example.com",
        api_name="",  # the location constraint of the default region, which has none
    )
cfg["s3 main"]["lc_debug_interval"] = "10"
# the IAM and STS tests are not run; these only have to be there, and to be valid for the clean-up calls
for section in ("iam", "iam root", "iam alt root"):
    cfg[section].update(access_key="s3tests-main", secret_key="s3tests-main-secret")
cfg.remove_section("webidentity")
cfg.write(sys.stdout)
