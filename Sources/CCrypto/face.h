// libcrypto: hashes, with and without a key.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
