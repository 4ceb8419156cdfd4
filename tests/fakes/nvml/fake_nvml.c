/* A stand-in for NVIDIA's libnvidia-ml.so.1: the entry points that the probe asks, behaving as FAKE_NVML says.
 *
 * FAKE_NVML      two | unified | no_driver | no_permission | lost | hang | crash | linger | mig | mig_empty
 *                | bad_name | no_count | unknown_error
 * FAKE_NVML_LOG  a file to which `init` and `shutdown` are appended
 *
 * Compiled with -DOLD_DRIVER the library lacks the MIG functions, as drivers before release 450 do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int nvmlReturn_t;
typedef struct device { int index; int is_instance; } *nvmlDevice_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;

enum {
    SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
    DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15, UNDOCUMENTED = 777
};

#define GIB (1024ULL * 1024 * 1024)

static struct device gpus[2] = {{0, 0}, {1, 0}};

static int mode(const char *name) {
    const char *chosen = getenv("FAKE_NVML");
    return chosen != NULL && strcmp(chosen, name) == 0;
}

static void note(const char *event) {
    const char *path = getenv("FAKE_NVML_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", event);
        fclose(file);
    }
}

nvmlReturn_t nvmlInitWithFlags(unsigned int flags) {
    (void)flags;
    if (mode("no_driver")) return DRIVER_NOT_LOADED;
    if (mode("no_permission")) return NO_PERMISSION;
    if (mode("unknown_error")) return UNDOCUMENTED;
    note("init");
    return SUCCESS;
}

nvmlReturn_t nvmlShutdown(void) {
    note("shutdown");
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t code) {
    (void)code;
    return "an error of the fake";
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *text, unsigned int length) {
    snprintf(text, length, "570.86.15");
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned int *count) {
    if (mode("no_count")) return NO_PERMISSION;
    *count = mode("two") || mode("lost") ? 2 : 1;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device) {
    if (index > 1) return INVALID_ARGUMENT;
    if (index == 1 && mode("lost")) return GPU_IS_LOST;
    *device = &gpus[index];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    const char *text = device->index == 0 ? "NVIDIA GeForce RTX 4090" : "NVIDIA RTX A6000";
    if (mode("unified")) text = "NVIDIA GB10";
    if (mode("bad_name")) text = "NVIDIA \xff\xfe 42";
    snprintf(name, length, "%s", text);
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    if (mode("unified")) return NOT_SUPPORTED;
    if (mode("hang")) for (;;) sleep(3600);
    if (mode("crash")) abort();
    /* Keeps the descriptors open after an answer, as a process does that hangs in the kernel and cannot die. */
    if (mode("linger") && fork() == 0) {
        sleep(6);
        _exit(0);
    }
    memory->total = (device->is_instance ? 10 : device->index == 0 ? 24 : 48) * GIB;
    memory->free = memory->total - GIB;
    memory->used = GIB;
    return SUCCESS;
}

#ifndef OLD_DRIVER
static struct device instance_of_first_gpu = {0, 1};

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current, unsigned int *pending) {
    (void)device;
    if (!mode("mig") && !mode("mig_empty")) return NOT_SUPPORTED;
    *current = *pending = 1;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxMigDeviceCount(nvmlDevice_t device, unsigned int *count) {
    (void)device;
    *count = 7;
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *instance) {
    (void)device;
    /* Slots may be empty before the first one that is used. */
    if (mode("mig_empty") || index != 2) return NOT_FOUND;
    *instance = &instance_of_first_gpu;
    return SUCCESS;
}
#endif
