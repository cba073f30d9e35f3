"""pytest plugin for ceph/s3-tests: makes the tests independent of each other, so that they can run in parallel and in any order.

Each pytest-xdist worker gets a configuration, and so a server, of its own: DIR/gw0.conf, DIR/gw1.conf, ... ; main.conf without
xdist. Each test gets a bucket prefix of its own: the suite empties all buckets of its prefix before and after each test, and a
bucket that one test leaves behind (one with a legal hold, say) would fail all that come after it.
"""
import os


def pytest_configure(config):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ["S3TEST_CONF"] = os.path.join(os.environ["S3TESTS_CONF_DIR"], worker + ".conf")


def pytest_fixture_setup(fixturedef, request):
    if fixturedef.argname == "setup_teardown":
        import s3tests.functional as suite
        suite.prefix = suite.choose_bucket_prefix(template="test-{random}-")
