"""The runbook's chapters, carried out: the commands as README.md prints them, and around them what makes them needed."""

import base64
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from emulator import aws, wait_for

ORGANISER = "5567044268"
ENDED = {"succeeded", "succeededWithWarnings", "completedWithErrors", "failed", "cancelled"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """An OpenID issuer with one RSA key: its configuration, its keys, and tokens signed with RS256."""

    def __init__(self):
        self.key, self.kid = rsa.generate_private_key(public_exponent=65537, key_size=2048), uuid.uuid4().hex
        numbers = self.key.public_key().public_numbers()
        number = lambda it: base64url(it.to_bytes((it.bit_length() + 7) // 8, "big"))  # noqa: E731
        keys = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                          "n": number(numbers.n), "e": number(numbers.e)}]}
        pages = {}

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = pages.get(self.path)
                self.send_response(200 if page else 404)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(page).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        pages["/.well-known/openid-configuration"] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        pages["/keys"] = keys

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def token(self, organisation, scope="sends:write history:read history:personal", audience="stafett"):
        now = int(time.time())
        claims = {"iss": self.url, "aud": audience, "sub": str(uuid.uuid4()), "iat": now, "exp": now + 3600,
                  "organisation_number": organisation, "scope": scope}
        header = {"alg": "RS256", "typ": "JWT", "kid": self.kid}
        signed = ".".join(base64url(json.dumps(it).encode()) for it in (header, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"


class StandIn:
    """The simulator of Skolverket, with Skolverket's own limits."""

    def __init__(self, program):
        self.program = Path(program)

    def __enter__(self):
        self.process = subprocess.Popen([self.program], stdout=subprocess.PIPE, text=True)
        self.urls = [self.process.stdout.readline().split()[-1] for _ in range(3)]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def parameters(self):
        provisioning, token, open_data = self.urls
        return {"SkolverketUrl": provisioning, "SkolverketLocation": provisioning, "TokenUrl": token,
                "OpenDataUrl": open_data}


class Runbook:
    """README.md's commands."""

    def __init__(self, root, stack, say):
        self.root, self.stack, self.say = root, stack, say
        text = (root / "infra/aws/README.md").read_text(encoding="utf-8").split("\n## Runbook\n", 1)[1]
        parts = re.split(r"^### (.+)$", text.split("\n## ", 1)[0], flags=re.MULTILINE)
        blocks = lambda part: [re.sub(r"^ {3}", "", it, flags=re.MULTILINE)  # noqa: E731
                               for it in re.findall(r"^ *```sh\n(.*?)^ *```$", part, re.MULTILINE | re.DOTALL)]
        # What the runbook begins with are the names that its commands use.
        [self.names] = blocks(parts[0])
        self.chapters = {name: blocks(part) for name, part in zip(parts[1::2], parts[2::2])}

    def run(self, chapter, *which, **values):
        """Runs a chapter's blocks, or those of these numbers, in one shell; gives what they printed."""
        self.say(chapter)
        blocks = self.chapters[chapter]
        script = "".join(blocks[at] for at in which or range(len(blocks)))
        print("".join(f"   $ {line}\n" for line in script.splitlines()), end="", flush=True)
        environment = {**os.environ, "STACK": self.stack, **values}
        whole = f"set -euo pipefail\n{self.names}\n{script}"
        done = subprocess.run(["bash", "-c", whole], cwd=self.root, env=environment, stdout=subprocess.PIPE, text=True)
        print("".join(f"   {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
        if done.returncode:
            raise SystemExit(f"{chapter}: ended with {done.returncode}")
        return done.stdout


class Api:
    """The API as a frontend calls it."""

    def __init__(self, stack, issuer, organisation=ORGANISER):
        self.url = output(stack, "ApiUrl")
        self.token = issuer.token(organisation)

    def call(self, method, path, body=None, token=None):
        # The emulator tells APIs apart by the host's name, which not every resolver knows.
        url = urllib.parse.urlsplit(self.url)
        request = urllib.request.Request(f"http://127.0.0.1:{url.port}{path}", method=method, headers={
            "host": url.netloc, "authorization": f"Bearer {token or self.token}", "content-type": "application/json",
            "idempotency-key": str(uuid.uuid4())})
        request.data = body
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode(errors="replace")

    def send(self, body):
        status, answer = self.call("POST", "/v1/sends", body)
        expect(status == 202, f"a send was answered {status}: {answer}")
        return answer["id"]

    def status(self, send):
        status, answer = self.call("GET", f"/v1/sends/{send}")
        return answer["status"] if status == 200 else f"answered {status}"

    def ended(self, send, seconds=180):
        """Waits for a send's end; gives its status."""
        wait_for(lambda: self.status(send) in ENDED, seconds, f"{send} does not end: {self.status(send)}")
        return self.status(send)


def output(stack, name):
    outputs = aws("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]["Outputs"]
    return next(it["OutputValue"] for it in outputs if it["OutputKey"] == name)


def expect(holds, failure):
    if not holds:
        raise SystemExit(failure)


def rehearse(root, stack, issuer, say):
    """All of it, in the order in which one thing needs another."""
    runbook, api = Runbook(root, stack, say), Api(stack, issuer)
    body = (root / "tests/fixtures/prov-biologi.json").read_bytes()
    settings = root / f"{ORGANISER}.json"
    expect(not settings.exists(), f"{settings} is in the way")
    settings.write_text(json.dumps({"entityId": f"https://{ORGANISER}.example.se"}), encoding="utf-8")
    try:
        runbook.run("Add an organiser", 0, N=ORGANISER)
    finally:
        settings.unlink()

    say("tokens: of the issuer, none, another audience's, another key's")
    statuses = [api.call("GET", "/v1/sends", token=token)[0] for token in (
        api.token, "none", issuer.token(ORGANISER, audience="another"), Issuer().token(ORGANISER))]
    print(f"   {statuses}")
    expect(statuses == [200, 401, 401, 401], "not as an authorizer answers")

    say("a send")
    first = api.send(body)
    expect(api.ended(first) == "succeeded", f"it ended {api.status(first)}")
    _, rows = api.call("GET", f"/v1/sends/{first}/jobs/users/records?limit=2")
    print(f"   {first} {api.status(first)}, first rows {[row['outcome'] for row in rows['items']]}")

    runbook.run("Pause all sending", 0)
    waits = api.send(body)
    dead_letter(stack)
    expect(api.status(waits) == "queued", f"while sending is paused: {api.status(waits)}")
    print(f"   {waits} {api.status(waits)}; its first message lies in the dead-letter queue")
    replayed = runbook.run("Look at a dead letter, and replay it", URL=output(stack, "UsersDeadLettersUrl"))
    expect(waits in replayed and "1 messages went back, 0 stay" in replayed, "nothing was replayed")
    runbook.run("Pause all sending", 1)
    expect(api.ended(waits) == "succeeded", f"it ended {api.status(waits)}")
    print(f"   {waits} {api.status(waits)}")
    stop(runbook, api, body)
    restore(runbook, api, body)

    written = keys(output(stack, "TableName"))
    unknown = {kind(*key) for key in written} - {it.stem for it in (root / "shared/history/fixtures/items").glob("*.json")}
    expect(not unknown, f"there is no fixture of the items {unknown}")
    erase(runbook, api, stack)


def erase(runbook, api, stack):
    """An organiser leaves: nothing of it stays, and a second look finds that."""
    said = runbook.run("Erase an organiser", N=ORGANISER)
    left = [key for key in keys(output(stack, "TableName")) if ORGANISER in "".join(key)]
    expect(left == [], f"after the erasing there is {left}")
    said += runbook.run("Erase an organiser", -1, N=ORGANISER)
    first, second = [int(count) for count in re.findall(rf"^(\d+) items of {ORGANISER} erased$", said, re.MULTILINE)]
    expect(first > 0 and second == 0, f"{first} items were erased, and then {second}")
    _, left = api.call("GET", "/v1/sends")
    expect(left["items"] == [], f"after the erasing there is {left}")


def keys(table):
    """The keys of all items of a table."""
    items = aws("dynamodb", "scan", "--table-name", table, "--projection-expression", "pk, sk", "--consistent-read")["Items"]
    return [(item["pk"]["S"], item["sk"]["S"]) for item in items]


def kind(pk, sk):
    """The words of a key, by which the fixtures are named: see shared/history/src/tests/fixtures.rs."""
    words = []
    for key in (pk, sk.split("~")[0]):
        before = ""
        for word in key.split("#"):
            if re.fullmatch("[A-Za-z]+", word) and before not in ("authorization", "idem", "limiter"):
                words.append(word)
            before = word
    return ".".join(words)


def dead_letter(stack):
    """Lets the users stage's first message fail as often as it may: received, and never removed."""
    url = output(stack, "UsersQueueUrl")
    dead = output(stack, "UsersDeadLettersUrl")

    def lies_there():
        aws("sqs", "receive-message", "--queue-url", url, "--visibility-timeout", "0")
        attributes = aws("sqs", "get-queue-attributes", "--queue-url", dead, "--attribute-names", "All")
        return attributes["Attributes"]["ApproximateNumberOfMessages"] == "1"

    wait_for(lies_there, 30, "the message does not go to the dead-letter queue")


def is_complete(said):
    """Whether the watchdog says that an order was carried out whole, however it spaces its answer."""
    return '"complete":true' in re.sub(r"\s", "", said)


def stop(runbook, api, body):
    """An operator stops a send that waits for its first step."""
    runbook.run("Pause all sending", 0)
    send = api.send(body)
    said = runbook.run("Stop sends", N=ORGANISER, SEND=send)
    expect(send in said and is_complete(said), "the order was not carried out")
    runbook.run("Pause all sending", 1)
    status = api.ended(send)
    print(f"   {send} {status}")
    expect(status == "failed", "what an operator stopped went on")


def restore(runbook, api, body):
    """A restore while a send waits: what it would send may be old, so that it must not go on. The emulator restores what
    is there now, whatever second is said."""
    runbook.run("Pause all sending", 0)
    waits = api.send(body)
    said = runbook.run("Restore", AT=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    expect(waits in said and is_complete(said), "what waited at that second was not stopped")
    status = api.ended(waits)
    print(f"   {waits} {status}")
    expect(status == "failed", "what waited at that second went on")
    after = api.send(body)
    expect(api.ended(after) == "succeeded", f"after the restore: {api.status(after)}")
    print(f"   {after} {api.status(after)}")
