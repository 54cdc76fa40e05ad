/*
 * The engine: its control commands, and OpenSSL's calls when it comes and goes.
 *
 *   openssl engine -t -c -pre MODE:fd -pre LATENCY_MICROS:500 /path/of/reference_engine.so
 */
#include "engine.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum command {
  COMMAND_MODE = ENGINE_CMD_BASE,
  COMMAND_LATENCY_MICROS,
  COMMAND_CAPACITY,
  COMMAND_FAIL_EVERY,
  COMMAND_POLL,
  COMMAND_HEARTBEAT,
  COMMAND_STATS,
  COMMAND_DIGESTS,
};

static const ENGINE_CMD_DEFN kCommands[] = {
    {COMMAND_MODE, "MODE",
     "How a job that waits is told: auto, callback, event-fd, fd, blocking, unstated, none, poll or sync",
     ENGINE_CMD_FLAG_STRING},
    {COMMAND_LATENCY_MICROS, "LATENCY_MICROS", "Microseconds before the device begins with a request",
     ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_CAPACITY, "CAPACITY", "Requests in flight before the ring is full", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_FAIL_EVERY, "FAIL_EVERY", "Every n-th operation fails; 0 for none", ENGINE_CMD_FLAG_NUMERIC},
    {COMMAND_POLL, "POLL", "Collects what the device has finished in the mode poll, and tells the jobs",
     ENGINE_CMD_FLAG_NO_INPUT},
    {COMMAND_HEARTBEAT, "HEARTBEAT", "Fails when requests wait and nothing comes of them", ENGINE_CMD_FLAG_NO_INPUT},
    {COMMAND_STATS, "STATS", "Writes the counters, name=number, to the file of this path", ENGINE_CMD_FLAG_STRING},
    {COMMAND_DIGESTS, "DIGESTS", "From now on it has SHA-1, too", ENGINE_CMD_FLAG_NO_INPUT},
    {0, NULL, NULL, 0},
};

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool prepared;

static void prepare(void) { prepared = create_methods() && create_digest(); }

static bool write_stats(struct hardware* hardware, const char* path) {
  char text[512];
  FILE* file = path == NULL ? NULL : fopen(path, "w");
  if (file == NULL) {
    ERR_raise_data(ERR_LIB_SYS, errno, "the reference engine cannot write its counters");
    return false;
  }
  hardware_describe(hardware, text, sizeof(text));
  fprintf(file, "%s\n", text);
  return fclose(file) == 0;
}

/* OpenSSL has turned the text of a numeric command into `number`; that of the others is at `data`. */
static int control(ENGINE* engine, int command, long number, void* data, void (*function)(void)) {
  struct hardware* hardware = device();
  int collected;
  (void)function;
  if (hardware == NULL) return 0;
  switch (command) {
    case COMMAND_MODE:
      return hardware_set_mode(hardware, data == NULL ? "" : data);
    case COMMAND_LATENCY_MICROS:
      return hardware_set_number(hardware, HARDWARE_LATENCY_MICROS, number);
    case COMMAND_CAPACITY:
      return hardware_set_number(hardware, HARDWARE_CAPACITY, number);
    case COMMAND_FAIL_EVERY:
      return hardware_set_number(hardware, HARDWARE_FAIL_EVERY, number);
    case COMMAND_POLL:
      collected = hardware_poll(hardware);
      if (data != NULL) *(int*)data = collected; /* of an application that calls ENGINE_ctrl(3) itself */
      return 1;
    case COMMAND_HEARTBEAT:
      return hardware_is_alive(hardware);
    case COMMAND_DIGESTS:
      return add_digests(engine);
    case COMMAND_STATS:
      return write_stats(hardware, data);
    default:
      ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the reference engine has no such command");
      return 0;
  }
}

/* Called when no reference is left. */
static int destroy(ENGINE* engine) {
  (void)engine;
  device_detach();
  return 1;
}

static int bind_reference(ENGINE* engine, const char* id) {
  /* As it was asked for: without an id, by ours, or by the module's path. */
  if (id != NULL && strcmp(id, "reference") != 0 && strchr(id, '/') == NULL) return 0;
  if (!CRYPTO_THREAD_run_once(&once, prepare) || !prepared || !device_attach()) return 0;
  if (ENGINE_set_id(engine, "reference") && ENGINE_set_name(engine, "A simulated accelerator that pauses jobs") &&
      ENGINE_set_ctrl_function(engine, control) && ENGINE_set_cmd_defns(engine, kCommands) &&
      ENGINE_set_RSA(engine, rsa_method()) && ENGINE_set_EC(engine, ec_method()) &&
      ENGINE_set_load_privkey_function(engine, load_private_key) && ENGINE_set_destroy_function(engine, destroy)) {
    return 1;
  }
  device_detach();
  return 0;
}

/* The module's exports. */
#pragma GCC visibility push(default)
IMPLEMENT_DYNAMIC_BIND_FN(bind_reference)
IMPLEMENT_DYNAMIC_CHECK_FN()
#pragma GCC visibility pop
