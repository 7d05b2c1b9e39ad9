"""Runs scenario.txt by kazoo: each line of the standard input without its outcome, and behind it what kazoo gives."""

import queue
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, RolledBackError, RuntimeInconsistency
from kazoo.security import ACL, Id

NAMES = {
    "NoNodeError": "NO_NODE",
    "NodeExistsError": "NODE_EXISTS",
    "BadVersionError": "BAD_VERSION",
    "NotEmptyError": "NOT_EMPTY",
    "NoAuthError": "NO_AUTH",
    "InvalidACLError": "INVALID_ACL",
    "NoChildrenForEphemeralsError": "NO_CHILDREN_FOR_EPHEMERALS",
}
EVENTS = {"CREATED": "created", "DELETED": "deleted", "CHANGED": "changed", "CHILD": "children"}


def acl_of(word):
    perms, scheme, id_ = word.split(":", 2)
    return [ACL(int(perms), Id(scheme, id_))]


def data_of(word):
    return b"" if word == '""' else word.encode()


class Session:
    def __init__(self, servers):
        self.events = queue.Queue()
        self.client = KazooClient(hosts=servers, timeout=10.0)
        self.client.start(timeout=10)

    def watch(self, words):
        return self.on_event if words[1:] == ("watch",) else None

    def on_event(self, event):
        self.events.put("%s %s" % (EVENTS[event.type], event.path))

    def create(self, path, data, mode, acl=None):
        options = {"ephemeral": mode.startswith("ephemeral"), "sequence": mode.endswith("sequential")}
        return self.client.create(path, data_of(data), acl=acl and acl_of(acl), **options)

    def get(self, *words):
        data, stat = self.client.get(words[0], watch=self.watch(words))
        return "%s %d" % (data.decode(), stat.version)

    def set(self, path, data, version):
        return self.client.set(path, data_of(data), version=int(version)).version

    def delete(self, path, version):
        self.client.delete(path, version=int(version))
        return "ok"

    def exists(self, *words):
        stat = self.client.exists(words[0], watch=self.watch(words))
        return "NO_NODE" if stat is None else stat.version

    def children(self, *words):
        return " ".join(sorted(self.client.get_children(words[0], watch=self.watch(words)))) or "-"

    def acl(self, path):
        acl = self.client.get_acls(path)[0][0]
        return "%d:%s:%s" % (acl.perms, acl.id.scheme, acl.id.id)

    def setacl(self, path, acl, version):
        return self.client.set_acls(path, acl_of(acl), version=int(version)).aversion

    def auth(self, scheme, proof):
        self.client.add_auth(scheme, proof)
        return "ok"

    def sync(self, path):
        self.client.sync(path)
        return "ok"

    def multi(self, *words):
        transaction = self.client.transaction()
        for word in words:
            op, path, *rest = word.split(":")
            if op == "create":
                transaction.create(path, rest[0].encode())
            elif op == "set":
                transaction.set_data(path, rest[0].encode(), version=int(rest[1]))
            elif op == "delete":
                transaction.delete(path, version=int(rest[0]))
            else:
                transaction.check(path, int(rest[0]))
        for result in transaction.commit():
            if isinstance(result, Exception) and not isinstance(result, (RolledBackError, RuntimeInconsistency)):
                raise result
        return "ok"

    def event(self):
        try:
            return self.events.get(timeout=10)
        except queue.Empty:
            return "nothing"

    def close(self):
        self.client.stop()
        self.client.close()
        return "ok"


sessions = {}
for line in sys.stdin:
    step = line.split(" -> ")[0]
    name, command, *words = [word for word in step.split(" ") if not word.startswith("[")]
    if name not in sessions:
        sessions[name] = Session(sys.argv[1])
    try:
        outcome = getattr(sessions[name], command)(*words)
    except KazooException as error:
        outcome = NAMES.get(type(error).__name__, repr(error))
    print(step, "->", outcome, flush=True)
