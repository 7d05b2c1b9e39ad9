/* Runs scenario.txt by ZooKeeper's C library: each line of the standard input without its outcome, and behind it what the library gives. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

#define WORDS_MAX 16
#define BYTES_MAX 1024
#define EVENT_TRIES 10000

struct session {
  zhandle_t *zh;
  char events[64][BYTES_MAX];
  volatile int connected, synced, written, read;
};

static struct session sessions[26];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct { int code; const char *name; } errors[] = {
  {ZNONODE, "NO_NODE"}, {ZNODEEXISTS, "NODE_EXISTS"}, {ZBADVERSION, "BAD_VERSION"}, {ZNOTEMPTY, "NOT_EMPTY"},
  {ZNOAUTH, "NO_AUTH"}, {ZINVALIDACL, "INVALID_ACL"}, {ZNOCHILDRENFOREPHEMERALS, "NO_CHILDREN_FOR_EPHEMERALS"}, {ZOK, "ok"},
};

static const char *name_of(int code) {
  static char other[32];
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) if (errors[i].code == code) return errors[i].name;
  snprintf(other, sizeof other, "error %d", code);
  return other;
}

static void watcher(zhandle_t *zh, int type, int state, const char *path, void *context) {
  struct session *session = context;
  (void)zh;
  if (type == ZOO_SESSION_EVENT) {
    if (state == ZOO_CONNECTED_STATE) session->connected = 1;
    return;
  }
  const char *what = type == ZOO_CREATED_EVENT ? "created" : type == ZOO_DELETED_EVENT ? "deleted"
    : type == ZOO_CHANGED_EVENT ? "changed" : type == ZOO_CHILD_EVENT ? "children" : "unknown";
  pthread_mutex_lock(&lock);
  snprintf(session->events[session->written % 64], BYTES_MAX, "%s %s", what, path);
  session->written++;
  pthread_mutex_unlock(&lock);
}

static void on_synced(int rc, const char *value, const void *context) {
  (void)rc; (void)value;
  ((struct session *)context)->synced = 1;
}

/* Waits until the library's thread has set it, for 10 s at most. */
static int wait_for(volatile int *value, int least) {
  for (int i = 0; i < EVENT_TRIES && *value < least; i++) usleep(1000);
  return *value >= least;
}

static const char *data_of(const char *word) { return strcmp(word, "\"\"") == 0 ? "" : word; }

static int mode_of(const char *word) {
  if (strcmp(word, "persistent") == 0) return ZOO_PERSISTENT;
  if (strcmp(word, "ephemeral") == 0) return ZOO_EPHEMERAL;
  if (strcmp(word, "persistent_sequential") == 0) return ZOO_PERSISTENT_SEQUENTIAL;
  if (strcmp(word, "ephemeral_sequential") == 0) return ZOO_EPHEMERAL_SEQUENTIAL;
  if (strcmp(word, "container") == 0) return ZOO_CONTAINER;
  return ZOO_PERSISTENT_WITH_TTL;
}

