"""Receives a webhook and verifies its signature (Standard Webhooks). Needs python3 alone.

    SECRET=whsec_… python3 receive.py 9000
"""

import base64, hashlib, hmac, http.server, json, os, sys, time

KEY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))


def is_signed(headers, body):
    sent, signatures = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
    if not sent.isdigit() or abs(time.time() - int(sent)) > 300:
        return False  # An old message, played again by somebody else.
    signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    own = "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(own, given) for given in signatures)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = is_signed(self.headers, body)
        if signed:
            event = json.loads(body)  # May come twice: keep webhook-id, or the number in event["id"].
            print(event["id"], event["type"], event["subject"], flush=True)
        self.send_response(204 if signed else 401)
        self.end_headers()


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
