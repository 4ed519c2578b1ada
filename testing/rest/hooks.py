"""What scripts/fuzz-rest adds to schemathesis: a check that a refused request
changes nothing, by looking into the server's books before and after every request.

One request is under way at a time, so that a difference is the request's.
"""

import collections
import hashlib
import itertools
import json
import os
import re
import sqlite3
import sys
import uuid
import zlib

import schemathesis

sys.path.append(os.path.dirname(__file__))
from books import IDS  # noqa: E402

# Whatever tells of money. The journal and its keys are not here: a refusal by the
# rules is recorded there, as it must be.
TABLES = (
    "wallet_account",
    "wallet_account_profile",
    "wallet_currency",
    "wallet_deferred",
    "wallet_entry",
    "wallet_capture",
    "wallet_hold",
    "wallet_hold_reference",
    "wallet_outbox",
    "wallet_reference",
    "wallet_reversal",
    "wallet_transfer",
)
# Where a batch may post.
PATHS = (
    "/v1/accounts",
    "/v1/accounts/{id}/deposits",
    "/v1/accounts/{id}/withdrawals",
    "/v1/accounts/{id}/freeze",
    "/v1/accounts/{id}/unfreeze",
    "/v1/transfers",
    "/v1/transfers/{id}/reverse",
    "/v1/holds",
    "/v1/holds/{id}/capture",
    "/v1/holds/{id}/release",
)
# A hold that ends by itself would change the books between two requests.
SHORTEST_HOLD_SECS = 86_400


class Books:
    """The server's file, read beside it."""

    def __init__(self, path):
        # Each phase has a thread of its own, one after the other.
        self.connection = sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, check_same_thread=False
        )
        self.version = None
        self.content = None

    def look(self):
        """A hash of all that a refused request must not change."""
        version = self.connection.execute("PRAGMA data_version").fetchone()
        if version != self.version:
            content = hashlib.sha256()
            for table in TABLES:
                for row in self.connection.execute(f"SELECT * FROM {table}"):
                    content.update(repr(row).encode())
            self.version, self.content = version, content.digest()
        return self.content


books = Books(os.environ["WALLET_BOOKS"])
before = books.look()
keys = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    global before
    key = (case.headers or {}).get("Idempotency-Key")
    # Under a key that was used before, everything is refused for that alone.
    if isinstance(key, str) and re.fullmatch("[!#-~]{1,255}", key) and next(keys) % 8:
        case.headers["Idempotency-Key"] = f"{key[:200]}-{next(keys)}"
    if isinstance(case.body, (dict, list)):
        case.body = at_home(case.body)
    # What a link gave is at home already.
    if case.meta is None or case.meta.phase.name.value != "stateful":
        for place in (case.path_parameters, case.query):
            for name, value in (place or {}).items():
                place[name] = known(name, value)
    before = books.look()


@schemathesis.check
class RefusedChangesNothing:
    """What is refused, or only tried, leaves the books as they were."""

    def __init__(self):
        self.counts = collections.Counter()

    def after_response(self, ctx, response, case):
        is_same = books.look() == before
        kind = "refused" if is_refused(response) else "accepted"
        if case.meta is not None and case.meta.generation.mode.is_negative:
            kind = f"against the document, {kind}"
        self.counts[kind] += 1
        self.counts["changed the books"] += not is_same
        assert is_same or not is_refused(response), "refused, and the books are others"
        assert is_same or not is_dry_run(case), "only tried, and the books are others"
        # An answered past balance is final: the account keeps up to when.
        is_fenced = "at" in (case.query or {})
        assert is_same or is_fenced or case.method == "POST", "only read, and the books are others"

    def after_run(self, ctx):
        with open(os.environ["WALLET_COUNTS"], "w") as file:
            json.dump(self.counts, file)


def is_refused(response):
    """Whether nothing was done: of a batch, no item."""
    if response.status_code >= 400:
        # Of a batch, some items may have been carried out.
        return b'"answered"' not in response.content
    results = results_of(response)
    return bool(results) and all(result["status"] >= 400 for result in results)


def results_of(response):
    try:
        body = response.json()
    except ValueError:
        return []
    return body.get("results", []) if isinstance(body, dict) else []


def is_dry_run(case):
    return (case.query or {}).get("dry_run") in (True, "true")


def at_home(value):
    """The same with more that the books know: what no document says, and without
    which nearly everything is refused for the same few reasons."""
    if isinstance(value, list):
        return [at_home(item) for item in value]
    if isinstance(value, dict):
        return {name: known(name, at_home(item)) for name, item in value.items()} | new(value)
    return value


def new(body):
    """The id that the caller gives to what it makes: mostly one that is free."""
    given = body.get("id")
    if not isinstance(given, str) or not is_uuid(given) or next(keys) % 8 == 0:
        return {"id": given} if "id" in body else {}
    return {"id": str(uuid.UUID(int=next(keys), version=4))}


def known(name, value):
    """A value that fits the document, or one of its kind that leads further."""
    if name == "expires_in_secs" and type(value) is int and 0 < value < SHORTEST_HOLD_SECS:
        return value + SHORTEST_HOLD_SECS
    if not isinstance(value, str):
        return value
    chance = zlib.crc32(value.encode(errors="replace"))
    if name == "currency" and re.fullmatch("[A-Z][A-Z0-9_]{1,11}", value):
        return value if chance % 8 == 0 else "EUR"
    if name == "amount" and re.fullmatch(r"0*[1-9][0-9]*(\.[0-9]+)?", value):
        return value if chance % 4 == 0 else f"{chance % 50}.{chance % 90 + 10}"
    if name == "path" and chance % 8:
        path = PATHS[chance % len(PATHS)]
        return path.format(id=IDS[chance // 7 % len(IDS)])
    if name in ("id", "from", "to", "account") and is_uuid(value):
        return value if chance % 8 == 0 else IDS[chance % len(IDS)]
    return value


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
