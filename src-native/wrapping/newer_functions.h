// Functions of providers that OpenSSL 3.0's headers do not name yet. Their numbers are part of OpenSSL's stable
// interface; a library that lacks the functions never asks for them.
#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

#include <cstddef>

namespace openssl_async {

constexpr int kKeymgmtGenGetParams = 15;       // OpenSSL 3.4
constexpr int kKeymgmtGenGettableParams = 16;  // OpenSSL 3.4
constexpr int kKeymgmtImportTypesEx = 45;      // OpenSSL 3.2
constexpr int kKeymgmtExportTypesEx = 46;      // OpenSSL 3.2
constexpr int kSignatureQueryKeyTypes = 26;    // OpenSSL 3.4, as those below
constexpr int kSignatureSignMessageInit = 27;
constexpr int kSignatureSignMessageUpdate = 28;
constexpr int kSignatureSignMessageFinal = 29;
constexpr int kSignatureVerifyMessageInit = 30;
constexpr int kSignatureVerifyMessageUpdate = 31;
constexpr int kSignatureVerifyMessageFinal = 32;
constexpr int kKemAuthEncapsulateInit = 12;  // OpenSSL 3.2
constexpr int kKemAuthDecapsulateInit = 13;  // OpenSSL 3.2

using KeymgmtGenGetParamsFn = int(void* generation, OSSL_PARAM params[]);
using KeymgmtGenGettableParamsFn = const OSSL_PARAM*(void* generation, void* provider);
using KeymgmtTypesExFn = const OSSL_PARAM*(void* provider, int selection);
using SignatureVerifyMessageFinalFn = int(void* context);
using KemAuthInitFn = int(void* context, void* key, void* other_key, const OSSL_PARAM params[]);

}  // namespace openssl_async
