"""The lock of kazoo, the client of Python, between two sessions. Prints one line a step."""

import sys
import threading

from kazoo.client import KazooClient

first, second = (KazooClient(hosts=sys.argv[1], timeout=4.0) for _ in range(2))
for client in (first, second):
    client.start(timeout=10)
held = []
lock = second.Lock("/py/lock", "second")
with first.Lock("/py/lock", "first"):
    waiter = threading.Thread(target=lambda: (lock.acquire(), held.append("second"), lock.release()))
    waiter.start()
    print("lock", first.Lock("/py/lock").contenders()[0], held)
waiter.join(10)
print("lock", held)
for client in (first, second):
    client.stop()
    client.close()
