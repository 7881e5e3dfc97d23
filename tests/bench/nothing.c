/* xr-nothing: what it costs to start a program that is linked to libcrypto. */
#include <openssl/crypto.h>

int main(void)
{
    return OpenSSL_version_num() == 0;
}
