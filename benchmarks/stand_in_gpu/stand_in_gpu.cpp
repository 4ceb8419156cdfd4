// A GPU that computes nothing, for llama.cpp to plan with: buffers without memory, every operation supported, large
// batches fetched from system memory, as the CUDA back end answers those questions. With it the scheduler and the
// graph allocator of an installed llama.cpp show their buffers for any placement on a machine without GPU.
//
// Build against the headers of the same llama.cpp (its ggml/include and ggml/src) and its installed libraries:
//   g++ -O1 -std=c++17 -shared -fPIC -I ggml/include -I ggml/src stand_in_gpu.cpp -o stand_in_gpu.so
//   with -L LIBS -l:libggml.so -l:libggml-base.so -l:libggml-cpu.so -Wl,-rpath,LIBS

#include "ggml-backend-impl.h"
#include "ggml-impl.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr size_t MEMORY = size_t(80) << 30;
constexpr int64_t OFFLOAD_ROWS = 32;  // the default of the CUDA back end
constexpr int64_t ROW_PADDING = 512;  // MATRIX_ROW_PADDING of the CUDA back end

struct Device {
    std::string name;
    ggml_backend_device device;
    ggml_backend_buffer_type buffer_type;
};

std::vector<Device *> devices;
ggml_backend_reg registry;
ggml_backend_buffer_type host_type;

Device * of(ggml_backend_dev_t dev) { return static_cast<Device *>(dev->context); }

// ---- buffers without memory

void free_buffer(ggml_backend_buffer_t) {}
void * base(ggml_backend_buffer_t) { return reinterpret_cast<void *>(0x1000); }
void clear(ggml_backend_buffer_t, uint8_t) {}
void fill(ggml_backend_buffer_t, ggml_tensor *, uint8_t, size_t, size_t) {}
void set(ggml_backend_buffer_t, ggml_tensor *, const void *, size_t, size_t) {}
void get(ggml_backend_buffer_t, const ggml_tensor *, void *, size_t, size_t) {}

const char * type_name(ggml_backend_buffer_type_t type) { return static_cast<Device *>(type->context)->name.c_str(); }
size_t type_alignment(ggml_backend_buffer_type_t) { return 128; }

ggml_backend_buffer_t type_alloc(ggml_backend_buffer_type_t type, size_t size) {
    ggml_backend_buffer_i calls = {};
    calls.free_buffer = free_buffer;
    calls.get_base = base;
    calls.clear = clear;
    calls.memset_tensor = fill;
    calls.set_tensor = set;
    calls.get_tensor = get;
    return ggml_backend_buffer_init(type, calls, nullptr, size);
}

// Flash attention over a quantized cache is followed by a copy of the cache in half precision.
size_t type_alloc_size(ggml_backend_buffer_type_t, const ggml_tensor * t) {
    size_t size = ggml_nbytes(t);
    if (t->op == GGML_OP_FLASH_ATTN_EXT) {
        const ggml_tensor * k = t->src[1];
        const ggml_tensor * v = t->src[2];
        const bool is_shared = v->view_src && v->view_src == k->view_src && v->view_offs == k->view_offs;
        if (k->type != GGML_TYPE_F16) {
            size = GGML_PAD(size, 128) + 2 * ggml_nelements(k);
        }
        if (v->type != GGML_TYPE_F16 && !is_shared) {
            size = GGML_PAD(size, 128) + 2 * ggml_nelements(v);
        }
    }
    if (ggml_is_quantized(t->type) && t->ne[0] % ROW_PADDING) {
        size += ggml_row_size(t->type, ROW_PADDING - t->ne[0] % ROW_PADDING);
    }
    return size;
}

bool never_host(ggml_backend_buffer_type_t) { return false; }

// ---- pinned memory, which is ordinary memory here

const char * host_name(ggml_backend_buffer_type_t) { return "GPU_Host"; }
size_t host_alignment(ggml_backend_buffer_type_t) { return 32; }
bool always_host(ggml_backend_buffer_type_t) { return true; }

ggml_backend_buffer_t host_alloc(ggml_backend_buffer_type_t type, size_t size) {
    void * memory = nullptr;
    if (posix_memalign(&memory, 64, size ? size : 64)) {
        return nullptr;
    }
    ggml_backend_buffer_t buffer = ggml_backend_cpu_buffer_from_ptr(memory, size);
    buffer->buft = type;
    return buffer;
}

// ---- the back end: no operation is ever run

