/* Functions that the compiler protects only with the flags of .bazelrc. tests/trust/hardening looks
 * for what it added. */
#include <string.h>

/* Something unknown to the compiler. */
void rv_test_unknown(void *data);

/* No array of char, but an address: -fstack-protector-strong. */
int rv_test_address(void);
int rv_test_address(void)
{
    int value = 0;
    rv_test_unknown(&value);
    return value;
}

/* A size known only when it runs: -D_FORTIFY_SOURCE=3. */
void rv_test_size(size_t size, size_t n);
void rv_test_size(size_t size, size_t n)
{
    char data[size];
    memset(data, 0, n);
    rv_test_unknown(data);
}
