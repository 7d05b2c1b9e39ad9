/* One multi that succeeds and one that fails, by ZooKeeper's C library; prints what the library reports. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

static volatile int connected = 0;

static void watcher(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh; (void)path; (void)context;
  if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE) connected = 1;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
  zhandle_t *zh = zookeeper_init(argv[1], watcher, 10000, 0, 0, 0);
  if (zh == NULL) return 1;
  while (!connected) usleep(1000);

  char first[64], second[64];
  struct Stat stat;
  zoo_op_t ops[4];
  zoo_op_result_t results[4];
  memset(results, 0, sizeof results);
  zoo_create_op_init(&ops[0], "/m", "a", 1, &ZOO_OPEN_ACL_UNSAFE, 0, first, sizeof first);
  zoo_set_op_init(&ops[1], "/m", "b", 1, 0, &stat);
  zoo_check_op_init(&ops[2], "/m", 1);
  zoo_create_op_init(&ops[3], "/m/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, second, sizeof second);
  printf("multi: %d\n", zoo_multi(zh, 4, ops, results));
  printf("create /m: %d %s\n", results[0].err, first);
  printf("set /m: %d version %d\n", results[1].err, stat.version);
  printf("check /m: %d\n", results[2].err);
  printf("create /m/c: %d %s\n", results[3].err, second);

  memset(results, 0, sizeof results);
  zoo_set_op_init(&ops[0], "/m", "c", 1, -1, &stat);
  zoo_create_op_init(&ops[1], "/m", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, first, sizeof first);
  zoo_delete_op_init(&ops[2], "/m/c", -1);
  printf("failing multi: %d\n", zoo_multi(zh, 3, ops, results));
  printf("set /m: %d\n", results[0].err);
  printf("create /m: %d\n", results[1].err);
  printf("delete /m/c: %d\n", results[2].err);

  if (zoo_exists(zh, "/m", 0, &stat) == ZOK) printf("version of /m: %d\n", stat.version);
  zookeeper_close(zh);
  return 0;
}
