// Numbers of this layer that JavaScript knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.
#pragma once

#include <cstddef>
#include <cstdint>

namespace openssl_async {

// Families of operations; there is a C++ file for each.
enum class OperationFamily : int {
  kSign = 0,
  kVerify = 1,
  kDigest = 2,
  kPublicEncrypt = 3,
  kPrivateDecrypt = 4,
  kPrivateEncrypt = 5,
  kPublicDecrypt = 6,
  kKeyExchange = 7,
  kEncapsulate = 8,
  kDecapsulate = 9,
  kKeyGeneration = 10,
  kMac = 11,
  kEncrypt = 12,
  kDecrypt = 13,
  kEncryptStream = 14,
  kDecryptStream = 15,
  kDigestStream = 16,
  kKeyDerivation = 17,
  kRandom = 18,
  kStore = 19,
};

// Inputs of one call.
constexpr size_t kMaxInputs = 6;

// Numbers of one call.
constexpr size_t kMaxNumbers = 6;

// Outputs of one call.
constexpr size_t kMaxOutputs = 2;

// Numbers of a spec that signs or verifies. `p1363`: 1 for signatures as IEEE P1363 has them.
struct SignatureNumber {
  enum : size_t {
    kPadding = 0,
    kSaltLength = 1,
    kP1363 = 2,
  };
};

// Inputs of a call that verifies.
struct VerifyInput {
  enum : size_t {
    kData = 0,
    kSignature = 1,
  };
};

// Numbers of a digest's spec. `outputLength`: of an extendable digest. `asStream`: present for the errors of
// crypto.createHash(), else they are those of crypto.hash().
struct DigestNumber {
  enum : size_t {
    kOutputLength = 0,
    kAsStream = 1,
  };
};

// Inputs of a call for a MAC. The key is absent when the spec has it.
struct MacInput {
  enum : size_t {
    kData = 0,
    kKey = 1,
  };
};

// Inputs of a call that encrypts or decrypts with an RSA key.
struct AsymmetricCipherInput {
  enum : size_t {
    kData = 0,
    kLabel = 1,
  };
};

// Inputs of a key exchange: the peer's key, or its point on the own curve.
struct KeyExchangeInput {
  enum : size_t {
    kKey = 0,
    kPoint = 1,
  };
};

// Names of a key pair's spec; empty for none.
struct KeyGenerationName {
  enum : size_t {
    kType = 0,
    kGroup = 1,
    kDigest = 2,
    kMgf1Digest = 3,
    kCipher = 4,
  };
};

// Numbers of a key pair's spec. `ownStructure`: present for the private key's own structure instead of PKCS#8.
struct KeyGenerationNumber {
  enum : size_t {
    kBits = 0,
    kPublicExponent = 1,
    kSaltLength = 2,
    kDivisorBits = 3,
    kGenerator = 4,
    kExplicitParameters = 5,
    kOwnStructure = 6,
  };
};

// Inputs of a call for a whole message. The key is absent when the spec has it.
struct CipherInput {
  enum : size_t {
    kData = 0,
    kIv = 1,
    kKey = 2,
    kAuthenticatedData = 3,
    kTag = 4,
  };
};

// Numbers of a call for a whole message. `autoPadding`: 0 for none.
struct CipherNumber {
  enum : size_t {
    kTagLength = 0,
    kAutoPadding = 1,
  };
};

// Inputs of a call for a part of a message.
struct CipherPartInput {
  enum : size_t {
    kData = 0,
    kAuthenticatedData = 1,
    kTag = 2,
  };
};

// Numbers of a call for a part of a message. `isLast`: 1 for the last part. `plaintextLength`: for CCM.
struct CipherPartNumber {
  enum : size_t {
    kIsLast = 0,
    kAutoPadding = 1,
    kPlaintextLength = 2,
  };
};

// Names of a spec that derives keys: HKDF, PBKDF2 or SCRYPT, and a digest, empty for SCRYPT.
struct KeyDerivationName {
  enum : size_t {
    kFunction = 0,
    kDigest = 1,
  };
};

// Inputs of HKDF.
struct HkdfInput {
  enum : size_t {
    kKey = 0,
    kSalt = 1,
    kInfo = 2,
  };
};

// Inputs of PBKDF2 and scrypt.
struct PasswordInput {
  enum : size_t {
    kPassword = 0,
    kSalt = 1,
  };
};

// Numbers of a call of PBKDF2.
struct Pbkdf2Number {
  enum : size_t {
    kSize = 0,
    kIterations = 1,
  };
};

// Numbers of a call of scrypt. `maxMemory`: in bytes.
struct ScryptNumber {
  enum : size_t {
    kSize = 0,
    kCost = 1,
    kBlockSize = 2,
    kParallelization = 3,
    kMaxMemory = 4,
  };
};

}  // namespace openssl_async
