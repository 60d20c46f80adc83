// SPDX-License-Identifier: Apache-2.0
// Loads all backends, as every program with ggml does, prints the devices there are and the API that
// ggml has for backends, and has a sum computed on the CPU. It uses only what ggml has had under
// every version of that API.

#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"

#include <dlfcn.h>

#include <cstdio>

int main() {
    ggml_backend_load_all();
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        printf("device: %s\n", ggml_backend_dev_name(ggml_backend_dev_get(i)));
    }
    ggml_backend_t cpu = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, NULL);
    if (!cpu) {
        fprintf(stderr, "there is no CPU\n");
        return 1;
    }
    // The layout of API 2 has changed, without a change of its number, when this function came.
    const bool with_2d = dlsym(RTLD_DEFAULT, "ggml_backend_tensor_set_2d");
    // The first field of a registry is its API's number.
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(cpu));
    printf("api: %d, %s 2-D copies\n", *(const int *) reg, with_2d ? "with" : "without");
    ggml_init_params params = { 1 << 20, NULL, true };
    ggml_context * context = ggml_init(params);
    ggml_tensor * a = ggml_new_tensor_1d(context, GGML_TYPE_F32, 1);
    ggml_tensor * sum = ggml_add(context, a, a);
    ggml_cgraph * graph = ggml_new_graph(context);
    ggml_build_forward_expand(graph, sum);
    ggml_backend_buffer_t buffer = ggml_backend_alloc_ctx_tensors(context, cpu);
    float value = 21;
    ggml_backend_tensor_set(a, &value, 0, sizeof(value));
    ggml_status status = ggml_backend_graph_compute(cpu, graph);
    ggml_backend_tensor_get(sum, &value, 0, sizeof(value));
    printf("sum: %g\n", value);
    ggml_backend_buffer_free(buffer);
    ggml_free(context);
    ggml_backend_free(cpu);
    return status == GGML_STATUS_SUCCESS ? 0 : 1;
}