const char * device_name(ggml_backend_dev_t dev) { return of(dev)->name.c_str(); }
const char * backend_name(ggml_backend_t backend) { return device_name(backend->device); }
void backend_free(ggml_backend_t backend) { delete backend; }
void backend_wait(ggml_backend_t) {}
ggml_status backend_compute(ggml_backend_t, ggml_cgraph *) { return GGML_STATUS_SUCCESS; }
void backend_event(ggml_backend_t, ggml_backend_event_t) {}

ggml_guid identity = {0x73, 0x74, 0x61, 0x6e, 0x64, 0x2d, 0x69, 0x6e, 0x2d, 0x67, 0x70, 0x75, 0, 0, 0, 1};

ggml_backend_t init(ggml_backend_dev_t dev, const char *) {
    auto * backend = new ggml_backend();
    backend->guid = &identity;
    backend->iface.get_name = backend_name;
    backend->iface.free = backend_free;
    backend->iface.synchronize = backend_wait;
    backend->iface.graph_compute = backend_compute;
    backend->iface.event_record = backend_event;
    backend->iface.event_wait = backend_event;
    backend->device = dev;
    return backend;
}

// ---- the device

void memory(ggml_backend_dev_t, size_t * free, size_t * total) { *free = *total = MEMORY; }
enum ggml_backend_dev_type kind(ggml_backend_dev_t) { return GGML_BACKEND_DEVICE_TYPE_GPU; }

void properties(ggml_backend_dev_t dev, ggml_backend_dev_props * props) {
    *props = {};
    props->name = props->description = device_name(dev);
    props->memory_free = props->memory_total = MEMORY;
    props->type = kind(dev);
    props->caps = {/*async*/ true, /*host_buffer*/ true, /*buffer_from_host_ptr*/ false, /*events*/ true, false};
}

ggml_backend_buffer_type_t buffer_type(ggml_backend_dev_t dev) { return &of(dev)->buffer_type; }
ggml_backend_buffer_type_t host_buffer_type(ggml_backend_dev_t) { return &host_type; }
bool supports_op(ggml_backend_dev_t, const ggml_tensor *) { return true; }
bool supports_buft(ggml_backend_dev_t dev, ggml_backend_buffer_type_t type) { return type == &of(dev)->buffer_type; }

bool offload_op(ggml_backend_dev_t, const ggml_tensor * op) {
    switch (op->op) {
        case GGML_OP_GET_ROWS:   return false;
        case GGML_OP_MUL_MAT:    return op->ne[1] >= OFFLOAD_ROWS;
        case GGML_OP_MUL_MAT_ID:
        case GGML_OP_ROPE:
        case GGML_OP_ROPE_BACK:  return op->ne[2] >= OFFLOAD_ROWS;
        default:                 return ggml_nrows(op) >= OFFLOAD_ROWS;
    }
}

ggml_backend_event_t event_new(ggml_backend_dev_t dev) { return new ggml_backend_event{dev, nullptr}; }
void event_free(ggml_backend_dev_t, ggml_backend_event_t event) { delete event; }
void event_wait(ggml_backend_dev_t, ggml_backend_event_t) {}

// ---- the registry

const char * registry_name(ggml_backend_reg_t) { return "GPU"; }
size_t registry_count(ggml_backend_reg_t) { return devices.size(); }
ggml_backend_dev_t registry_device(ggml_backend_reg_t, size_t i) { return &devices[i]->device; }
void * registry_address(ggml_backend_reg_t, const char *) { return nullptr; }

}  // namespace

// Make llama.cpp believe in that many GPUs. Call it once, before the first model is loaded.
extern "C" void stand_in_register(int count) {
    registry.api_version = GGML_BACKEND_API_VERSION;
    registry.iface = {registry_name, registry_count, registry_device, registry_address};
    host_type.iface = {host_name, host_alloc, host_alignment, nullptr, nullptr, always_host};
    for (int i = 0; i < count; i++) {
        auto * d = new Device();
        d->name = "GPU" + std::to_string(i);
        d->device.iface = {device_name, device_name, memory, kind, properties, init, buffer_type, host_buffer_type,
                           nullptr, supports_op, supports_buft, offload_op, event_new, event_free, event_wait};
        d->device.reg = &registry;
        d->device.context = d;
        d->buffer_type.iface = {type_name, type_alloc, type_alignment, nullptr, type_alloc_size, never_host};
        d->buffer_type.device = &d->device;
        d->buffer_type.context = d;
        devices.push_back(d);
    }
    host_type.device = &devices[0]->device;
    ggml_backend_register(&registry);
}
