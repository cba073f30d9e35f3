"""hook.py PORT FILE: a webhook that writes what it gets into FILE, one line of JSON for each request."""
import http.server
import json
import sys


class Hook(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(sys.argv[2], "a", encoding="utf-8") as out:
            out.write(json.dumps({"authorization": self.headers.get("Authorization"), "type": self.headers.get("Content-Type"), "body": json.loads(body)}) + "\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
