"""Books to ask about: accounts, transfers and holds of the first three ids, each kind
on its own; nothing has the last one."""

import json
import sys
import urllib.request

IDS = [f"01890000-0000-7000-8000-00000000000{number}" for number in range(1, 5)]


def post(address, path, body):
    request = urllib.request.Request(
        f"http://{address}/v1/{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Idempotency-Key": f"set-up-{path}-{body['id']}"},
    )
    urllib.request.urlopen(request).close()


def set_up(address):
    ada, bob, eve = IDS[:3]
    for owner, id, policy in [
        ("ada", ada, "unlimited"),
        ("bob", bob, {"overdraft": "1000.00"}),
        ("eve", eve, "non_negative"),
    ]:
        account = {"owner": owner, "currency": "EUR", "policy": policy, "id": id}
        post(address, "accounts", account)
    for id, to, amount in [(ada, bob, "70.00"), (bob, eve, "30.50"), (eve, bob, "0.01")]:
        moved = {"from": ada, "to": to, "amount": amount, "currency": "EUR", "id": id}
        post(address, "transfers", moved)
        post(address, "holds", moved)


if __name__ == "__main__":
    set_up(sys.argv[1])
