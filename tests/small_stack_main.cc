/* Runs all tests of a program in a thread with a small stack: those of texts and files, which may
 * nest deeply. */
#include "tests/small_stack.h"

int main(int count, char **arguments)
{
    testing::InitGoogleTest(&count, arguments);
    int result = 1;
    on_small_stack([&] { result = RUN_ALL_TESTS(); });
    return result;
}
