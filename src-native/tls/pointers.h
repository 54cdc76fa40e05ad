// Owners of libssl's objects.
#pragma once

#include "openssl/pointers.h"  // before OpenSSL's own headers, on Windows

#include <openssl/bio.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>

namespace openssl_async {

inline void FreeWholeBio(BIO* bio) { BIO_free(bio); }
inline void FreeCertificates(STACK_OF(X509) * certificates) { sk_X509_pop_free(certificates, X509_free); }

using BioPointer = DeleteFnPtr<BIO, FreeWholeBio>;
using CertificatesPointer = DeleteFnPtr<STACK_OF(X509), FreeCertificates>;
using Pkcs12Pointer = DeleteFnPtr<PKCS12, PKCS12_free>;
using SslCtxPointer = DeleteFnPtr<SSL_CTX, SSL_CTX_free>;
using SslPointer = DeleteFnPtr<SSL, SSL_free>;
using SslSessionPointer = DeleteFnPtr<SSL_SESSION, SSL_SESSION_free>;
using X509CrlPointer = DeleteFnPtr<X509_CRL, X509_CRL_free>;
using X509StoreContextPointer = DeleteFnPtr<X509_STORE_CTX, X509_STORE_CTX_free>;
using X509StorePointer = DeleteFnPtr<X509_STORE, X509_STORE_free>;
using X509Pointer = DeleteFnPtr<X509, X509_free>;

}  // namespace openssl_async
