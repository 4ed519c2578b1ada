"""Under one idempotency key money moves at most as its first body says, whatever
else is sent under it: random bodies of every form, several to a key.

    one_key.py ADDRESS ROUNDS SEED
"""

import json
import random
import sys
import urllib.error
import urllib.request
import uuid


class Client:
    def __init__(self, address):
        self.address = address

    def send(self, method, path, key=None, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"http://{self.address}/v1/{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def open(self, amount):
        account = str(uuid.uuid4())
        body = {"owner": "one-key", "currency": "EUR", "id": account}
        assert self.send("POST", "accounts", f"open-{account}", body)[0] == 201
        if amount:
            money = {"amount": f"{amount}.00"}
            path = f"accounts/{account}/deposits"
            assert self.send("POST", path, f"fund-{account}", money)[0] == 201
        return account

    def posted(self, account):
        status, body = self.send("GET", f"accounts/{account}/balance")
        assert status == 200, body
        return json.loads(body)["posted"]


class Body:
    """A path, what is posted there, and the sum that it moves."""

    def __init__(self, path, body, amount):
        self.path, self.body, self.amount = path, body, amount

    def __eq__(self, other):
        return (self.path, self.body) == (other.path, other.body)

    def __repr__(self):
        return f"{self.path} {json.dumps(self.body)}"


def draw(chance, payer, payee):
    amounts = [chance.randint(1, 9) for _ in range(chance.randint(1, 3))]

    def pay(amount):
        return {"from": payer, "to": payee, "amount": f"{amount}.00", "currency": "EUR"}

    if len(amounts) == 1 and chance.random() < 0.4:
        return Body("transfers", pay(amounts[0]), amounts[0])
    requests = [{"path": "/v1/transfers", "body": pay(amount)} for amount in amounts]
    body = {"atomic": chance.random() < 0.4, "requests": requests}
    return Body("batches", body, sum(amounts))


def vary(chance, body):
    """Another body that has much in common with this one."""
    requests = body.body.get("requests")
    if requests is None:
        whole = {"atomic": chance.random() < 0.5, "requests": [one(body)]}
        return Body("batches", whole, body.amount)
    requests = list(requests)
    change = chance.randrange(4)
    if change == 0:
        requests.insert(chance.randrange(len(requests) + 1), chance.choice(requests))
    elif change == 1:
        requests.reverse()
    elif change == 2 and len(requests) > 1:
        requests.pop(chance.randrange(len(requests)))
    else:
        return Body("batches", {**body.body, "atomic": not body.body["atomic"]}, body.amount)
    return Body("batches", {**body.body, "requests": requests}, None)


def one(body):
    return {"path": "/v1/transfers", "body": body.body}


def round_of(client, chance, number):
    payer, payee = client.open(1_000), client.open(0)
    key = f"one-key-{number}-{chance.random()}"
    first = draw(chance, payer, payee)
    is_cancelled = chance.random() < 0.2
    if is_cancelled:
        assert client.send("POST", f"outcomes/{key}/cancel")[0] == 200
    status, answer = client.send("POST", first.path, key, first.body)
    if is_cancelled:
        assert status == 409, (first, answer)
        assert json.loads(answer)["code"] == "cancelled", answer
        expected = "0.00"
    else:
        assert status in (200, 201), (first, answer)
        expected = f"{first.amount}.00"
    assert client.posted(payee) == expected, first
    for _ in range(6):
        other = chance.choice([first, draw(chance, payer, payee), vary(chance, first)])
        status, found = client.send("POST", other.path, key, other.body)
        if other == first or is_cancelled:
            assert found == answer, (first, answer, found)
        else:
            assert status == 422, (first, other, found)
            assert json.loads(found)["code"] == "idempotency_mismatch", found
        assert client.posted(payee) == expected, (first, other)


def main(address, rounds, seed):
    chance = random.Random(seed)
    for number in range(rounds):
        round_of(Client(address), chance, number)
    print(f"one key, one body: {rounds} keys with seven bodies each")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
