#include "tools/machine/levels.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the first core's data cache at a level, according to Linux. (On some machines glibc's
 * sysconf reports the sum of all third-level caches.) */
static size_t cache_size(int wanted, size_t otherwise)
{
    for (int index = 0; index < 8; index++) {
        char path[128], type[32] = "";
        int is = 0;
        size_t kib = 0;
        const char *fields[] = {"level", "size", "type"};
        for (int f = 0; f < 3; f++) {
            snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index,
                     fields[f]);
            FILE *file = fopen(path, "r");
            if (!file) return otherwise;
            int read = f == 0   ? fscanf(file, "%d", &is)
                       : f == 1 ? fscanf(file, "%zuK", &kib)
                                : fscanf(file, "%31s", type);
            fclose(file);
            if (read != 1) return otherwise;
        }
        if (is == wanted && kib && strcmp(type, "Instruction") != 0) return kib << 10;
    }
    return otherwise;
}

void memory_levels(memory_level levels[MEMORY_LEVELS], int threads)
{
    size_t l1 = cache_size(1, 32 << 10), l2 = cache_size(2, 512 << 10);
    size_t l3 = cache_size(3, 16 << 20) / (size_t)threads;
    levels[0] = (memory_level){"L1", l1, l1 / 2};
    levels[1] = (memory_level){"L2", l2, l2 / 2};
    levels[2] = (memory_level){"L3", l3, l3 / 2};
    levels[3] = (memory_level){"memory", SIZE_MAX, l3 * 8};
}