/* PERMS:SCHEME:ID, whose id may hold colons. */
static struct ACL_vector acl_of(char *word, struct ACL *acl) {
  acl->perms = atoi(word);
  acl->id.scheme = strchr(word, ':') + 1;
  acl->id.id = strchr(acl->id.scheme, ':') + 1;
  acl->id.id[-1] = '\0';
  return (struct ACL_vector){1, acl};
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void print_children(struct String_vector *names) {
  qsort(names->data, names->count, sizeof *names->data, compare);
  if (names->count == 0) printf("-");
  for (int i = 0; i < names->count; i++) printf("%s%s", i == 0 ? "" : " ", names->data[i]);
  puts("");
}

static int multi(zhandle_t *zh, char **words, int count) {
  static char paths[WORDS_MAX][BYTES_MAX];
  static struct Stat stats[WORDS_MAX];
  zoo_op_t ops[WORDS_MAX];
  zoo_op_result_t results[WORDS_MAX];
  for (int i = 0; i < count; i++) {
    char *rest, *kind = strtok_r(words[i], ":", &rest), *path = strtok_r(NULL, ":", &rest), *third = strtok_r(NULL, ":", &rest);
    if (strcmp(kind, "create") == 0)
      zoo_create_op_init(&ops[i], path, third, strlen(third), &ZOO_OPEN_ACL_UNSAFE, 0, paths[i], BYTES_MAX);
    else if (strcmp(kind, "set") == 0)
      zoo_set_op_init(&ops[i], path, third, strlen(third), atoi(strtok_r(NULL, ":", &rest)), &stats[i]);
    else if (strcmp(kind, "delete") == 0)
      zoo_delete_op_init(&ops[i], path, atoi(third));
    else
      zoo_check_op_init(&ops[i], path, atoi(third));
  }
  return zoo_multi(zh, count, ops, results);
}

static void step(struct session *session, char **words, int count, const char *servers) {
  const char *command = words[0];
  char *path = words[1];
  char bytes[BYTES_MAX];
  int length = sizeof bytes, rc;
  struct Stat stat;
  struct ACL acl;
  struct ACL_vector acls;
  struct String_vector names;
  watcher_fn watch = count > 2 && strcmp(words[2], "watch") == 0 ? watcher : NULL;
  if (session->zh == NULL) {
    session->zh = zookeeper_init(servers, watcher, 10000, 0, session, 0);
    if (session->zh == NULL || !wait_for(&session->connected, 1)) exit(1);
  }
  zhandle_t *zh = session->zh;
  if (strcmp(command, "create") == 0) {
    acls = count > 4 ? acl_of(words[4], &acl) : ZOO_OPEN_ACL_UNSAFE;
    int mode = mode_of(words[3]);
    const char *data = data_of(words[2]);
    rc = mode == ZOO_PERSISTENT_WITH_TTL ? zoo_create_ttl(zh, path, data, strlen(data), &acls, mode, 60000, bytes, sizeof bytes)
                                         : zoo_create(zh, path, data, strlen(data), &acls, mode, bytes, sizeof bytes);
    puts(rc == ZOK ? bytes : name_of(rc));
  } else if (strcmp(command, "get") == 0) {
    rc = zoo_wget(zh, path, watch, session, bytes, &length, &stat);
    if (rc == ZOK) printf("%.*s %d\n", length, bytes, stat.version);
    else puts(name_of(rc));
  } else if (strcmp(command, "set") == 0) {
    rc = zoo_set2(zh, path, data_of(words[2]), strlen(data_of(words[2])), atoi(words[3]), &stat);
    if (rc == ZOK) printf("%d\n", stat.version);
    else puts(name_of(rc));
  } else if (strcmp(command, "delete") == 0) {
    puts(name_of(zoo_delete(zh, path, atoi(words[2]))));
  } else if (strcmp(command, "exists") == 0) {
    rc = zoo_wexists(zh, path, watch, session, &stat);
    if (rc == ZOK) printf("%d\n", stat.version);
    else puts(name_of(rc));
  } else if (strcmp(command, "children") == 0) {
    rc = zoo_wget_children(zh, path, watch, session, &names);
    if (rc == ZOK) print_children(&names);
    else puts(name_of(rc));
  } else if (strcmp(command, "acl") == 0) {
    rc = zoo_get_acl(zh, path, &acls, &stat);
    if (rc == ZOK) printf("%d:%s:%s\n", acls.data[0].perms, acls.data[0].id.scheme, acls.data[0].id.id);
    else puts(name_of(rc));
  } else if (strcmp(command, "setacl") == 0) {
    acls = acl_of(words[2], &acl);
    rc = zoo_set_acl(zh, path, atoi(words[3]), &acls);
    if (rc == ZOK) rc = zoo_get_acl(zh, path, &acls, &stat);
    if (rc == ZOK) printf("%d\n", stat.aversion);
    else puts(name_of(rc));
  } else if (strcmp(command, "auth") == 0) {
    puts(name_of(zoo_add_auth(zh, words[1], words[2], strlen(words[2]), NULL, NULL)));
  } else if (strcmp(command, "sync") == 0) {
    rc = zoo_async(zh, path, on_synced, session);
    puts(rc == ZOK && wait_for(&session->synced, 1) ? "ok" : name_of(rc));
  } else if (strcmp(command, "multi") == 0) {
    puts(name_of(multi(zh, words + 1, count - 1)));
  } else if (strcmp(command, "event") == 0) {
    puts(wait_for(&session->written, session->read + 1) ? session->events[session->read++ % 64] : "nothing");
  } else if (strcmp(command, "close") == 0) {
    puts(name_of(zookeeper_close(zh)));
  } else {
    puts("no such command");
  }
}

int main(int argc, char **argv) {
  char line[BYTES_MAX];
  if (argc != 2) return 2;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *words[WORDS_MAX], *end = strstr(line, " -> "), *rest;
    int count = 0;
    if (end == NULL) continue;
    *end = '\0';
    printf("%s -> ", line);
    char *text = *line == '[' ? strchr(line, ' ') + 1 : line;
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < WORDS_MAX; word = strtok_r(NULL, " ", &rest)) words[count++] = word;
    step(&sessions[*words[0] - 'a'], words + 1, count - 1, argv[1]);
    fflush(stdout);
  }
  return 0;
}
