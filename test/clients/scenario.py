"""What kazoo, the client of Python, is used for: nodes, watches, transactions and its lock. Prints one line a step."""

import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError

first, second = (KazooClient(hosts=sys.argv[1], timeout=4.0) for _ in range(2))
for client in (first, second):
    client.start(timeout=10)

print("create", first.create("/py", b"one"))
try:
    first.create("/py")
except NodeExistsError:
    print("create again NodeExistsError")
print("sequence", first.create("/py/n-", sequence=True), first.create("/py/n-", sequence=True))
data, stat = second.get("/py")
print("get", data.decode(), stat.version, stat.numChildren)
try:
    second.set("/py", b"two", version=7)
except BadVersionError:
    print("set BadVersionError")

changed = threading.Event()
second.get("/py", watch=lambda event: (print("watch", event.type, event.path), changed.set()))
first.set("/py", b"two")
changed.wait(10)

transaction = first.transaction()
transaction.check("/py", 1)
transaction.create("/py/t", b"t")
transaction.set_data("/py", b"three")
created, path, stat = transaction.commit()
print("transaction", created, path, stat.version)
transaction = first.transaction()
transaction.delete("/py/t")
transaction.delete("/py/none")
print("transaction", [type(result).__name__ for result in transaction.commit()])

held = []
lock = second.Lock("/py/lock", "second")
with first.Lock("/py/lock", "first"):
    waiter = threading.Thread(target=lambda: (lock.acquire(), held.append("second"), lock.release()))
    waiter.start()
    print("lock", first.Lock("/py/lock").contenders()[0], held)
waiter.join(10)
print("lock", held)

first.delete("/py", recursive=True)
try:
    second.get("/py")
except NoNodeError:
    print("get NoNodeError")
for client in (first, second):
    client.stop()
    client.close()
