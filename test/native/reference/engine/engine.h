/* The parts of the engine. */
#ifndef TEST_REFERENCE_ENGINE_H_
#define TEST_REFERENCE_ENGINE_H_

#include <openssl/engine.h>
#include <stdbool.h>

#include "hardware.h"

/* Each engine has a device of its own. */
struct hardware* hardware_of(const ENGINE* engine);

/* methods.c: of all engines. False without memory. */
bool create_methods(void);
const RSA_METHOD* rsa_method(void);
const EC_KEY_METHOD* ec_method(void);

/* load_key.c */
EVP_PKEY* load_private_key(ENGINE* engine, const char* id, UI_METHOD* ui_method, void* callback_data);

#endif
