/* The parts of the engine. */
#ifndef TEST_REFERENCE_ENGINE_H_
#define TEST_REFERENCE_ENGINE_H_

#include <openssl/engine.h>
#include <stdbool.h>

#include "hardware.h"

/* device.c: the device, which all engines of a process share. A method is not told its engine: a key that was given the
 * method by RSA_set_method(3) has none. Null, with an OpenSSL error, while there is no engine. */
struct hardware* device(void);
bool device_attach(void);
void device_detach(void);

/* methods.c: of all engines. False without memory. */
bool create_methods(void);
const RSA_METHOD* rsa_method(void);
const EC_KEY_METHOD* ec_method(void);

/* digest.c: of all engines. False without memory. */
bool create_digest(void);
bool add_digests(ENGINE* engine);

/* load_key.c */
EVP_PKEY* load_private_key(ENGINE* engine, const char* id, UI_METHOD* ui_method, void* callback_data);

#endif
