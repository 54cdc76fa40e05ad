// OpenSSL's randomness and its clock are the same in every run, so that an input does the same every time.
#pragma once

namespace openssl_async::fuzz {

// Begins the sequence of random bytes anew.
void SeedRandomness();

}  // namespace openssl_async::fuzz
