// Writes keys as DER into an operation's outputs.
#pragma once

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <new>

#include "openssl/pointers.h"
#include "operations/operation.h"

namespace openssl_async {

using BioPointer = DeleteFnPtr<BIO, BIO_free_all>;  // a memory BIO wipes the memory that it frees

inline bool TakeBytes(BIO* bio, Operation& operation, size_t index) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  if (!operation.output(index).Assign({reinterpret_cast<unsigned char*>(data), static_cast<size_t>(size)})) {
    throw std::bad_alloc();
  }
  return true;
}

// SubjectPublicKeyInfo.
inline bool WritePublicKey(const EVP_PKEY* pkey, Operation& operation, size_t index) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  return bio && i2d_PUBKEY_bio(bio.get(), pkey) == 1 && TakeBytes(bio.get(), operation, index);
}

// PKCS#8; encrypted when there is a cipher.
inline bool WritePrivateKey(const EVP_PKEY* pkey, const EVP_CIPHER* cipher, ByteView passphrase, Operation& operation,
                            size_t index) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  return bio &&
         i2d_PKCS8PrivateKey_bio(bio.get(), pkey, cipher, reinterpret_cast<const char*>(passphrase.data),
                                 static_cast<int>(passphrase.size), nullptr, nullptr) == 1 &&
         TakeBytes(bio.get(), operation, index);
}

// In the type's own structure: SEC 1 for EC, PKCS#1 for RSA. OpenSSL 3.0 reads it in a third of the time.
inline bool WriteOwnPrivateKey(const EVP_PKEY* pkey, Operation& operation, size_t index) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  return bio && i2d_PrivateKey_bio(bio.get(), pkey) == 1 && TakeBytes(bio.get(), operation, index);
}

}  // namespace openssl_async
